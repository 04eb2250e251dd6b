"""The ledger as sealing sees it: one look, one lock, and inserts only."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import islice
from typing import Any

from services.accrual.ledger.transfer import COLUMNS as TRANSFER_COLUMNS
from services.accrual.ledger.transfer import deltas
from services.kernel.topics import settlement_stream
from services.runtime.database import Connection, copy_rows
from services.runtime.named_queries import load_queries
from services.runtime.stream_position import create_streams, draw, lock, stream_ids
from services.settlement.batches.draft import Entry
from services.settlement.batches.due import Due
from services.settlement.batches.line import COLUMNS as LINE_COLUMNS
from services.settlement.batches.line import Earlier
from services.settlement.batches.order import Seal
from services.settlement.batches.terms import TermsBook, read_terms
from services.settlement.ports import Place, Sight

_sql = load_queries("services.settlement.adapters", "seal_store.sql")

LOOK_SECONDS = 600
"""A look over a large ledger takes longer than other statements."""
COPY_ROWS_MAX = 20_000
_MEMBER_COLUMNS = ("stream_id", "seq", "leg", "line", "batch")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A seal as it was recorded. It is folded again under its own seq, with what it saw then.

    `labels` is what its purchases, as (stream, number), were called: that may have changed since.
    """

    stream_id: int
    seq: int
    vector: Mapping[str, int]
    facts: int
    labels: Mapping[tuple[int, int], str]


class PostgresSealStore:
    """SealStore inside one transaction. With `recorded` it repeats a seal in a rebuilt ledger,
    where the stream has no position and the event is not recorded once more.
    """

    def __init__(self, connection: Connection, recorded: Recorded | None = None) -> None:
        self._connection = connection
        self._recorded = recorded

    async def terms(self, partner: str) -> TermsBook:
        """The clauses of every version signed with the partner."""
        rows = await self._connection.fetch(_sql.terms, partner)
        return {
            (row["contract"], row["version"]): read_terms(
                row["contract"], row["version"], json.loads(row["terms"])
            )
            for row in rows
        }

    async def open_stream(self, partner: str) -> Place:
        """Lock the partner's stream; a second seal waits here for the first one's commit."""
        if self._recorded is not None:
            stream_id, seq = self._recorded.stream_id, self._recorded.seq
        else:
            name = settlement_stream(partner)
            known = await stream_ids(self._connection, [name])
            if not known:
                known = await create_streams(self._connection, {name: 0})
            stream_id = known[name]
            seq = (await lock(self._connection, [stream_id]))[stream_id]
        sequence: int = await self._connection.fetchval(_sql.next_sequence, partner)
        return Place(stream_id, seq, sequence)

    async def look(self, partner: str, through: date) -> Sight:
        """What is due, how far the streams stood, and the partner's numbers then."""
        then = self._recorded
        vector_text = None if then is None else json.dumps(dict(then.vector))
        facts_then = None if then is None else then.facts
        rows = await self._connection.fetch(
            _sql.due, partner, through, vector_text, facts_then, timeout=LOOK_SECONDS
        )
        first = next(row for row in rows if row["vector"] is not None or row["facts"] is not None)
        due = [Due(*row[2:]) for row in rows if row["stream_id"] is not None]
        if then is not None:
            due = [_named(found, then.labels) for found in due]
        vector: dict[str, int] = json.loads(first["vector"])
        numbers = await self._connection.fetch(
            _sql.numbers, partner, first["facts"], timeout=LOOK_SECONDS
        )
        return Sight(
            due=due,
            vector=dict(sorted(vector.items())),
            facts=first["facts"],
            numbers={row["account_id"]: row["membership_number"] for row in numbers},
        )

    async def earlier(self, purchases: Collection[tuple[int, int]]) -> Sequence[Earlier]:
        """The lines of these purchases that stood in files."""
        raise NotImplementedError

    async def save(self, seal: Seal) -> None:
        """Draw the events' numbers, record them, post, and store the batch."""
