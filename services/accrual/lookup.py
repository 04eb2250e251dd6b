"""What can be looked up of the ledger, all of it as it was at one instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from services.accrual.explanation import Explainer
from services.accrual.export import Exporter
from services.accrual.invariants import Invariants
from services.accrual.ports import StateStore
from services.accrual.records import BalanceRow, LookupStore, SumRow
from services.accrual.review import Item, Review
from services.accrual.statement import Period, Statement, statements
from services.kernel.errors import InvalidInput, Problem
from services.kernel.finding import Finding
from services.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class Books:
    """Every look-up, through one connection whose snapshot does not move."""

    connection: Connection
    lookups: LookupStore
    state: StateStore
    explainer: Explainer
    exporter: Exporter
    review: Review
    audit: Invariants

    async def balance(self, account_id: str, as_of: date) -> list[BalanceRow]:
        """What an account has at a date, by unit."""
        return await self.lookups.balances(self.connection, account_id, as_of)

    async def known(self, account_id: str) -> bool:
        """Whether anything at all is recorded of an account."""
        return await self.lookups.known(self.connection, account_id)

    async def statement(self, account_id: str, period: Period) -> list[Statement]:
        """A statement for every unit of an account."""
        return await statements(
            self.connection, account_id, period, state=self.state, lookups=self.lookups
        )

    async def explain(self, name: str) -> list[dict[str, Any]]:
        """Explain `issuer/event_id`."""
        issuer_id, slash, event_id = name.partition("/")
        if not (issuer_id and slash and event_id):
            why = "is not ISSUER/EVENT_ID, such as first-bank/P1"
            raise InvalidInput([Problem(why, field="event", value=name)])
        return [await self.explainer.by_id(self.connection, issuer_id, event_id)]

    async def explain_at(self, place: str) -> list[dict[str, Any]]:
        """Explain the record at `topic/partition/offset`: each event that it told of."""
        parts = place.rsplit("/", 2)
        if len(parts) != 3 or not all(_number(part) for part in parts[1:]):
            why = "is not TOPIC/PARTITION/OFFSET, such as card-transactions/0/42"
            raise InvalidInput([Problem(why, field="--at", value=place)])
        topic, partition, offset = parts
        return await self.explainer.by_place(self.connection, topic, int(partition), int(offset))

    async def trial_balance(self, through: date, *, members: bool) -> list[SumRow]:
        """Debits and credits of every account through a date."""
        return await self.lookups.trial_balance(self.connection, through, members=members)

    async def to_review(self) -> list[Item]:
        """What a person must look at."""
        return await self.review.items(self.connection)

    async def findings(self) -> list[Finding]:
        """Every invariant of accrual and of the ledger."""
        return await self.audit.findings(self.connection)


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
