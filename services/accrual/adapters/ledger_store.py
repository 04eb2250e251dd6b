"""The ledger: transfers are only ever inserted; balances move by what they sum to."""

from __future__ import annotations

from collections.abc import Sequence

from services.accrual.ledger.transfer import COLUMNS, Transfer, deltas
from services.runtime.database import Connection, copy_rows
from services.runtime.named_queries import load_queries

_sql = load_queries("services.accrual.adapters", "ledger_store.sql")


async def save_transfers(connection: Connection, transfers: Sequence[Transfer]) -> None:
    """Insert transfers and move the balances of their streams, in one order everywhere."""
    if not transfers:
        return
    await copy_rows(connection, table="transfer", columns=COLUMNS, rows=transfers)
    by_stream: dict[int, list[Transfer]] = {}
    for transfer in transfers:
        by_stream.setdefault(transfer.stream_id, []).append(transfer)
    moved = sorted(
        (stream_id, account, unit, amount)
        for stream_id, found in by_stream.items()
        for (account, unit), amount in deltas(found).items()
        if amount
    )
    if moved:
        await connection.execute(
            _sql.add_balances, *[list(column) for column in zip(*moved, strict=True)]
        )
