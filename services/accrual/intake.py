"""From the bytes of `card-transactions` to events in the order in which they are recorded."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from services.accrual.decoding import decode_event
from services.kernel.errors import Rejected
from services.kernel.identifiers import identity
from services.kernel.topics import HEADER_EXACT, HEADER_ROLE, HEADER_SOURCE
from services.kernel.transaction import EXACT_KEYS, CardTransaction, Role

FRAME = b"\x00\x00\x00\x00\x01"
"""Confluent framing: magic byte and the id of `card-transaction.avsc`."""


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """One event with its place in the one order."""

    stream_id: int
    seq: int
    offset_at: int | None
    timestamp_ms: int
    source: str | None
    role: str
    body: bytes
    identity: bytes
    event: CardTransaction


class Arrived(msgspec.Struct, frozen=True, gc=False):
    """One decoded record before it has a sequence number."""

    offset_at: int
    timestamp_ms: int
    source: str | None
    role: str
    body: bytes
    event: CardTransaction


def decode(body: bytes, exact: str | None = None) -> CardTransaction:
    """A canonical event from its Avro bytes (without the frame), and what its feed declares of it.

    Raises Rejected (NOT_AVRO) for anything that is not exactly one record.
    """
    try:
        event = decode_event(body)
    except (ValueError, LookupError) as error:  # Malformed, and what bytes lead to
        raise Rejected("NOT_AVRO", None, "the bytes are no canonical event") from error
    if exact is None:
        return event
    return msgspec.structs.replace(event, exact=tuple(exact.split(",")))


def arrive(
    value: bytes | None,
    headers: Iterable[tuple[str, bytes]],
    *,
    offset_at: int,
    timestamp_ms: int,
) -> Arrived:
    """Decode one record of `card-transactions`. Raises Rejected; nothing else leaves it."""
    if value is None or value[:1] != b"\x00":
        raise Rejected("NOT_AVRO", None, "no Confluent frame")
    if value[:5] != FRAME:
        raise Rejected("UNKNOWN_SCHEMA", None, "not the canonical schema")
    role, source, exact = Role.BOOKS.value, None, None
    for name, content in headers:
        if name == HEADER_ROLE:
            role = _ROLES.get(content, "")
        elif name == HEADER_SOURCE:
            source = content.decode("ascii", "replace")
        elif name == HEADER_EXACT:
            exact = content.decode("ascii", "replace")
            if not set(exact.split(",")) <= set(EXACT_KEYS):
                raise Rejected("BAD_VALUE", HEADER_EXACT, "no fields that can be exact")
    if not role:
        raise Rejected("BAD_VALUE", HEADER_ROLE, "neither books nor compare")
    body = value[5:]
    return Arrived(offset_at, timestamp_ms, source, role, body, decode(body, exact))


_ROLES = {role.value.encode(): role.value for role in (Role.BOOKS, Role.COMPARE)}


def record(arrived: Arrived, *, stream_id: int, seq: int) -> Recorded:
    """Give an event its place."""
    event = arrived.event
    return Recorded(
        stream_id, seq, arrived.offset_at, arrived.timestamp_ms, arrived.source, arrived.role,
        arrived.body, identity(arrived.role, event.issuer_id, event.event_id), event,
    )  # fmt: skip
