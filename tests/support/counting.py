"""A handler that only counts: it writes one row for each record, in the commit of the position.

Run as a module it consumes the partitions that it is told until all records are counted:

    python -m tests.support.counting TOPIC OWNER RECORDS PARTITION…
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence

from services.runtime.batch import StreamSlice
from services.runtime.consumer import StreamConsumer
from services.runtime.database import Database, copy_rows
from services.runtime.health import Health
from services.runtime.metrics import Metrics
from services.runtime.settings import Settings, load_settings
from services.runtime.stream_position import advance

CREATE = """
CREATE TABLE counted (
  stream_id smallint, seq bigint, offset_at bigint, value bytea, PRIMARY KEY (stream_id, seq)
);
GRANT SELECT, INSERT ON counted TO milepost_app;
"""


class Counting:
    """Counts each record; `before` and `after` are hooks around its transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.batches: list[int] = []
        self.before: Callable[[], Awaitable[None]] = _nothing
        self.after: Callable[[], Awaitable[None]] = _nothing

    async def handle(self, slices: Sequence[StreamSlice]) -> None:
        await self.before()
        async with self._database.transaction() as connection:
            rows = []
            for part in slices:
                held, count = part.claim, len(part.records)
                seq = await advance(connection, held, next_offset=part.next_offset, count=count)
                rows += [
                    (held.stream_id, seq + place, record.offset, record.value)
                    for place, record in enumerate(part.records)
                ]
            columns = ["stream_id", "seq", "offset_at", "value"]
            await copy_rows(connection, table="counted", columns=columns, rows=rows)
        self.batches.append(len(rows))
        await self.after()


async def _nothing() -> None:
    return None


def consumer(
    settings: Settings,
    database: Database,
    handler: Counting,
    *,
    topic: str,
    owner: str = "test",
    metrics: Metrics | None = None,
    health: Health | None = None,
    assign: Sequence[int] | None = None,
) -> StreamConsumer:
    """A consumer of one topic, in the group `counting` or of the partitions in `assign`."""
    return StreamConsumer(
        settings,
        database,
        handler,
        topics=[topic],
        group="counting",
        owner=owner,
        metrics=metrics or Metrics(),
        health=health or Health(waiting_for=set()),
        assign=None if assign is None else [(topic, partition) for partition in assign],
    )


async def _main(topic: str, owner: str, total: int, partitions: list[int]) -> None:
    settings = load_settings(os.environ)
    stop = asyncio.Event()
    async with await Database.connect(settings.require_database(), size=2) as database:
        handler = Counting(database)

        async def stop_at_the_end() -> None:
            async with database.connection() as connection:
                if await connection.fetchval("SELECT count(*) FROM counted") >= total:
                    stop.set()

        handler.after = stop_at_the_end
        await stop_at_the_end()
        if stop.is_set():
            return
        made = consumer(settings, database, handler, topic=topic, owner=owner, assign=partitions)
        await made.run(stop)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3]), list(map(int, sys.argv[4:]))))
