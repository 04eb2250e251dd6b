"""All that is recorded of one account, as explaining needs it: events, purchases, transfers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.accrual.batch import Loaded
from services.accrual.engine.folding import Part
from services.accrual.engine.reasons import Outcome
from services.accrual.engine.waiting import Waiting
from services.accrual.intake import decode
from services.accrual.lifecycle.matching import as_linked
from services.accrual.lifecycle.purchase import Purchase
from services.accrual.links import link_identity
from services.accrual.lookup.records import EventRow, LookupStore, Movement, Place
from services.accrual.ports import EventStore, StateStore
from services.kernel.transaction import CardTransaction
from services.runtime.database import Connection


class Link(NamedTuple):
    """What a review linked an event to, who did, and the seq of the command that recorded it."""

    seq: int
    to: str
    by: str
    on: str


@dataclass(frozen=True, slots=True)
class History:
    """One account in its stream. Repeats and compared events stand in no purchase: they are left
    out."""

    account_id: str
    stream_id: int
    rows: dict[int, EventRow]
    """seq → event"""
    events: dict[int, CardTransaction]
    purchases: list[Purchase]
    movements: list[Movement]
    fees: list[Movement]
    available: dict[int, int]
    """Events whose decision broke: seq → seq of the command that decided them; absent: none."""
    links: dict[int, Link]
    """Events that a review linked, by seq."""

    def before(self, seq: int | None) -> list[Waiting]:
        """The events that a decision recorded under `seq` saw; None: that one today sees."""
        links = {
            (self.events[at].issuer_id, self.events[at].event_id): link.to
            for at, link in self.links.items() if seq is None or link.seq < seq
        }  # fmt: skip
        return [
            Waiting(at, as_linked(self.events[at], links))
            for at in sorted(self.events) if self._seen(at, seq)
        ]  # fmt: skip

    def broken_before(self, seq: int | None) -> list[CardTransaction]:
        """Events that were recorded by then, and whose decision was still broken."""
        return [
            event for at, event in self.events.items()
            if (seq is None or at < seq) and not self._seen(at, seq)
        ]  # fmt: skip

    def _seen(self, at: int, seq: int | None) -> bool:
        if self.rows[at].outcome == Outcome.FAILED:
            joined = self.available.get(at)
            return joined is not None and (seq is None or joined < seq)
        return seq is None or at < seq

    def purchase_of(self, seq: int) -> Purchase | None:
        """The purchase that the event has joined; None while it waits."""
        for purchase in self.purchases:
            if any(leg.seq == seq for leg in purchase.legs):
                return purchase
        return None

    def numbered(self, place: Place) -> Purchase | None:
        """The purchase of a number in the record."""
        for purchase in self.purchases:
            if (purchase.stream_id, purchase.number) == place:
                return purchase
        return None

    def granted(self, purchase: Purchase) -> Iterator[Movement]:
        """What was given and taken back for a purchase, without what settles."""
        place = (purchase.stream_id, purchase.number)
        for movement in self.movements:
            if (movement.of_stream_id, movement.of_purchase) == place and not movement.settles:
                yield movement

    def held(self, purchase: Purchase) -> dict[Part, int]:
        """What the ledger holds for a purchase, by part, fees included; no zeros."""
        place = (purchase.stream_id, purchase.number)
        fees = [one for one in self.fees if (one.of_stream_id, one.of_purchase) == place]
        sums: dict[Part, int] = {}
        for one in (*self.granted(purchase), *fees):
            part = Part(
                one.contract, one.version, one.rule, one.funder, one.unit, one.governing_on,
                one.available_on, one.party,
            )  # fmt: skip
            sums[part] = sums.get(part, 0) + one.amount
        return {part: amount for part, amount in sums.items() if amount}


async def read(
    connection: Connection,
    account_id: str,
    *,
    stream_id: int,
    events: EventStore,
    state: StateStore,
    lookups: LookupStore,
) -> History:
    """Read everything of an account."""
    loaded = Loaded()
    await state.load_accounts(connection, {account_id: loaded})
    await state.load_waiting(connection, {account_id: loaded})
    purchases = loaded.restored(account_id)
    seqs = {leg.seq for purchase in purchases for leg in purchase.legs}
    seqs |= {waiting.seq for waiting in (*loaded.waiting, *loaded.failed)}
    found = await lookups.events_at(connection, [(stream_id, seq) for seq in sorted(seqs)])
    rows = {seq: row for (_, seq), row in found.items()}
    still_broken = {waiting.seq for waiting in loaded.failed}
    repaired = [
        seq for seq, row in rows.items()
        if row.outcome == Outcome.FAILED and seq not in still_broken
    ]  # fmt: skip
    available: dict[int, int] = {}
    if repaired:
        commands = await lookups.commands_after(connection, (stream_id, min(repaired)))
        for seq in repaired:
            available[seq] = _joined(account_id, seq, commands)
    decoded = {seq: decode(row.body, row.exact_keys) for seq, row in rows.items()}
    return History(
        account_id=account_id,
        stream_id=stream_id,
        rows=rows,
        events=decoded,
        purchases=purchases,
        movements=await lookups.movements(connection, account_id),
        fees=await lookups.fees(connection, account_id),
        available=available,
        links=await _links(connection, events, rows, decoded),
    )


async def _links(
    connection: Connection,
    store: EventStore,
    rows: Mapping[int, EventRow],
    events: Mapping[int, CardTransaction],
) -> dict[int, Link]:
    """The reviews' links of events that once waited."""
    keys = {
        link_identity(events[seq].issuer_id, events[seq].event_id): seq
        for seq, row in rows.items() if row.outcome == Outcome.WAITING or row.exact_keys
    }  # fmt: skip
    found = await store.by_identity(connection, list(keys))
    links: dict[int, Link] = {}
    for key, (_, seq, body, _) in found.items():
        inputs = json.loads(body)
        links[keys[key]] = Link(seq, inputs["linked_to"], inputs["by"], inputs["on"])
    return links


def _joined(account_id: str, seq: int, commands: list[EventRow]) -> int:
    """The first command after an event that decided its account anew."""
    for command in commands:
        if command.seq > seq and account_id in json.loads(command.body)["accounts"]:
            return command.seq
    return seq
