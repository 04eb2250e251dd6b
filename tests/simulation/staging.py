"""One partition of hostile records, and databases with contracts and members to take them in."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from services.accrual import bootstrap
from services.accrual.intake import FRAME
from services.ingest.feeds.encoding import encode
from services.kernel.topics import ACCRUALS, CARD_TRANSACTIONS
from services.local.stack import Stack
from services.runtime.database import Database
from services.runtime.sealing import create_keys
from services.runtime.settings import Settings, load_settings
from services.runtime.stream_position import create_streams
from services.runtime.topics import TopicAdmin, TopicSpecification
from tests.simulation import log
from tests.simulation.crowd import Crowd, as_csv, crowd
from tests.simulation.nursery import Halt, Process, accrual, command
from tests.simulation.world import World
from tests.support import servers

ON = date(2026, 6, 30)
SECONDS = 30
BAD = (b"", b"\x00\x00\x00\x00\x01 no event", b"\x00\x00\x00\x00\x09")
TABLES = {
    "stream_position": "stream_id, next_offset, next_seq",
    "card_event": "*",
    "event_identity": "*",
    "dead_letter": "stream_id, offset_at, source_topic, source_partition, source_offset, reason",
    "purchase": "*",
    "scope_total WHERE total <> 0": "*",
    "waiting_event": "*",
    "transfer": "*",
    "balance WHERE amount <> 0": "*",
}
"""Everything that accrual writes. No two seals are alike, so what is sealed is left out; a row of
zero says what no row says."""
KEPT = (*(name.split()[0] for name in TABLES), "publisher_cursor")
RECORDED = "SELECT next_offset >= $1 AS done FROM stream_position"
PUBLISHED = (
    "SELECT coalesce(max(c.seq), -1) = max(p.next_seq) - 1 AS done"
    "  FROM stream_position p LEFT JOIN publisher_cursor c USING (stream_id) WHERE $1 > 0"
)
Books = dict[str, list[tuple[Any, ...]]]


class Stage:
    """The topic, the members and contracts of a crowd, and databases that are copies of one."""

    def __init__(self, stack: Stack, folder: Path, *, seed: int, groups: int) -> None:
        servers.delete_topics(stack.kafka_bootstrap)
        create_topics(stack.kafka_bootstrap, {CARD_TRANSACTIONS: 1, ACCRUALS: 1})
        create_keys(folder)
        self.kafka = stack.kafka_bootstrap
        self.people = crowd(seed, groups=groups)
        self._server = stack.database_url
        self._folder = folder
        self._numbers = count()
        self._template = _opened(stack.database_url, self.people)
        records = [
            log.Line(
                CARD_TRANSACTIONS, arrival.event.account_id, FRAME + encode(arrival.event),
                [("role", arrival.role.encode())],
            )
            for arrival in self.people.arrivals
        ]  # fmt: skip
        middle = len(records) // 2
        records[middle:middle] = [log.Line(CARD_TRANSACTIONS, "junk", value) for value in BAD]
        log.send(self.kafka, records)
        self.size = len(records)
        self.environment = World(
            stack, folder, MILEPOST_BATCH_RECORDS_MAX=str(self.size * 3 // 5),
            MILEPOST_LOG_LEVEL="warning",
        ).environment  # fmt: skip

    def copy(self) -> str:
        """A database as it was opened."""
        return servers.create_database(self._server, template=servers.name_of(self._template))

    def accrual(self, url: str, halt: Halt | None = None) -> Process:
        """Accrual of the partition, just begun."""
        return Process(
            accrual, [(CARD_TRANSACTIONS, 0)], environment=self._at(url), log=self._log(), halt=halt
        )

    def publisher(self, url: str, halt: Halt | None = None) -> Process:
        """A publisher, just begun."""
        return Process(
            command, "run", "publisher", environment=self._at(url), log=self._log(), halt=halt
        )

    def finish(self, process: Process, url: str, sql: str = RECORDED) -> Process:
        """Let it come to its end and kill it."""
        try:
            log.wait(url, sql, self.size, seconds=SECONDS)
        except TimeoutError:
            raise AssertionError(process.log.read_text()) from None
        process.kill()
        return process

    def books(self, url: str) -> Books:
        """All rows, in no order of their own."""
        return {
            table: sorted(map(tuple, log.rows(url, f"SELECT {columns} FROM {table}")), key=repr)
            for table, columns in TABLES.items()
        }

    def keep(self, url: str) -> None:
        """Keep every row as it is now, to rewind to it."""
        parts = [f"CREATE TABLE kept.{table} AS TABLE public.{table};" for table in KEPT]
        log.execute(url, "CREATE SCHEMA kept;" + "".join(parts))

    def rewind(self, url: str) -> None:
        """Everything is again as it was kept: quicker than another database."""
        parts = [f"DELETE FROM {t}; INSERT INTO {t} SELECT * FROM kept.{t};" for t in KEPT]
        log.execute(url, "BEGIN;" + "".join(parts) + "COMMIT")

    def drop(self, url: str) -> None:
        """Remove a database."""
        servers.drop_database(url, self._server)

    def _at(self, url: str) -> dict[str, str]:
        return {**self.environment, "MILEPOST_DATABASE_URL": url}

    def _log(self) -> Path:
        return self._folder / f"process-{next(self._numbers)}.log"


def create_topics(kafka: str, partitions: Mapping[str, int]) -> None:
    """Create topics and wait until they can be used."""

    async def create() -> None:
        settings = load_settings({"MILEPOST_KAFKA_BOOTSTRAP_SERVERS": kafka})
        async with await TopicAdmin.connect(settings) as admin:
            await admin.create([TopicSpecification(n, size) for n, size in partitions.items()])

    asyncio.run(create())


def _opened(server: str, people: Crowd) -> str:
    """A database with contracts and members, and the stream at its start."""
    url = servers.create_database(server)
    servers.migrate(url)
    settings = load_settings({"MILEPOST_DATABASE_URL": url})
    asyncio.run(_fill(settings, people))
    return url


async def _fill(settings: Settings, people: Crowd) -> None:
    async with (
        await Database.connect(settings.require_database()) as database,
        database.transaction() as connection,
    ):
        await create_streams(connection, {f"{CARD_TRANSACTIONS}/0": 0})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "given"
        for text in people.contracts:
            file.write_text(text)
            name = await bootstrap.apply_contract(settings, file, author="ann", on=ON)
            await bootstrap.approve_contract(
                settings, name, approver="bob", on=ON, retroactive=True
            )
        for rows in people.imports:
            file.write_text(as_csv(rows))
            await bootstrap.import_members(settings, file, ON)
