"""The rejected records that accrual has recorded, and that some are sent once more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from services.runtime.database import Connection
from services.runtime.named_queries import load_queries

_sql = load_queries("services.accrual.adapters", "dead_letter_store.sql")


async def listed(
    connection: Connection, *, feed: str | None, reason: str | None, limit: int | None
) -> list[dict[str, Any]]:
    """The newest of them, at most `limit`, without what they hold."""
    return [dict(row) for row in await connection.fetch(_sql.listed, feed, reason, limit)]


async def sealed(
    connection: Connection, topic: str, partition: int, offset: int
) -> dict[str, Any] | None:
    """One of them with its sealed bytes, by the place of its raw record."""
    row = await connection.fetchrow(_sql.sealed, topic, partition, offset)
    return None if row is None else dict(row)


async def record_replay(
    connection: Connection, places: Sequence[tuple[str, int, int]], *, by: str | None, on: date
) -> None:
    """Record that the raw records at these places are sent once more."""
    topics, partitions, offsets = (list(part) for part in zip(*places, strict=True))
    await connection.execute(_sql.replayed, topics, partitions, offsets, by, on)
