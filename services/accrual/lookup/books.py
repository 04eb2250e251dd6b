"""What can be looked up of the ledger, all of it as it was at one instant."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from datetime import date
from typing import Any

from services.accrual.audit.rows import InvariantStore
from services.accrual.export import Exporter, ExportStore, Rows
from services.accrual.invariants import Invariants
from services.accrual.lookup.explanation import Explainer
from services.accrual.lookup.records import BalanceRow, LookupStore, SumRow
from services.accrual.lookup.review import Item, Review
from services.accrual.lookup.statement import Period, Statement, statements
from services.accrual.ports import EventStore, FactStore, StateStore
from services.kernel.errors import InvalidInput, Problem
from services.kernel.finding import Finding
from services.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class Books:
    """Every look-up, through one connection whose snapshot does not move."""

    connection: Connection
    _: KW_ONLY
    events: EventStore
    state: StateStore
    facts: FactStore
    lookups: LookupStore
    exports: ExportStore
    audits: InvariantStore

    async def balance(self, account_id: str, as_of: date) -> list[BalanceRow]:
        """What an account has at a date, by unit."""
        return await self.lookups.balances(self.connection, account_id, as_of)

    async def known(self, account_id: str) -> bool:
        """Whether anything at all is recorded of an account."""
        return await self.lookups.known(self.connection, account_id)

    async def statement(self, account_id: str, period: Period) -> list[Statement]:
        """A statement for every unit of an account."""
        return await statements(
            self.connection,
            account_id,
            period,
            events=self.events,
            state=self.state,
            lookups=self.lookups,
        )

    async def explain(self, name: str) -> list[dict[str, Any]]:
        """Explain `issuer/event_id`."""
        issuer_id, slash, event_id = name.partition("/")
        if not (issuer_id and slash and event_id):
            why = "is not ISSUER/EVENT_ID, such as first-bank/P1"
            raise InvalidInput([Problem(why, field="event", value=name)])
        return [await self._explainer().by_id(self.connection, issuer_id, event_id)]

    async def explain_at(self, place: str) -> list[dict[str, Any]]:
        """Explain the record at `topic/partition/offset`: each event that it told of."""
        parts = place.rsplit("/", 2)
        if len(parts) != 3 or not (_number(parts[1], 9) and _number(parts[2], 18)):
            why = "is not TOPIC/PARTITION/OFFSET, such as card-transactions/0/42"
            raise InvalidInput([Problem(why, field="--at", value=place)])
        topic, partition, offset = parts
        where = (topic, int(partition), int(offset))
        return await self._explainer().by_place(self.connection, *where)

    async def trial_balance(self, through: date, *, members: bool) -> list[SumRow]:
        """Debits and credits of every account through a date."""
        return await self.lookups.trial_balance(self.connection, through, members=members)

    async def to_review(self) -> list[Item]:
        """What a person must look at."""
        return await Review(self.events, self.lookups).items(self.connection)

    def rows(self, export: str, as_of: date) -> Rows:
        """The rows of an export, in pieces."""
        return Exporter(self.exports).rows(self.connection, export, as_of)

    async def findings(self) -> list[Finding]:
        """Every invariant of accrual and of the ledger."""
        audit = Invariants(self.audits, self.events, self.facts)
        return await audit.findings(self.connection)

    def _explainer(self) -> Explainer:
        return Explainer(self.events, self.state, self.facts, self.lookups)


def _number(text: str, digits_max: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= digits_max
