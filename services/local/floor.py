"""The bench's own floor: the rows that a batch writes, copied bare into empty twins of its tables.

Nothing is decoded, decided, looked up or published: binary COPY of rows that are bytes already,
into tables with the same keys and indexes, in one transaction. Whoever keeps these tables cannot
be cheaper than that.
"""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence

from services.local.cpu import cpu_seconds
from services.runtime.database import Database
from services.runtime.named_queries import load_queries

TABLES = ("card_event", "event_identity", "purchase", "scope_total", "transfer", "balance")
SECONDS_MAX = 600
_sql = load_queries("services.local", "bench.sql")


class Floor:
    """The twins, in a schema of their own."""

    def __init__(self, owner: Database, server_pids: Sequence[int]) -> None:
        """`owner` is connected without the application's role."""
        self._owner = owner
        self._pids = server_pids

    async def lay(self) -> None:
        """Create the twins."""
        async with self._owner.connection() as connection:
            await connection.execute(_sql.floor_tables)

    async def remove(self) -> None:
        """Drop them."""
        async with self._owner.connection() as connection:
            await connection.execute(_sql.floor_gone)

    async def seconds(self, after: Mapping[int, int], through: Mapping[int, int]) -> float:
        """CPU seconds of client and server to copy what lies between two places of the streams."""
        await self._span(after, through)
        rows = [await self._rows(table) for table in TABLES]
        client, server = time.process_time(), self._server()
        async with self._owner.transaction(statement_seconds=SECONDS_MAX) as connection:
            for table, source in zip(TABLES, rows, strict=True):
                await connection.copy_to_table(
                    table, schema_name="floor", source=io.BytesIO(source), format="binary",
                    timeout=SECONDS_MAX,
                )  # fmt: skip
        return time.process_time() - client + self._server() - server

    async def _span(self, after: Mapping[int, int], through: Mapping[int, int]) -> None:
        async with self._owner.connection() as connection:
            await connection.execute(_sql.floor_emptied)
            await connection.copy_records_to_table(
                "span", schema_name="floor",
                records=[(stream, after[stream], end) for stream, end in through.items()],
            )  # fmt: skip

    async def _rows(self, table: str) -> bytes:
        """The rows of the span as COPY writes them."""
        found = io.BytesIO()
        async with self._owner.transaction(statement_seconds=SECONDS_MAX) as connection:
            # The tables have just been filled, and nobody has counted their rows yet.
            await connection.execute("SET LOCAL enable_nestloop = off")
            query = _sql[table].rstrip().rstrip(";")
            await connection.copy_from_query(
                query, output=found, format="binary", timeout=SECONDS_MAX
            )
        return found.getvalue()

    def _server(self) -> float:
        return cpu_seconds({"server": self._pids})["server"]
