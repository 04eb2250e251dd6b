"""Drives the real handler on a real PostgreSQL with records of the test's own making."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from services.accrual.adapters import command_store, event_store, ledger_store, state_store
from services.accrual.adapters.fact_store import FactStore
from services.accrual.deciding import Decider
from services.accrual.facts import Facts
from services.accrual.handler import AccrualHandler
from services.accrual.intake import FRAME, Recorded
from services.accrual.reconsider import Reconsideration
from services.ingest.feeds.encoding import encode
from services.kernel.topics import CARD_TRANSACTIONS
from services.kernel.transaction import CardTransaction
from services.runtime.batch import StreamSlice
from services.runtime.database import Database
from services.runtime.producer import partition_for
from services.runtime.stream_position import claim, create_streams


@dataclass(frozen=True, slots=True)
class Sent:
    """A record as the consumer would hand it over."""

    offset: int
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp: int = 1_772_409_600_000
    key: bytes | None = None


class Silent:
    """Nobody is told what a batch came to, but broken decisions are kept."""

    def __init__(self) -> None:
        self.outcomes: dict[str, int] = {}
        self.errors: list[Exception] = []

    def recorded(self, outcome: str, reason: str | None, count: int) -> None:
        name = outcome if reason is None else f"{outcome}/{reason}"
        self.outcomes[name] = self.outcomes.get(name, 0) + count

    def failed(self, recorded: Recorded, error: Exception) -> None:
        self.errors.append(error)


class BooksRun:
    """A handler with claimed partitions; each `send` is one batch."""

    def __init__(self, database: Database, partitions: int) -> None:
        self.database = database
        self.partitions = partitions
        self.observer = Silent()
        self.decider = Decider(events=event_store, state=state_store, facts=FactStore())
        self.handler = AccrualHandler(
            database=database,
            decider=self.decider,
            ledger=ledger_store,
            seal=lambda plain: b"sealed:%d" % len(plain),
            observer=self.observer,
        )
        self._ends = [0] * partitions

    async def open(self) -> BooksRun:
        names = {f"{CARD_TRANSACTIONS}/{n}": 0 for n in range(self.partitions)}
        async with self.database.transaction() as connection:
            await create_streams(connection, names)
        return self

    @property
    def facts(self) -> Facts:
        decider = Decider(events=event_store, state=state_store, facts=FactStore())
        return Facts(self.database, Reconsideration(decider, ledger_store, command_store))

    async def send(self, events: Iterable[CardTransaction], *, role: str = "books") -> None:
        """Hand one batch over: every event in its account's partition, in the order given."""
        parts: dict[int, list[Sent]] = {}
        for event in events:
            partition = partition_for(event.account_id.encode(), self.partitions)
            offset = self._ends[partition]
            self._ends[partition] += 1
            headers = ((b"role".decode(), role.encode()), ("source", b"card-feed.x/0/%d" % offset))
            parts.setdefault(partition, []).append(Sent(offset, FRAME + encode(event), headers))
        slices = []
        for partition, records in sorted(parts.items()):
            async with self.database.transaction() as connection:
                held = await claim(connection, CARD_TRANSACTIONS, partition, owner="test")
            slices.append(StreamSlice(held, records, records[-1].offset + 1))
        await self.handler.handle(slices)


COMMAND_ON = date(2026, 6, 30)
EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "contracts" / "examples"
