"""Where the publisher stands in each stream, and the transfers that come next."""

from __future__ import annotations

from collections.abc import Sequence

from services.accrual.ports import Cursor, PublishedRow
from services.runtime.database import Connection
from services.runtime.named_queries import load_queries

_sql = load_queries("services.accrual.adapters", "publisher_store.sql")


async def lease(connection: Connection, owner: str, held: Sequence[int]) -> list[Cursor]:
    """Take every stream that is not held yet; new streams get a cursor first."""
    await connection.execute(_sql.add_cursors)
    rows = await connection.fetch(_sql.lease, owner, held)
    return [Cursor(row["stream_id"], row["name"], row["epoch"], row["seq"]) for row in rows]


async def ends(connection: Connection) -> dict[int, int]:
    """The last committed sequence number of each stream."""
    return {row["stream_id"]: row["seq"] for row in await connection.fetch(_sql.ends)}


async def transfers(connection: Connection, cursor: Cursor, through: int) -> list[PublishedRow]:
    """The transfers of the events after the cursor, up to `through`."""
    rows = await connection.fetch(_sql.transfers, cursor.stream_id, cursor.seq, through)
    return [PublishedRow(*row) for row in rows]


async def move(connection: Connection, cursor: Cursor, through: int) -> bool:
    """Move a cursor; False when another publisher holds the stream."""
    found = await connection.fetchval(
        _sql.move, cursor.stream_id, cursor.epoch, cursor.seq, through
    )
    return found is not None
