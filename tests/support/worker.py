"""A worker of accrual without a broker: the real handler over records kept in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.accrual.adapters import event_store, ledger_store, state_store
from services.accrual.adapters.fact_store import FactStore
from services.accrual.deciding import Decider
from services.accrual.handler import AccrualHandler
from services.accrual.intake import FRAME
from services.accrual.ports import LedgerStore
from services.ingest.feeds.encoding import encode
from services.kernel.topics import CARD_TRANSACTIONS
from services.kernel.transaction import CardTransaction
from services.runtime.batch import StreamSlice
from services.runtime.database import Database
from services.runtime.producer import partition_for
from services.runtime.stream_position import Claim, claim
from tests.support.books_run import Sent, Silent

TABLES = (
    "stream_position", "card_event", "event_identity", "dead_letter", "purchase", "waiting_event",
    "scope_total", "transfer", "balance",
)  # fmt: skip


class Log:
    """The topic `card-transactions`: records by partition, never changed."""

    def __init__(self, partitions: int = 2) -> None:
        self.partitions: dict[int, list[Sent]] = {part: [] for part in range(partitions)}

    def append(self, *events: CardTransaction, role: str = "books") -> None:
        """Each to the partition of its account."""
        for event in events:
            records = self.partitions[self.partition_of(event.account_id)]
            value = FRAME + encode(event)
            records.append(Sent(len(records), value, (("role", role.encode()),)))

    def partition_of(self, account: str) -> int:
        """Where an account's records are."""
        return partition_for(account.encode(), len(self.partitions))

    def account_in(self, partition: int) -> str:
        """An account whose records are in a partition."""
        names = (f"account-{number}" for number in range(1_000))
        return next(name for name in names if self.partition_of(name) == partition)


class Worker:
    """One process of the group, as far as the database can tell."""

    def __init__(
        self, database: Database, log: Log, *, name: str = "worker", ledger: Any = ledger_store
    ) -> None:
        self.log = log
        self.claims: dict[int, Claim] = {}
        self._name = name
        self._database = database
        store: LedgerStore = ledger
        self._handler = AccrualHandler(
            database=database,
            decider=Decider(events=event_store, state=state_store, facts=FactStore()),
            ledger=store, seal=lambda plain: b"sealed:%d" % len(plain), observer=Silent(),
        )  # fmt: skip

    async def claim(self, partitions: Iterable[int] | None = None) -> None:
        """Take partitions, or all, as on assignment: the database says where to go on."""
        for part in sorted(self.log.partitions if partitions is None else partitions):
            async with self._database.transaction() as connection:
                held = await claim(connection, CARD_TRANSACTIONS, part, owner=self._name)
            self.claims[part] = held

    async def step(self, count: int = 1_000) -> int:
        """One batch: at most `count` records of each claimed partition; gives how many."""
        slices = []
        for part, held in self.claims.items():
            records = self.log.partitions[part][held.next_offset :][:count]
            if records:
                slices.append(StreamSlice(held, records, records[-1].offset + 1))
        if slices:
            await self._handler.handle(slices)
        for done in slices:
            self.claims[done.claim.partition] = done.claim.at(done.next_offset)
        return sum(len(done.records) for done in slices)


async def rows(database: Database, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of tables, or of everything that accrual writes."""
    async with database.connection() as connection:
        return {
            table: sorted(map(tuple, await connection.fetch(f"SELECT * FROM {table}")), key=repr)
            for table in tables or TABLES
        }
