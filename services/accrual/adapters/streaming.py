"""Reads a long result piece by piece through a cursor of the server, inside a transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg

from services.runtime.database import Connection

ROWS = 5_000
STATEMENT_SECONDS = 3_600
"""Sorting a large ledger takes longer than other statements may."""


async def pieces(
    connection: Connection, query: str, *arguments: object
) -> AsyncIterator[list[asyncpg.Record]]:
    """Lists of at most ROWS rows; memory does not grow with the result."""
    cursor = await connection.cursor(query, *arguments, timeout=STATEMENT_SECONDS)
    while rows := await cursor.fetch(ROWS, timeout=STATEMENT_SECONDS):
        yield rows
