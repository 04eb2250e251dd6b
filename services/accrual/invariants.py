"""What must hold of the record and the ledger, whatever happened. `milepost verify` asks.

Most of it is one statement each. What is stored as bytes is read once, account by account, beside
the ledger: see `audit`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.accrual.audit.accounts import AccountAudit
from services.accrual.audit.record import RecordAudit
from services.accrual.audit.rows import (
    AccountKey,
    AuditedGrant,
    AuditedPurchase,
    AuditedTotal,
    AuditedWait,
    InvariantStore,
)
from services.accrual.audit.tally import FAULTS_MAX, Marks, Tally
from services.accrual.ledger import chart
from services.accrual.ports import EventStore, FactStore
from services.kernel.finding import Finding
from services.runtime.database import Connection

QUESTIONS = {
    "record-sequence": "sequence",
    "record-offsets": "offsets",
    "record-revisions": "revisions",
    "record-waiting": "waiting",
    "record-sealed": "sealed",
    "ledger-shapes": "shapes",
    "ledger-balances": "balances",
    "ledger-zero": "zero",
    "ledger-entries": "entries",
    "ledger-causes": "causes",
    "contract-approvals": "approvals",
    "publisher-cursor": "publisher",
}
"""Invariant → the query that shows it. Some are asked in other ways on top."""


@dataclass(frozen=True, slots=True)
class Invariants:
    """Checks everything through one connection: give it a snapshot."""

    store: InvariantStore
    events: EventStore
    facts: FactStore

    async def findings(self, connection: Connection) -> list[Finding]:
        """Every invariant, each with what was found."""
        tally = Tally()
        for identifier, question in QUESTIONS.items():
            checked, faults = await self.store.ask(connection, question, FAULTS_MAX)
            tally.add(identifier, checked, faults)
        async for accounts in self.store.accounts(connection):
            wrong = [name for name in accounts if not chart.declared(name)]
            tally.add("ledger-chart", len(accounts), [f"{name} is no account" for name in wrong])
        marks = Marks(await self.store.ends(connection))
        await self._by_account(connection, tally, marks)
        await self._by_event(connection, tally, marks)
        return tally.findings()

    async def _by_account(self, connection: Connection, tally: Tally, marks: Marks) -> None:
        """Purchases, what the ledger holds of them, totals and waiting events, side by side."""
        revision = await self.facts.revision(connection)
        book = await self.facts.book(connection, revision)
        audit = AccountAudit(book, tally, marks)
        purchases = Sorted(self.store.purchases(connection))
        grants = Sorted(self.store.grants(connection))
        totals = Sorted(self.store.totals(connection))
        waits = Sorted(self.store.waits(connection))
        while True:
            heads = [await part.head() for part in (purchases, grants, totals, waits)]
            key = min((head for head in heads if head is not None), default=None)
            if key is None:
                return
            audit.account(
                key[1], await purchases.take(key), await grants.take(key), await totals.take(key),
                await waits.take(key),
            )  # fmt: skip

    async def _by_event(self, connection: Connection, tally: Tally, marks: Marks) -> None:
        """Identities, outcomes and places of every event; repeats beside what they repeat."""
        audit = RecordAudit(tally, marks)
        async for events in self.store.events(connection):
            repeats = [found for event in events if (found := audit.event(event)) is not None]
            if repeats:
                held = await self.events.by_identity(connection, [key for key, _ in repeats])
                for key, event in repeats:
                    audit.repeat(event, held.get(key))
        audit.end()
        if audit.owned != await self.store.identities(connection):
            _, faults = await self.store.ask(connection, "owners", FAULTS_MAX)
            tally.add("record-identities", 0, faults)


Row = TypeVar("Row", AuditedPurchase, AuditedGrant, AuditedTotal, AuditedWait)


class Sorted(Generic[Row]):
    """Pieces of rows in the order of (stream, account), handed out account by account."""

    def __init__(self, pieces: AsyncIterator[list[Row]]) -> None:
        self._pieces: AsyncIterator[list[Row]] = pieces
        self._piece: list[Row] = []
        self._at = 0

    async def head(self) -> AccountKey | None:
        """The account that comes next; None at the end."""
        while self._at >= len(self._piece):
            try:
                self._piece = await anext(self._pieces)
                self._at = 0
            except StopAsyncIteration:
                return None
        row = self._piece[self._at]
        return row.stream_id, row.account_id

    async def take(self, key: AccountKey) -> list[Row]:
        """The rows of this account, if it is the next one."""
        taken: list[Row] = []
        while await self.head() == key:
            end = self._at
            while end < len(self._piece) and self._piece[end][:2] == key:
                end += 1
            taken += self._piece[self._at : end]
            self._at = end
        return taken
