"""`explain`: an event, what was decided over it, and what became of it; derived anew and compared
with the ledger. It must be equal, or the books are wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import astuple

from services.accrual.contracts.book import Book
from services.accrual.engine.decide import Account, Decision
from services.accrual.engine.eligibility import Enrolments
from services.accrual.engine.explain import Told, explain
from services.accrual.engine.folding import fold, parts
from services.accrual.engine.reasons import Outcome
from services.accrual.intake import decode
from services.accrual.lifecycle.purchase import Purchase
from services.accrual.lookup import history as histories
from services.accrual.lookup.belonging import link_step
from services.accrual.lookup.changes import effect_steps, later, settled_steps
from services.accrual.lookup.history import History
from services.accrual.lookup.records import EventRow, LetterRow, LookupStore, Movement
from services.accrual.lookup.telling import document, event_step, rejected
from services.accrual.ports import EventStore, FactStore, StateStore
from services.kernel.errors import InvalidInput, InvariantViolated, Problem
from services.kernel.identifiers import identity
from services.kernel.topics import CARD_TRANSACTIONS, stream_name
from services.kernel.transaction import CardTransaction, Role
from services.runtime.database import Connection

Document = dict[str, Any]
_UNSEEN = "is not recorded: see `milepost dead-letters list`, and whether accrual keeps up"


@dataclass(frozen=True, slots=True)
class Explainer:
    """Explains recorded events. Everything is read through one connection: give it a snapshot."""

    events: EventStore
    state: StateStore
    facts: FactStore
    lookups: LookupStore

    async def by_id(self, connection: Connection, issuer_id: str, event_id: str) -> Document:
        """The first recorded event of an id. Raises InvalidInput when there is none."""
        for role in (Role.BOOKS, Role.COMPARE):
            key = identity(role, issuer_id, event_id)
            found = (await self.events.by_identity(connection, [key])).get(key)
            if found is not None:
                place = found[:2]
                row = (await self.lookups.events_at(connection, [place]))[place]
                return await self._event(connection, row)
        raise InvalidInput([Problem(_UNSEEN, field="event", value=f"{issuer_id}/{event_id}")])

    async def by_place(
        self, connection: Connection, topic: str, partition: int, offset: int
    ) -> list[Document]:
        """What became of a record: several events where a feed's record tells of several.

        Raises InvalidInput when nothing is known of it.
        """
        letters = await self.lookups.letters_at(connection, topic, partition, offset)
        if letters:
            return [rejected(letter) for letter in _unique(letters)]
        place = f"{topic}/{partition}/{offset}"
        if topic == CARD_TRANSACTIONS:
            row = await self.lookups.event_at_offset(
                connection, stream_name(topic, partition), offset
            )
            rows = [] if row is None else [row]
        else:
            rows = await self.lookups.events_of_source(connection, place)
        if not rows:
            raise InvalidInput([Problem(_UNSEEN, field="--at", value=place)])
        return [await self._event(connection, row) for row in rows]

    async def _event(self, connection: Connection, row: EventRow) -> Document:
        event = decode(row.body, row.exact_keys)
        if row.role == Role.COMPARE:
            text = "it came from a feed for comparison: it enters no purchase"
            return document(row, event, steps=[event_step(row, event), _said(text)])
        if row.outcome in (Outcome.DUPLICATE, Outcome.CONFLICT):
            return await self._repeat(connection, row, event)
        history = await histories.read(
            connection, event.account_id, stream_id=row.stream_id, events=self.events,
            state=self.state, lookups=self.lookups,
        )  # fmt: skip
        told, effects = await self._then(connection, history, row, event)
        purchase = history.purchase_of(row.seq)
        book = Book(())
        if purchase is not None:
            book = await self._compare_now(connection, history, purchase)
        others = [m.place for m in history.movements if m.seq not in history.rows]
        causes = await self.lookups.events_at(connection, sorted(set(others)))
        causes.update((found.place, found) for found in history.rows.values())
        link = (
            []
            if _still_broken(history, row)
            else link_step(event, purchase, history.links.get(row.seq))
        )
        steps = [event_step(row, event), *link, *told.steps, *effects]
        if purchase is not None:
            steps += settled_steps(history, purchase, causes)
        return document(
            row,
            event,
            purchase=purchase,
            told=told,
            steps=steps,
            history=history,
            later=[] if purchase is None else later(history, purchase, row, causes, book),
        )

    async def _repeat(
        self, connection: Connection, row: EventRow, event: CardTransaction
    ) -> Document:
        """An id that was recorded before: what holds is the first one."""
        key = identity(row.role, event.issuer_id, event.event_id)
        stream_id, seq, *_ = (await self.events.by_identity(connection, [key]))[key]
        first = (await self.lookups.events_at(connection, [(stream_id, seq)]))[stream_id, seq]
        same = "the same event" if row.outcome == Outcome.DUPLICATE else "the id with other content"
        place = f"{first.stream} seq {first.seq}"
        text = f"{same} was recorded before, as {place}: this one does nothing"
        history = await histories.read(
            connection, decode(first.body).account_id, stream_id=stream_id, events=self.events,
            state=self.state, lookups=self.lookups,
        )  # fmt: skip
        purchase = history.purchase_of(seq)
        steps = [event_step(row, event), _said(text)]
        return document(row, event, purchase=purchase, steps=steps, history=history)

    async def _then(
        self, connection: Connection, history: History, row: EventRow, event: CardTransaction
    ) -> tuple[Told, list[Document]]:
        """Decide the event as it was decided, tell it, and compare it with what was posted."""
        if row.outcome == Outcome.FAILED:
            return Told(None, [], []), [_said(_broken(history, row))]
        book, enrolments = await self._facts(connection, history, row.revision)
        account = _folded(history, row.seq, book, enrolments)
        decision = account.record(event, row.seq)
        _compare_then(history, row, account, decision)
        own = next(
            (p for p in account.purchases.values() if any(g.seq == row.seq for g in p.legs)), None
        )
        told = Told(None, [], []) if own is None or own.held else explain(account, own)
        return told, effect_steps(history, row, own, decision, book)

    async def _compare_now(
        self, connection: Connection, history: History, purchase: Purchase
    ) -> Book:
        """What all recorded events make of a purchase today is what the ledger holds; the
        contracts of today."""
        revision = await self.facts.revision(connection)
        book, enrolments = await self._facts(connection, history, revision)
        account = _folded(history, None, book, enrolments)
        derived = account.purchases.get((purchase.issuer_id, purchase.key))
        expected = {} if derived is None else parts(derived.grants, book)
        if derived is None or expected != history.held(purchase):
            raise InvariantViolated(
                f"purchase {purchase.label} of {purchase.account_id}: its events make "
                f"{_shown(expected)}, the ledger holds {_shown(history.held(purchase))}"
            )
        return book

    async def _facts(
        self, connection: Connection, history: History, revision: int
    ) -> tuple[Book, Enrolments]:
        book = await self.facts.book(connection, revision)
        rosters = await self.facts.rosters(connection, [history.account_id], revision)
        return book, rosters[history.account_id]


def _folded(history: History, seq: int | None, book: Book, enrolments: Enrolments) -> Account:
    """The account as it stood before the event of a seq; None: as it stands."""
    return fold(
        history.before(seq), stream_id=history.stream_id, account_id=history.account_id,
        book=book, enrolments=enrolments, broken=history.broken_before(seq),
    )  # fmt: skip


def _compare_then(history: History, row: EventRow, account: Account, decision: Decision) -> None:
    """The decision derived anew is the recorded one: outcome, reason, and every transfer."""
    where = f"{row.stream} {row.seq}"
    if (decision.outcome, decision.reason) != (row.outcome, row.reason):
        raise InvariantViolated(
            f"{where} is recorded {row.outcome}/{row.reason}, "
            f"its events make {decision.outcome}/{decision.reason}"
        )
    keys = {found.number: (found.issuer_id, found.key) for found in account.purchases.values()}
    derived = Counter(
        (keys[change.of_purchase], *astuple(change)[3:]) for change in decision.changes
    )
    posted = Counter(
        _as_change(history, movement)
        for movement in (*history.movements, *history.fees)
        if (movement.stream_id, movement.seq) == row.place
    )
    if derived != posted:
        raise InvariantViolated(
            f"{where} posted {sorted(posted.elements())}, "
            f"its events make {sorted(derived.elements())}"
        )


def _as_change(history: History, movement: Movement) -> tuple[object, ...]:
    """A transfer as the engine's change of the purchase with this key."""
    of = history.numbered((movement.of_stream_id, movement.of_purchase))
    return (
        ("", "") if of is None else (of.issuer_id, of.key), movement.contract, movement.version,
        movement.rule, movement.funder, movement.unit, movement.amount, movement.governing_on,
        movement.effective_on, movement.available_on, movement.party,
    )  # fmt: skip


def _broken(history: History, row: EventRow) -> str:
    if not _still_broken(history, row):
        return "its decision broke when it was recorded; a later command decided it anew"
    again = f"`milepost reconsider account {history.account_id}`"
    return f"its decision broke when it was recorded; {again} decides it anew"


def _still_broken(history: History, row: EventRow) -> bool:
    return row.outcome == Outcome.FAILED and row.seq not in history.available


def _said(text: str) -> Document:
    return {"step": "outcome", "text": text}


def _shown(held: dict[Any, int]) -> str:
    return ", ".join(f"{p.rule} {p.funder} {amount} {p.unit}" for p, amount in held.items()) or "0"


def _unique(letters: Iterable[LetterRow]) -> list[LetterRow]:
    return list({(letter.stream, letter.offset_at): letter for letter in letters}.values())
