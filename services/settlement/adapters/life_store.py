"""What follows on a sealed batch, inside one database transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

import asyncpg

from services.accrual.ledger.transfer import COLUMNS as TRANSFER_COLUMNS
from services.accrual.ledger.transfer import Transfer, deltas
from services.kernel.errors import InvalidInput, Problem
from services.runtime.database import Connection, copy_rows
from services.runtime.named_queries import load_queries
from services.runtime.stream_position import draw, lock
from services.settlement.adapters.batch_store import PostgresBatchStore
from services.settlement.batches.batch import Head, Header
from services.settlement.batches.follow import (
    ACKNOWLEDGE,
    PAY,
    WITHDRAW,
    Following,
    FollowUp,
    Move,
    Place,
)
from services.settlement.batches.line import Line
from services.settlement.batches.outcome import GIVEN_BACK, Latest
from services.settlement.batches.share import Posted, shares
from services.settlement.ports import Run

_sql = load_queries("services.settlement.adapters", "life_store.sql")

READ_SECONDS = 600


class PostgresLifeStore:
    """LifeStore inside one transaction. With `recorded` it repeats one event in a rebuilt ledger,
    where the stream has no position and the event is not recorded once more.
    """

    def __init__(self, connection: Connection, recorded: Place | None = None) -> None:
        self._connection = connection
        self._recorded = recorded

    async def standing(self, header: Header) -> Following:
        """Lock the partner's stream to the end of the transaction, and read the batch then."""
        if self._recorded is None:
            await lock(self._connection, [header.stream_id])
        store = PostgresBatchStore(self._connection)
        (header,) = await store.headers(batch=header.batch)
        terms = await store.terms(header.partner)
        rows = await self._connection.fetch(_sql.lines, header.batch, timeout=READ_SECONDS)
        lines = [Line(*row) for row in rows]
        rows = await self._connection.fetch(_sql.posted, header.batch, timeout=READ_SECONDS)
        posted = [Posted(*row) for row in rows]
        latest = await self._connection.fetch(_sql.latest, header.batch, timeout=READ_SECONDS)
        said = await self._connection.fetch(_sql.said, header.batch, timeout=READ_SECONDS)
        heard = await self._connection.fetch(_sql.heard, header.batch, timeout=READ_SECONDS)
        return Following(
            header=header,
            lines={line.line: line for line in lines},
            shares=shares(lines, posted, terms),
            latest={row["line"]: Latest(*row[1:]) for row in latest},
            said={row["line"]: Latest(*row[1:]) for row in said},
            terms=terms,
            heard={row["line"]: frozenset(row["outcomes"]) for row in heard},
        )

    async def facts(self, *, new: bool) -> int:
        """The revision of the facts, or the next one."""
        found: int = await self._connection.fetchval(_sql.new_facts if new else _sql.facts)
        return found

    async def record(self, event: FollowUp, stream_id: int) -> Place:
        """Draw the event's number and record it with its inputs."""
        if self._recorded is not None:
            return self._recorded
        seq = await draw(self._connection, stream_id, 1)
        await self._connection.execute(
            _sql.add_event, stream_id, seq, event.on, event.body(), event.facts
        )
        return Place(stream_id, seq)

    async def save(
        self,
        event: FollowUp,
        standing: Following,
        place: Place,
        transfers: Sequence[Transfer],
        moves: Sequence[Move],
    ) -> None:
        """Post the transfers, and store what the event says of lines and of the batch."""
        await self._post(event.batch, place, transfers, moves)
        try:
            await self._reach(event, place)
            await self._outcomes(event, standing, place)
        except asyncpg.IntegrityConstraintViolationError as error:
            raise InvalidInput([refusal(error, standing.header)]) from error

    async def answer(self, partner: str, sha256: str) -> str | None:
        """The batch that these bytes have answered before."""
        found: str | None = await self._connection.fetchval(_sql.answer, partner, sha256)
        return found

    async def payment(self, batch: str, reference: str) -> bool:
        """Whether this payment is recorded."""
        found: bool = await self._connection.fetchval(_sql.payment, batch, reference)
        return found

    async def runs(self, batch: str) -> list[Run]:
        """The deliveries of a batch, in order."""
        rows = await self._connection.fetch(_sql.runs, batch)
        return [
            Run(row["run"], row["place"], row["ended"],
                None if row["chain_nth"] is None else Head(row["chain_nth"], row["chain_link"]))
            for row in rows
        ]  # fmt: skip

    async def start(self, header: Header, run: int, *, by: str, on: date, place: str) -> None:
        """A delivery begins; the first one sends the batch."""
        try:
            if run == 0:
                await self._connection.execute(_sql.send, header.batch, by, on)
            await self._connection.execute(_sql.start, header.batch, run, by, on, place)
        except asyncpg.IntegrityConstraintViolationError as error:
            raise InvalidInput([refusal(error, header)]) from error

    async def finish(self, batch: str, run: int) -> None:
        """Everything of a delivery has arrived."""
        await self._connection.execute(_sql.finish, batch, run)

    async def _post(
        self, batch: str, place: Place, transfers: Sequence[Transfer], moves: Sequence[Move]
    ) -> None:
        if not transfers:
            return
        await copy_rows(
            self._connection, table="transfer", columns=TRANSFER_COLUMNS, rows=transfers
        )
        await self._connection.execute(
            _sql.add_moves, *[list(column) for column in zip(*moves, strict=True)], batch
        )
        moved = sorted((*key, amount) for key, amount in deltas(transfers).items() if amount)
        if moved:
            columns = [list(column) for column in zip(*moved, strict=True)]
            ids = [place.stream_id] * len(moved)
            await self._connection.execute(_sql.add_balances, ids, *columns)

    async def _reach(self, event: FollowUp, place: Place) -> None:
        """What the command makes of the batch, beside its lines."""
        because = event.because
        if event.command == WITHDRAW:
            await self._connection.execute(
                _sql.withdraw, event.batch, event.by, event.on, because["reason"]
            )
        elif event.command == PAY:
            await self._connection.execute(
                _sql.add_payment, event.batch, because["reference"], event.by, event.on, *place
            )
        elif event.command == ACKNOWLEDGE:
            await self._connection.execute(
                _sql.add_answer, event.partner, because["sha256"], event.batch, because["file"],
                because["layout"], int(because["bytes"]), event.by, event.on, *place,
            )  # fmt: skip

    async def _outcomes(self, event: FollowUp, standing: Following, place: Place) -> None:
        told = [told for told in event.told if told.outcome != GIVEN_BACK]
        if not told:
            return
        was = [standing.latest.get(one.line) for one in told]
        await self._connection.execute(
            _sql.add_outcomes, event.batch,
            [one.line for one in told],
            [before.nth + 1 if before else 1 for before in was],
            [one.outcome for one in told],
            [before.outcome if before else None for before in was],
            [one.code for one in told],
            [one.number for one in told],
            [one.came_back for one in told],
            event.by, event.on, *place,
        )  # fmt: skip
        merged = [(one.line, one.number) for one in told if one.number is not None]
        if merged:
            lines, numbers = (list(column) for column in zip(*merged, strict=True))
            await self._connection.execute(
                _sql.add_merges, event.partner, lines, numbers, event.facts, event.on, event.batch
            )
        await self._connection.execute(_sql.answered, event.batch, event.by, event.on)


_WHY = {
    "settlement_state_once": "somebody else has moved it meanwhile",
    "settlement_state_left_once": "somebody else has moved it meanwhile",
    "acknowledgement_sent": "it was never sent",
    "acknowledgement_legal": "what was said of a line before does not allow it",
    "acknowledgement_once": "another answer came meanwhile",
    "file_delivery_once": "somebody else delivers it just now",
    "file_delivery_follows": "the delivery before this one has not ended",
}


def refusal(error: asyncpg.IntegrityConstraintViolationError, header: Header) -> Problem:
    """Why the database refused, in words."""
    name = error.constraint_name or ""
    stands = f"{header.batch} is {header.state}"
    why = _WHY.get(name, f"the database refuses it by {name or json.dumps(str(error))}")
    return Problem(f"{stands}: {why}", field="ID", value=header.batch)
