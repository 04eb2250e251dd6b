"""Reads the recorded events in order, and compares the ledger with what was folded from them."""

from __future__ import annotations

from services.accrual.ports import StoredEvent
from services.runtime.database import Connection
from services.runtime.named_queries import load_queries

_sql = load_queries("services.accrual.adapters", "rebuild_store.sql")

SCHEMA = "milepost_rebuild"
TABLES = ("transfer", "balance", "purchase", "scope_total", "waiting_event")
_HIDDEN = {"body", "side", "account_key", "link_key", "total_key"}


async def streams(connection: Connection) -> list[tuple[int, str, int]]:
    """(id, name, last seq) of the streams of `card-transactions`."""
    rows = await connection.fetch(_sql.streams)
    return [(row["stream_id"], row["name"], row["last"]) for row in rows]


async def events(
    connection: Connection, stream_id: int, after: int, limit: int
) -> list[StoredEvent]:
    """The events of a stream after a place, in order."""
    return [
        StoredEvent(*row) for row in await connection.fetch(_sql.events, stream_id, after, limit)
    ]


async def differences(connection: Connection, limit: int) -> list[str]:
    """Rows that only one schema has, at most `limit` a table and side."""
    card_streams = [stream_id for stream_id, _, _ in await streams(connection)]
    found: list[str] = []
    for table in TABLES:
        for row in await connection.fetch(_sql[table], limit, card_streams):
            columns = [f"{name}={value}" for name, value in row.items() if name not in _HIDDEN]
            found.append(f"{table}: only in the {row['side']}: {' '.join(columns)}")
    return found


async def take(connection: Connection) -> bool:
    """Become the one rebuild of this database; False when another one runs."""
    taken: bool = await connection.fetchval(_sql.lock_shadow)
    return taken


async def drop(connection: Connection) -> None:
    """Remove the schema of a rebuild."""
    await connection.execute(_sql.drop_shadow)


async def copy_facts(connection: Connection) -> None:
    """Fill in what a rebuild takes as given."""
    await connection.execute(_sql.copy_facts)
