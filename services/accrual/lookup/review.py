"""What a person must look at: events that wait, clash, have no effect, or broke a decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from services.accrual.engine.reasons import Outcome
from services.accrual.engine.words import amount_words, key_words, kind_words
from services.accrual.intake import decode
from services.accrual.lifecycle.net import Net, weigh
from services.accrual.lifecycle.purchase import Leg, Purchase, restore
from services.accrual.lookup.records import LookupStore, Place, WaitingRow
from services.accrual.ports import EventStore
from services.kernel.identifiers import identity
from services.kernel.transaction import FIELDS, CardTransaction, Kind, Role
from services.runtime.database import Connection


class Item(NamedTuple):
    """One thing to look at; `what` is waiting, failed, conflict, no-effect or over-refunded."""

    what: str
    issuer_id: str
    account_id: str
    event_id: str
    since: date
    why: str


class Suspect(NamedTuple):
    """An event of a purchase with a fault that the purchase alone shows."""

    purchase: Purchase
    leg: Leg
    what: str
    why: str
    names: str | None = None
    """What it names, where that decides: no fault unless that is recorded."""


@dataclass(frozen=True, slots=True)
class Review:
    """Collects the list through one connection: give it a snapshot."""

    events: EventStore
    lookups: LookupStore

    async def items(self, connection: Connection) -> list[Item]:
        """Everything, each kind in recorded order."""
        found = await self._waiting(connection)
        found += await self._conflicts(connection)
        async for rows in self.lookups.purchases(connection):
            suspects = [
                suspect
                for row in rows
                for suspect in suspects_of(
                    restore(
                        stream_id=row.stream_id, number=row.purchase, issuer_id=row.issuer_id,
                        account_id=row.account_id, body=row.body,
                    )
                )
            ]  # fmt: skip
            if suspects:
                found += await self._suspects(connection, suspects)
        return sorted(found, key=lambda item: _ORDER.index(item.what))

    async def _waiting(self, connection: Connection) -> list[Item]:
        rows = [(row, decode(row.body)) for row in await self.lookups.waiting(connection)]
        named = await self._recorded(
            connection, {(e.issuer_id, e.original_event_id) for _, e in rows if e.original_event_id}
        )
        return [
            Item(
                "failed" if row.reason == Outcome.FAILED else "waiting", event.issuer_id,
                event.account_id, event.event_id, _day(row.recorded_at), _waits(row, event, named),
            )
            for row, event in rows
        ]  # fmt: skip

    async def _conflicts(self, connection: Connection) -> list[Item]:
        rows = [(row, decode(row.body)) for row in await self.lookups.conflicts(connection)]
        keys = {row.place: identity(row.role, e.issuer_id, e.event_id) for row, e in rows}
        first = await self.events.by_identity(connection, sorted(set(keys.values())))
        return [
            Item(
                "conflict", event.issuer_id, event.account_id, event.event_id,
                _day(row.recorded_at), _conflict(event, first[keys[row.place]][2]),
            )
            for row, event in rows
        ]  # fmt: skip

    async def _suspects(self, connection: Connection, suspects: Sequence[Suspect]) -> list[Item]:
        named = await self._recorded(
            connection, {(s.purchase.issuer_id, s.names) for s in suspects if s.names is not None}
        )
        kept = [s for s in suspects if s.names is None or (s.purchase.issuer_id, s.names) in named]
        places: list[Place] = [(s.purchase.stream_id, s.leg.seq) for s in kept]
        rows = await self.lookups.events_at(connection, places)
        return [
            Item(
                s.what, s.purchase.issuer_id, s.purchase.account_id, s.leg.event_id,
                _day(rows[place].recorded_at), s.why,
            )
            for s, place in zip(kept, places, strict=True)
        ]  # fmt: skip

    async def _recorded(
        self, connection: Connection, wanted: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], CardTransaction]:
        """The recorded events among these (issuer, event id)."""
        keys: dict[bytes, tuple[str, str]] = {
            identity(Role.BOOKS, issuer, event_id): (issuer, event_id)
            for issuer, event_id in wanted
        }
        found = await self.events.by_identity(connection, sorted(keys)) if keys else {}
        return {keys[key]: decode(body) for key, (_, _, body, _) in found.items()}


_ORDER = ("failed", "conflict", "waiting", "no-effect", "over-refunded")


def suspects_of(purchase: Purchase) -> list[Suspect]:
    """The faults of a purchase."""
    legs = purchase.legs
    if purchase.held:
        return [Suspect(purchase, leg, "waiting", _held(purchase, leg)) for leg in legs]
    if len(legs) == 1 and legs[0].kind == Kind.PRESENTMENT:
        return []
    net = weigh(legs)
    by_id = {leg.event_id: leg for leg in legs}
    found = [
        Suspect(purchase, by_id[event_id], "no-effect", _no_effect(by_id[event_id], by_id, net))
        for event_id in net.listed
    ]
    for leg in legs:
        if leg.original is None or leg.original in by_id or leg.event_id in net.listed:
            continue
        why = f"names {leg.original}, of another purchase; its lifecycle id holds"
        found.append(Suspect(purchase, leg, "no-effect", why, names=leg.original))
    if net.over_refunded:
        last = max(legs, key=lambda leg: leg.seq)
        more = amount_words(net.over_refunded, net.currency)
        why = f"{more} more went back of purchase {purchase.label} than was spent"
        found.append(Suspect(purchase, last, "over-refunded", why))
    return found


def _held(purchase: Purchase, leg: Leg) -> str:
    """Why an event that exact keys link is in no purchase that counts."""
    keys = {key for tie in (purchase.ties or {}).values() for key in tie.keys}
    said = ", ".join(key_words(key) for key in sorted(keys))
    if any(one.kind in (Kind.PRESENTMENT, Kind.AUTHORIZATION) for one in purchase.legs):
        return f"{kind_words(leg.kind)} may belong to several purchases: all of them have {said}"
    return f"{kind_words(leg.kind)} belongs to no purchase, or to several, by {said}"


def _no_effect(leg: Leg, by_id: Mapping[str, Leg], net: Net) -> str:
    kind = kind_words(leg.kind)
    if leg.original is not None and leg.kind.endswith("_REVERSAL"):
        named = by_id.get(leg.original)
        if named is None:
            return f"{kind} names {leg.original}, which is not in its purchase"
        if f"{named.kind}_REVERSAL" != leg.kind:
            return f"{kind} names {leg.original}, a {kind_words(named.kind)}"
        return f"{kind} is billed in {leg.currency}, what it names in {named.currency}"
    return f"{kind} is billed in {leg.currency}, its purchase in {net.currency}"


def _waits(
    row: WaitingRow, event: CardTransaction, named: Mapping[tuple[str, str], CardTransaction]
) -> str:
    """Why an event has no purchase."""
    if row.reason == Outcome.FAILED:
        again = f"`milepost reconsider account {event.account_id}`"
        return f"its decision broke; the log says why, {again} decides it anew"
    kind, original = kind_words(event.kind), event.original_event_id
    if original is None:
        return f"{kind} names nothing and has no lifecycle id"
    found = named.get((event.issuer_id, original))
    if found is None:
        return f"{kind} names {original}, which is not recorded"
    if found.account_id != event.account_id:
        return f"{kind} names {original}, an event of another account"
    return f"{kind} names {original}, which itself has no purchase"


def _conflict(event: CardTransaction, first: bytes) -> str:
    held = decode(first)
    names = [name for name in FIELDS if getattr(event, name) != getattr(held, name)]
    return f"the id was recorded before with another {', '.join(names)}; the first holds"


def _day(moment: datetime) -> date:
    return moment.date()
