"""Reads what the invariants are about, set by set, through cursors of the server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import asyncpg

from services.accrual.adapters.state_store import total_key
from services.accrual.adapters.streaming import STATEMENT_SECONDS, pieces
from services.accrual.audit.rows import (
    AuditedEvent,
    AuditedGrant,
    AuditedPurchase,
    AuditedTotal,
    AuditedWait,
)
from services.accrual.engine.totals import TotalKey
from services.runtime.database import Connection
from services.runtime.named_queries import load_queries

_sql = load_queries("services.accrual.adapters", "invariant_store.sql")


async def ask(connection: Connection, question: str, faults_max: int) -> tuple[int, Sequence[str]]:
    """How many rows a query has checked, and the first faults in words."""
    row = await connection.fetchrow(_sql[question], faults_max, timeout=STATEMENT_SECONDS)
    if row is None:
        raise LookupError(question)
    return row["checked"], row["faults"]


async def accounts(connection: Connection) -> AsyncIterator[list[str]]:
    """Every ledger account that is named anywhere."""
    async for rows in pieces(connection, _sql.accounts):
        yield [row["account"] for row in rows]


async def identities(connection: Connection) -> int:
    """How many identities are recorded."""
    found: int = await connection.fetchval(_sql.identities)
    return found


async def ends(connection: Connection) -> dict[int, int]:
    """The last sequence number of every stream."""
    return {row["stream_id"]: row["last"] for row in await connection.fetch(_sql.ends)}


async def events(connection: Connection) -> AsyncIterator[list[AuditedEvent]]:
    """Every event, by stream and seq."""
    async for rows in pieces(connection, _sql.events):
        yield [AuditedEvent(*row) for row in rows]


async def purchases(connection: Connection) -> AsyncIterator[list[AuditedPurchase]]:
    """Every purchase, by stream and account."""
    async for rows in pieces(connection, _sql.purchases):
        yield [AuditedPurchase(*row) for row in rows]


async def grants(connection: Connection) -> AsyncIterator[list[AuditedGrant]]:
    """What the ledger holds of every purchase, by stream and account."""
    async for rows in pieces(connection, _sql.grants):
        yield [AuditedGrant(*row) for row in rows]


async def totals(connection: Connection) -> AsyncIterator[list[AuditedTotal]]:
    """Every running total, by stream and account."""
    async for rows in pieces(connection, _sql.totals):
        yield [_total(row) for row in rows]


async def waits(connection: Connection) -> AsyncIterator[list[AuditedWait]]:
    """Every event without a purchase, by stream and account."""
    async for rows in pieces(connection, _sql.waits):
        yield [AuditedWait(*row) for row in rows]


def _total(row: asyncpg.Record) -> AuditedTotal:
    key = TotalKey(
        row["contract"], row["rule"], row["kind"], row["terms"], row["scope_id"], row["period"]
    )
    keyed = total_key(row["account_id"], key) == row["total_key"]
    return AuditedTotal(
        row["stream_id"], row["account_id"], *key, row["scope"], row["unit"], row["total"],
        row["granted"], keyed,
    )  # fmt: skip
