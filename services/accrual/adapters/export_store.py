"""Reads whole tables in the order of their export, through cursors of the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import TypeVar

from services.accrual.adapters.streaming import pieces
from services.accrual.export import EventExport, LetterExport, Rows, TransferExport
from services.runtime.database import Connection
from services.runtime.named_queries import load_queries

_sql = load_queries("services.accrual.adapters", "export_store.sql")

Row = TypeVar("Row", EventExport, LetterExport, TransferExport)


async def events(connection: Connection) -> AsyncIterator[list[EventExport]]:
    """Every recorded event, by stream and seq."""
    async for found in _by_stream(connection, _sql.events, EventExport):
        yield found


async def letters(connection: Connection) -> AsyncIterator[list[LetterExport]]:
    """Every rejected record, by stream and offset."""
    async for found in _by_stream(connection, _sql.letters, LetterExport):
        yield found


async def transfers(connection: Connection) -> AsyncIterator[list[TransferExport]]:
    """Every transfer, by stream, seq and leg."""
    async for found in _by_stream(connection, _sql.transfers, TransferExport):
        yield found


def grants(connection: Connection) -> Rows:
    """What every purchase has."""
    return _plain(connection, _sql.grants)


def totals(connection: Connection) -> Rows:
    """Every running total."""
    return _plain(connection, _sql.totals)


def balances(connection: Connection, as_of: date) -> Rows:
    """What every account has at a date."""
    return _plain(connection, _sql.balances, as_of)


async def _by_stream(
    connection: Connection, query: str, kind: type[Row]
) -> AsyncIterator[list[Row]]:
    """Stream by stream, so that the order is that of names and no sort is needed."""
    for stream in await connection.fetch(_sql.streams):
        async for rows in pieces(connection, query, stream["stream_id"]):
            yield [kind(*row) for row in rows]


async def _plain(connection: Connection, query: str, *arguments: object) -> Rows:
    async for rows in pieces(connection, query, *arguments):
        yield [tuple(row) for row in rows]
