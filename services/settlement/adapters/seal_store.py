"""The ledger as sealing sees it: one look, one lock, and inserts only."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from services.accrual.ledger.transfer import COLUMNS as TRANSFER_COLUMNS
from services.accrual.ledger.transfer import deltas
from services.kernel.errors import InvariantViolated
from services.kernel.topics import settlement_stream
from services.runtime.database import Connection, copy_rows
from services.runtime.named_queries import load_queries
from services.runtime.sealing import Opener
from services.runtime.stream_position import create_streams, draw, lock, stream_ids
from services.settlement.adapters import payout_store
from services.settlement.batches.draft import Entry
from services.settlement.batches.due import Due
from services.settlement.batches.line import Earlier
from services.settlement.batches.order import Seal
from services.settlement.batches.payout import Payouts
from services.settlement.batches.returns import CameBack, Details, Returns
from services.settlement.batches.terms import TermsBook, read_terms
from services.settlement.files.payout import ENDINGS
from services.settlement.ports import Place, Sight

_sql = load_queries("services.settlement.adapters", "seal_store.sql")

LOOK_SECONDS = 600
"""A look over a large ledger takes longer than other statements."""
ROWS_MAX = 20_000


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

    def __init__(
        self,
        connection: Connection,
        recorded: Recorded | None = None,
        opener: Opener | None = None,
    ) -> None:
        self._connection = connection
        self._opener = opener
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

    async def look(self, partner: str, through: date, place: Place) -> Sight:
        """What is due, how far the streams stood, and the partner's numbers then."""
        then = self._recorded
        vector_text = None if then is None else json.dumps(dict(then.vector))
        facts_then = None if then is None else then.facts
        rows = await self._connection.fetch(
            _sql.due, partner, through, vector_text, facts_then, place.stream_id, place.seq,
            timeout=LOOK_SECONDS,
        )  # fmt: skip
        first = next((row for row in rows if row["vector"] is not None), rows[0])
        due = [Due(*row[2:]) for row in rows if row["stream_id"] is not None]
        if then is not None:
            due = [_named(found, then.labels) for found in due]
        facts: int = first["facts"] or 0
        numbers = await self._connection.fetch(_sql.numbers, partner, facts, timeout=LOOK_SECONDS)
        return Sight(
            due=due,
            vector=dict(sorted(json.loads(first["vector"] or "{}").items())),
            facts=facts,
            numbers={row["account_id"]: row["membership_number"] for row in numbers},
            payouts=await self._payouts(partner, facts, due),
            returns=await self._returns(partner, facts, due),
            revision=await self._connection.fetchval(_sql.revision, partner, through),
        )

    async def _payouts(self, partner: str, facts: int, due: Sequence[Due]) -> Payouts | None:
        """Where members are paid; not asked where no contract pays them through a bank."""
        terms = await self.terms(partner)
        paid = {found.account_id for found in due
                if terms[found.contract, found.version].layout in ENDINGS}  # fmt: skip
        if not paid:
            return None
        return await payout_store.book(
            self._connection, self._opener, partner=partner, facts=facts, accounts=paid
        )

    async def _returns(self, partner: str, facts: int, due: Sequence[Due]) -> Returns:
        """What came back of the members who are due something, and where they are paid since."""
        rows = await self._connection.fetch(_sql.came_back, partner, timeout=LOOK_SECONDS)
        members = {found.account_id for found in due} if rows else set()
        lines = [CameBack(*row) for row in rows if row["account_id"] in members]
        paid = {line.account_id for line in lines if not line.membership_number}
        details: Mapping[str, Sequence[Details]] = {}
        if paid and self._opener is not None:
            details = await payout_store.history(
                self._connection, self._opener, facts=facts, accounts=paid
            )
        return Returns({(one.account_id, one.membership_number): one for one in lines}, details)

    async def earlier(
        self, partner: str, purchases: Collection[tuple[int, int]]
    ) -> Sequence[Earlier]:
        """The lines of these purchases that stood in the partner's files."""
        ordered = sorted(purchases)
        rows = await self._connection.fetch(
            _sql.earlier,
            partner,
            [stream_id for stream_id, _ in ordered],
            [number for _, number in ordered],
            timeout=LOOK_SECONDS,
        )
        return [Earlier(*row) for row in rows]

    async def save(self, seal: Seal) -> None:
        """Draw the events' numbers, record them, post, and store the batch."""
        if self._recorded is None:
            await self._record(seal)
        await self._post(seal)
        await self._connection.execute(_sql.add_batch, *_batch_row(seal))
        await self._connection.execute(_sql.add_sealed, seal.batch, seal.order.by, seal.order.on)
        await self._insert(_sql.add_lines, [(seal.batch, *line) for line in seal.lines])
        await self._insert(_sql.add_members, [(*member, seal.batch) for member in seal.members])

    async def _record(self, seal: Seal) -> None:
        """The events of the command, in the partner's stream."""
        bodies = seal.bodies()
        first = await draw(self._connection, seal.stream_id, len(bodies))
        if first != seal.seq:
            raise InvariantViolated(f"the stream of {seal.batch} moved while it was locked")
        await self._connection.executemany(
            _sql.add_event,
            [
                (seal.stream_id, first + nth, seal.order.on, body, seal.facts)
                for nth, body in enumerate(bodies)
            ],
        )

    async def _post(self, seal: Seal) -> None:
        transfers = seal.transfers()
        for piece in _pieces(transfers):
            await copy_rows(
                self._connection, table="transfer", columns=TRANSFER_COLUMNS, rows=piece
            )
        moved = sorted(
            (account, unit, amount)
            for (account, unit), amount in deltas(transfers).items()
            if amount
        )
        if moved:  # giving and taking back may have cancelled out
            columns = [list(column) for column in zip(*moved, strict=True)]
            await self._connection.execute(
                _sql.add_balances, [seal.stream_id] * len(moved), *columns
            )

    async def _insert(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        for piece in _pieces(rows):
            await self._connection.execute(
                statement, *[list(column) for column in zip(*piece, strict=True)]
            )


T = TypeVar("T")


def _pieces(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """Rows in pieces, each well within the time that a statement may take."""
    for start in range(0, len(rows), ROWS_MAX):
        yield rows[start : start + ROWS_MAX]


def _batch_row(seal: Seal) -> tuple[object, ...]:
    order = seal.order
    last_seq = seal.seq + len(seal.events) - 1
    return (
        seal.batch, order.partner, seal.sequence, seal.revision, order.through, order.by,
        seal.stream_id, seal.seq, last_seq, json.dumps(dict(seal.vector)), seal.facts,
        json.dumps(seal.totals), _entries(seal.held), _entries(seal.carried),
    )  # fmt: skip


def _entries(entries: Iterable[Entry]) -> str:
    return json.dumps([entry._asdict() for entry in entries])


def _named(due: Due, labels: Mapping[tuple[int, int], str]) -> Due:
    """The transfer with its purchase called what it was called when it was sealed.

    Presentments that joined it since, or that exact keys moved, have given it another name.
    """
    return due._replace(purchase=labels.get((due.of_stream_id, due.of_purchase), due.purchase))
