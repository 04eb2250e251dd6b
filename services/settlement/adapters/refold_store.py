"""Recorded seals, and the comparison of what they come to when they are folded again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from services.runtime.database import Connection
from services.runtime.named_queries import load_queries

_sql = load_queries("services.settlement.adapters", "refold_store.sql")

TABLES = (
    "settlement_batch", "settlement_line", "settlement_member", "settlement_file", "transfer",
    "settlement_state", "acknowledgement", "settlement_answer", "settlement_payment",
    "settlement_merge", "settlement_follow_up", "balance",
)  # fmt: skip
READ_SECONDS = 3_600


class RecordedCommand(NamedTuple):
    """One event of a partner's stream."""

    stream_id: int
    seq: int
    body: bytes


async def commands(connection: Connection) -> list[RecordedCommand]:
    """The events of all partners' streams, each stream in order."""
    return [RecordedCommand(*row) for row in await connection.fetch(_sql.commands)]


async def next_sequence(connection: Connection, partner: str) -> int:
    """The number of the partner's next batch."""
    found: int = await connection.fetchval(_sql.next_sequence, partner)
    return found


async def labels(connection: Connection, batch: str) -> Mapping[tuple[int, int], str]:
    """What the purchases of a batch were called when it was sealed."""
    rows = await connection.fetch(_sql.labels, batch, timeout=READ_SECONDS)
    return {(row["of_stream_id"], row["of_purchase"]): row["purchase"] for row in rows}


async def copy_steps(ledger: Connection, rebuilt: Connection, batch: str) -> None:
    """What a rebuild takes as given of a batch: its approval, and that it was sent."""
    approval = await ledger.fetchrow(_sql.approval, batch)
    if approval is not None:
        await rebuilt.execute(_sql.add_approval, batch, *approval)
    sent = await ledger.fetchrow(_sql.sent, batch)
    if sent is not None:
        await rebuilt.execute(_sql.add_sent, batch, *sent)


async def differences(ledger: Connection, rebuilt: Connection, *, shown_max: int) -> list[str]:
    """Rows that only one side has, at most `shown_max` a table, batch and side."""
    sides = (ledger, rebuilt)
    known = [[row["batch"] for row in await side.fetch(_sql.batches)] for side in sides]
    found: dict[str, None] = {}
    for batch in dict.fromkeys([*known[0], *known[1]]):
        for table in TABLES:
            stored, folded = [await _rows(side, table, batch) for side in sides]
            for name, rows in (("ledger", stored - folded), ("rebuild", folded - stored)):
                for row in sorted(rows)[:shown_max]:
                    found[f"{table}: only in the {name}: {row}"] = None
    return list(found)


async def _rows(side: Connection, table: str, batch: str) -> set[str]:
    rows = await side.fetch(_sql[table], batch, timeout=READ_SECONDS)
    return {row["found"] for row in rows}
