"""A ledger on a real PostgreSQL, filled through the real handler and the real commands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import asyncpg

from services.accrual import bootstrap as accrual
from services.accrual.adapters import command_store, event_store, ledger_store, state_store
from services.accrual.adapters.fact_store import FactStore
from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.parse import parse
from services.accrual.contracts.settlement import settlement_terms
from services.accrual.deciding import Decider
from services.accrual.facts import Facts
from services.accrual.handler import AccrualHandler
from services.accrual.intake import FRAME
from services.accrual.lookup.books import Books
from services.accrual.members.csv import DATES
from services.accrual.ports import Version
from services.accrual.reconsider import Reconsideration
from services.ingest.feeds.encoding import encode
from services.kernel.topics import CARD_TRANSACTIONS, DEAD_LETTERS
from services.kernel.transaction import CardTransaction
from services.runtime.batch import StreamSlice
from services.runtime.database import Database
from services.runtime.producer import OutgoingRecord, partition_for
from services.runtime.settings import Settings, load_settings
from services.runtime.stream_position import claim, create_streams
from tests.support.books_run import Sent, Silent
from tests.support.dates import Row
from tests.support.memory import activation_of, dates_of, member_of

SEALED = b"age-encryption.org/v1\n"
"""What an envelope of age begins with; nothing here is ever opened."""
COMMAND_ON = date(2026, 6, 30)
"""The recorded date of every command."""
FEED = "card-feed.first-bank"


class BrokenFacts(FactStore):
    """Facts that break every decision over a purchase: the product of no card can be asked."""

    async def rosters(self, connection: Any, accounts: Sequence[str], revision: int) -> Any:
        return {account: _Broken() for account in accounts}


class _Broken:
    def enrolled(self, program: str, day: date) -> bool:
        return True

    def product(self, card_token: str, day: date) -> str | None:
        raise RuntimeError("planted")


class Ledger:
    """One database with claimed partitions; each `send` is one batch of the consumer."""

    def __init__(self, url: str, database: Database, partitions: int) -> None:
        self.url = url
        self.settings: Settings = load_settings({"MILEPOST_DATABASE_URL": url})
        self.partitions = partitions
        self.outcomes = Silent()
        self._database = database
        self._ends: dict[tuple[str, int], int] = {}
        self._sent = -1
        self._facts = Facts(
            database, Reconsideration(_decider(FactStore()), ledger_store, command_store)
        )

    async def approve(self, text: str) -> None:
        """Apply a contract file and approve it as a second person."""
        signed = parse(text, file="test.yaml")
        compile_terms(signed.contract)
        contract = signed.contract
        await self._facts.apply_contract(
            Version(
                contract.contract, contract.version, contract.issuer, contract.program,
                contract.partner, signed.text, signed.sha256, settlement_terms(contract), "Ada",
                COMMAND_ON,
            )
        )  # fmt: skip
        await self._facts.approve_contract(
            contract.contract, contract.version, approver="Bo", on=COMMAND_ON, retroactive=True
        )

    async def enrol(self, rows: Iterable[Row]) -> None:
        """Import member rows, and the dates of the accounts whose rows have them."""
        given = list(rows)
        members = [member_of(row) for row in given]
        dates = {row["account_id"]: dates_of(row) for row in given if DATES[0] in row}
        await self._facts.import_members(members, list(dates.values()), on=COMMAND_ON)

    async def activate(self, rows: Iterable[Row]) -> None:
        """Import activations."""
        found = [activation_of(row) for row in rows]
        await self._facts.import_activations(found, on=COMMAND_ON)

    async def send(
        self, *events: CardTransaction, role: str = "books", facts: FactStore | None = None
    ) -> None:
        """One batch: every event in its account's partition, in the order given."""
        parts: dict[int, list[tuple[bytes, dict[str, bytes]]]] = {}
        for event in events:
            partition = partition_for(event.account_id.encode(), self.partitions)
            self._sent += 1
            source = f"{FEED}/0/{self._sent}".encode()
            headers = {"role": role.encode(), "feed": b"first-bank", "source": source}
            if event.exact:
                headers["exact_keys"] = ",".join(event.exact).encode()
            parts.setdefault(partition, []).append((FRAME + encode(event), headers))
        for partition, records in sorted(parts.items()):
            await self._handle(CARD_TRANSACTIONS, partition, records, facts)

    async def take(self, records: Iterable[OutgoingRecord]) -> None:
        """One batch of what ingest sends."""
        parts: dict[int, list[tuple[bytes, dict[str, bytes]]]] = {}
        for record in records:
            assert record.key is not None and record.value is not None
            partition = partition_for(record.key, self.partitions)
            parts.setdefault(partition, []).append((record.value, dict(record.headers)))
        for partition, found in sorted(parts.items()):
            await self._handle(CARD_TRANSACTIONS, partition, found, None)

    async def send_garbage(self, value: bytes) -> None:
        """A record of `card-transactions` that is no event."""
        await self._handle(CARD_TRANSACTIONS, 0, [(value, {"role": b"books"})], None)

    async def reject(self, reason: str, *, offset: int, sealed: bytes = SEALED + b"x") -> None:
        """A record that ingest rejected: sealed, it comes on `dead-letters`."""
        headers = {
            "topic": FEED.encode(), "partition": b"0", "offset": str(offset).encode(),
            "feed": b"first-bank", "reason": reason.encode(),
        }  # fmt: skip
        await self._handle(DEAD_LETTERS, 0, [(sealed, headers)], None)

    async def reconsider(self, account: str) -> None:
        """Decide an account anew."""
        await self._facts.reconsider_account(account, on=COMMAND_ON)

    @asynccontextmanager
    async def books(self) -> AsyncIterator[Books]:
        """The look-ups, as the commands have them."""
        async with accrual.books(self.settings) as books:
            yield books

    async def _handle(
        self,
        topic: str,
        partition: int,
        records: Sequence[tuple[bytes, dict[str, bytes]]],
        facts: FactStore | None,
    ) -> None:
        first = self._ends.get((topic, partition), 0)
        sent = [
            Sent(offset, value, tuple(headers.items()))
            for offset, (value, headers) in enumerate(records, first)
        ]
        self._ends[topic, partition] = first + len(sent)
        async with self._database.transaction() as connection:
            held = await claim(connection, topic, partition, owner="test")
        handler = AccrualHandler(
            database=self._database, decider=_decider(facts or FactStore()), ledger=ledger_store,
            seal=lambda plain: SEALED + b"%d" % len(plain), observer=self.outcomes,
        )  # fmt: skip
        await handler.handle([StreamSlice(held, sent, first + len(sent))])


async def sabotage(url: str, *statements: str) -> None:
    """Change rows as nobody may: as the server's superuser."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def opened(url: str, *, partitions: int = 2) -> AsyncIterator[Ledger]:
    """A ledger in a migrated database."""
    async with await Database.connect(url, strict=False) as database:
        names = [f"{CARD_TRANSACTIONS}/{n}" for n in range(partitions)] + [f"{DEAD_LETTERS}/0"]
        async with database.transaction() as connection:
            await create_streams(connection, dict.fromkeys(names, 0))
        yield Ledger(url, database, partitions)


def _decider(facts: FactStore) -> Decider:
    return Decider(events=event_store, state=state_store, facts=facts)
