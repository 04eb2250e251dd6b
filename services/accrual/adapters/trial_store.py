"""What a trial reads: one instant for all of its processes, and the merchants on record."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from services.accrual.adapters.streaming import pieces
from services.accrual.lifecycle.purchase import Leg, restore
from services.runtime.database import Connection
from services.runtime.named_queries import load_queries

_sql = load_queries("services.accrual.adapters", "trial_store.sql")
_SNAPSHOT = re.compile(r"[0-9A-F-]+", re.ASCII)


async def export_snapshot(connection: Connection) -> str:
    """The instant that this transaction reads at, as long as it is open."""
    snapshot: str = await connection.fetchval(_sql.export_snapshot)
    return snapshot


async def import_snapshot(connection: Connection, snapshot: str) -> None:
    """Read at the instant of another transaction; nothing was read in this one before."""
    if not _SNAPSHOT.fullmatch(snapshot):
        raise ValueError(snapshot)
    await connection.execute(_sql.import_snapshot.format(snapshot=snapshot))


async def presentments(connection: Connection, issuer: str) -> AsyncIterator[list[Leg]]:
    """The legs of an issuer's purchases, in pieces and in no order."""
    async for rows in pieces(connection, _sql.merchants, issuer):
        yield [leg for row in rows for leg in _legs(issuer, row["body"])]


def _legs(issuer: str, body: bytes) -> list[Leg]:
    return restore(stream_id=0, number=0, issuer_id=issuer, account_id="", body=body).legs
