"""What closings, the audit chain and the invariants need of the outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import NamedTuple, Protocol

from services.settlement.batches.batch import Head
from services.settlement.batches.chain import AuditRow, Link


class Closing(NamedTuple):
    """A closed month; postings of later count from `opens_on`."""

    period: str
    opens_on: date
    who: str
    recorded_on: date


class Balance(NamedTuple):
    """One account of a trial balance, in minor units; members stand together as `member/*`."""

    unit: str
    account: str
    debit: int
    credit: int


class PeriodStore(Protocol):
    """Closed periods, inside one database transaction."""

    async def closings(self) -> list[Closing]:
        """All of them, in order."""

    async def close(self, period: str, *, by: str, on: date) -> None:
        """Record a closing: how far every stream is, and what that comes to."""

    async def balances(self, period: str) -> list[Balance]:
        """The trial balance as it was closed."""


class KeptHead(NamedTuple):
    """A head of the audit chain that was kept with a batch, and where."""

    batch: str
    place: str
    head: Head


class ChainStore(Protocol):
    """The audit rows and the chain over them."""

    async def lock(self) -> bool:
        """Become the one sealer to the end of the transaction; False if another one is."""

    async def head(self) -> Head:
        """The last link, or what the first one follows."""

    async def unsealed(self, *, older_seconds: int, rows_max: int) -> list[AuditRow]:
        """Rows without a link that are old enough, in order."""

    async def add(self, links: Sequence[Link]) -> None:
        """Append links."""

    def links(self) -> AsyncIterator[Link]:
        """The whole chain in order, each link with its row."""

    async def heads(self) -> list[KeptHead]:
        """The heads that were kept with batches and deliveries."""


class AuditStore(Protocol):
    """The stored rows, asked whether they hold together."""

    async def ask(self, question: str, *, faults_max: int) -> tuple[int, Sequence[str]]:
        """How many rows were checked, and the first faults in words."""
