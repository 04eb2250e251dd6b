"""Which purchase an event belongs to: a function of the recorded set, never of arrival.

Within issuer and account: (1) the lifecycle id; (2) else the purchase of the event that
`original_event_id` names, followed as far as needed; (3) else, for a presentment or an
authorization, itself. Before that come the keys that its feed declares exact: see `exact`. Anything
else waits. What a review links an event to takes the place of what it names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from services.kernel.transaction import CardTransaction, Kind


class Stub(msgspec.Struct, frozen=True, gc=False):
    """What linking needs to know of a recorded event."""

    event_id: str
    kind: str
    lifecycle_id: str | None
    original: str | None
    keys: tuple[str, ...] = ()
    """Its exact keys, each with its field in front: an ARN is no scheme reference."""


def stub_of(event: CardTransaction) -> Stub:
    """The linking keys of an event."""
    keys = exact_keys(event) if event.exact else ()
    return Stub(event.event_id, event.kind, event.lifecycle_id, event.original_event_id, keys)


def exact_keys(event: CardTransaction) -> tuple[str, ...]:
    """What an event has of the fields that its feed declares exact."""
    return tuple(
        f"{name}:{value}" for name in event.exact if (value := getattr(event, name)) is not None
    )


Links = Mapping[tuple[str, str], str]
"""(issuer, event id) of an event that a review linked → the id of the event it is linked to."""

UNLINKED: Links = MappingProxyType({})


def as_linked(event: CardTransaction, links: Links) -> CardTransaction:
    """The event as a review left it: as if it named what it is linked to."""
    to = links.get((event.issuer_id, event.event_id))
    return event if to is None else msgspec.structs.replace(event, original_event_id=to)


_OPENS = (Kind.PRESENTMENT.value, Kind.AUTHORIZATION.value)


def opens(event: Stub) -> bool:
    """Whether it is of a kind that makes a purchase by itself."""
    return event.kind in _OPENS


def own_key(event: Stub) -> str | None:
    """The key of the event's purchase where the event alone says it, else None."""
    if event.lifecycle_id is not None:
        return f"L:{event.lifecycle_id}"
    if event.original is None and event.kind in _OPENS and not event.keys:
        return f"E:{event.event_id}"
    return None


def purchase_key(event: Stub, find: Callable[[str], Stub | None]) -> str | None:
    """The key of the event's purchase within issuer and account; None: it waits, or only exact
    keys can say it.

    `find` gives a recorded event of the same issuer and account by its id. A cycle waits.
    """
    key = own_key(event)
    if key is not None:
        return key
    seen: set[str] = set()
    current: Stub | None = event
    while current is not None:
        if current.lifecycle_id is not None:
            return f"L:{current.lifecycle_id}"
        if current.original is None:
            opens = current.kind in _OPENS and not current.keys
            return f"E:{current.event_id}" if opens else None
        if current.event_id in seen:
            return None
        seen.add(current.event_id)
        current = find(current.original)
    return None


def missing_original(event: Stub, find: Callable[[str], Stub | None]) -> str | None:
    """The id at the end of the chain that is not recorded; None when nothing is missing."""
    seen: set[str] = set()
    current = event
    while current.lifecycle_id is None and current.original is not None:
        if current.event_id in seen:
            return None
        seen.add(current.event_id)
        found = find(current.original)
        if found is None:
            return current.original
        current = found
    return None
