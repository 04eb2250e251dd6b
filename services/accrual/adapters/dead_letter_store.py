"""Reads the rejected records that accrual has recorded."""

from __future__ import annotations

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
