"""Looks things up in PostgreSQL: balances, events by any of their places, what waits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date

from services.accrual.adapters.streaming import STATEMENT_SECONDS, pieces
from services.accrual.lookup.records import (
    BalanceRow,
    EventRow,
    LetterRow,
    Movement,
    Place,
    PurchaseRow,
    SumRow,
    WaitingRow,
)
from services.kernel.identifiers import key64
from services.runtime.database import Connection
from services.runtime.named_queries import load_queries

_sql = load_queries("services.accrual.adapters", "lookup_store.sql")


async def known(connection: Connection, account_id: str) -> bool:
    """Whether anything at all is recorded of an account."""
    found: bool = await connection.fetchval(_sql.known, key64(account_id), account_id)
    return found


async def balances(connection: Connection, account_id: str, as_of: date) -> list[BalanceRow]:
    """What an account has at a date, by unit."""
    return [BalanceRow(*row) for row in await connection.fetch(_sql.balances, account_id, as_of)]


async def movements(connection: Connection, account_id: str) -> list[Movement]:
    """Every transfer on a member's account, in the order of streams and their events."""
    return [Movement(*row) for row in await connection.fetch(_sql.movements, account_id)]


async def fees(connection: Connection, account_id: str) -> list[Movement]:
    """Every transfer of a fee on the rewards of an account, in the same order."""
    return [Movement(*row) for row in await connection.fetch(_sql.fees, account_id)]


async def trial_balance(connection: Connection, through: date, *, members: bool) -> list[SumRow]:
    """Debits and credits by unit and account."""
    rows = await connection.fetch(_sql.trial_balance, through, members, timeout=STATEMENT_SECONDS)
    return [SumRow(*row) for row in rows]


async def events_at(connection: Connection, places: Sequence[Place]) -> dict[Place, EventRow]:
    """The events of these places."""
    streams, seqs = [place[0] for place in places], [place[1] for place in places]
    rows = [EventRow(*row) for row in await connection.fetch(_sql.events_at, streams, seqs)]
    return {row.place: row for row in rows}


async def event_at_offset(connection: Connection, stream: str, offset: int) -> EventRow | None:
    """The event of an offset. Offsets rise with the sequence, so no index of theirs is needed."""
    end = await connection.fetchrow(_sql.stream_end, stream)
    if end is None:
        return None
    stream_id, first, last = end["stream_id"], 1, end["last"]
    while first <= last:
        middle = (first + last) // 2
        row = await connection.fetchrow(_sql.consumed_from, stream_id, middle)
        if row is None or row["offset_at"] > offset:
            last = middle - 1
        elif row["offset_at"] < offset:
            first = row["seq"] + 1
        else:
            place = (stream_id, row["seq"])
            return (await events_at(connection, [place]))[place]
    return None


async def events_of_source(connection: Connection, source: str) -> list[EventRow]:
    """The events that ingest made of one raw record."""
    rows = await connection.fetch(_sql.events_of_source, source, timeout=STATEMENT_SECONDS)
    return [EventRow(*row) for row in rows]


async def letters_at(
    connection: Connection, topic: str, partition: int, offset: int
) -> list[LetterRow]:
    """The rejection of a raw record, or of a record of a stream's own topic."""
    rows = await connection.fetch(_sql.letters_at, topic, partition, offset)
    return [LetterRow(*row) for row in rows]


async def commands_after(connection: Connection, place: Place) -> list[EventRow]:
    """The commands of a stream after a place, in order."""
    return [EventRow(*row) for row in await connection.fetch(_sql.commands_after, *place)]


async def waiting(connection: Connection) -> list[WaitingRow]:
    """Every event without a purchase, in recorded order."""
    return [WaitingRow(*row) for row in await connection.fetch(_sql.waiting)]


async def conflicts(connection: Connection) -> list[EventRow]:
    """Every event whose id was recorded before with other content."""
    rows = await connection.fetch(_sql.conflicts, timeout=STATEMENT_SECONDS)
    return [EventRow(*row) for row in rows]


async def purchases(connection: Connection) -> AsyncIterator[list[PurchaseRow]]:
    """Every purchase, in pieces."""
    async for rows in pieces(connection, _sql.purchases):
        yield [PurchaseRow(*row) for row in rows]
