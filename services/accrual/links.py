"""The links that reviews have recorded: an event that waited, and what a person linked it to.

A link is the event of the command `review resolve`. It owns the identity of (command, issuer,
event id), by which it is found again and which no other link of the same event can take.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from services.kernel.identifiers import identity
from services.kernel.transaction import Role

COMMAND = "review-resolve"
Held = tuple[int, int, bytes, str | None]
"""Stream, seq and body of an event, and the fields that its feed declares exact."""
Found = Mapping[bytes, Held]
"""Identity → what owns it."""


def link_identity(issuer_id: str, event_id: str) -> bytes:
    """The identity of the link of an event."""
    return identity(Role.COMMAND, issuer_id, event_id)


def links_of(inputs: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """What a command links; nothing, unless it is a review's."""
    if inputs.get("command") != COMMAND:
        return {}
    return {(inputs["issuer"], inputs["event"]): inputs["linked_to"]}


def identity_of_command(body: bytes) -> bytes | None:
    """The identity that a command's event owns; only links own one."""
    for issuer_id, event_id in links_of(json.loads(body)):
        return link_identity(issuer_id, event_id)
    return None


def links_among(
    found: Found, keys: Iterable[bytes], before: Mapping[str, tuple[int, int]]
) -> dict[tuple[str, str], str]:
    """The links among what was found that count: those of an account in its stream, recorded
    before the place given for it."""
    links: dict[tuple[str, str], str] = {}
    for key in keys:
        if key in found:
            stream_id, seq, body, _ = found[key]
            inputs = json.loads(body)
            limit = before.get(inputs["accounts"][0])
            if limit is not None and limit[0] == stream_id and seq < limit[1]:
                links.update(links_of(inputs))
    return links
