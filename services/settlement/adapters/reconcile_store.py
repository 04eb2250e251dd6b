"""What a reconciliation reads of PostgreSQL beside the sides, and where its findings are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import asyncpg

from services.kernel.errors import InvalidInput, Problem
from services.runtime.database import Connection
from services.runtime.named_queries import load_queries
from services.settlement.adapters.batch_store import PostgresBatchStore
from services.settlement.discrepancies import Known
from services.settlement.reconcile.control import Held, Moved
from services.settlement.reconcile.discrepancy import Discrepancy, Found, Identity
from services.settlement.reconcile.judge import Unsealed, Waiting
from services.settlement.reconcile.month import Month
from services.settlement.reconciliation import Books, Terms

_sql = load_queries("services.settlement.adapters", "reconcile_store.sql")

READ_SECONDS = 3_600
"""A look over a large ledger takes longer than other statements."""


async def read_books(connection: Connection, partner: str, month: Month) -> Books:
    """Everything but the sides, inside a transaction that sees one instant."""

    async def fetch(query: str, *values: object) -> list[asyncpg.Record]:
        return await connection.fetch(query, *values, timeout=READ_SECONDS)

    batches = PostgresBatchStore(connection)
    headers = [
        header
        for header in await batches.headers(partner=partner)
        if month.first <= header.through <= month.last
    ]
    waiting = await fetch(_sql.waiting, partner, month.first, month.last)
    return Books(
        terms=await batches.terms(partner),
        moved=[Moved(*row) for row in await fetch(_sql.movements, month.first, month.last)],
        held=[Held(*row) for row in await fetch(_sql.held, month.last)],
        waiting=[Waiting(*row[:4]) for row in waiting if row["why"] is not None],
        unsealed=[
            Unsealed(row["transfer"], row["issuer_id"], row["purchase"], row["rule"], row["unit"],
                     row["amount"], row["available_on"])
            for row in waiting
            if row["why"] is None
        ],
        latest=await connection.fetchval(_sql.latest, partner) or "",
        headers=headers,
        files={header.batch: await batches.files(header.batch) for header in headers},
        sent={
            row["batch"]: row["recorded_on"]
            for row in await fetch(_sql.sent, partner, month.first, month.last)
        },
    )  # fmt: skip


class PostgresArchive:
    """Archive inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def alone(self, partner: str) -> None:
        """Wait for a run of the partner that is being recorded, and keep others waiting."""
        await self._connection.execute(_sql.alone, partner)

    async def known(self, partner: str, period: str) -> list[Known]:
        """Every discrepancy of a partner's month."""
        rows = await self._connection.fetch(_sql.known, partner, period, timeout=READ_SECONDS)
        return [Known(*row) for row in rows]

    async def add_run(self, terms: Terms, *, found: int) -> int:
        """Record a run; gives its number."""
        run: int = await self._connection.fetchval(_sql.next_run, terms.partner)
        await self._connection.execute(
            _sql.add_run, terms.partner, run, terms.month.name, terms.by, terms.on,
            terms.second_above, terms.answer_days, found,
        )  # fmt: skip
        return run

    async def add(self, terms: Terms, run: int, rows: Sequence[tuple[Identity, Found]]) -> None:
        """Record what is found for the first time."""
        if not rows:
            return
        columns = zip(
            *(
                (identity.id, one.check.value, one.code.value, one.subject, one.amount, one.unit,
                 identity.again, one.owner.value, one.detail)
                for identity, one in rows
            ),
            strict=True,
        )  # fmt: skip
        await self._connection.execute(
            _sql.add, terms.partner, run, terms.month.name, terms.on, terms.second_above,
            *(list(column) for column in columns),
            timeout=READ_SECONDS,
        )  # fmt: skip

    async def close(self, partner: str, run: int, ids: Sequence[str]) -> None:
        """Record that these are no longer found."""
        if ids:
            await self._connection.execute(_sql.close, list(ids), partner, run)

    async def listed(
        self, *, partner: str | None = None, period: str | None = None, id: str | None = None
    ) -> list[Discrepancy]:
        """Discrepancies as they stand, the oldest first."""
        rows = await self._connection.fetch(_sql.list, partner, period, id, timeout=READ_SECONDS)
        return [Discrepancy(*row) for row in rows]

    async def resolve(self, id: str, *, by: str, reason: str, on: date) -> None:
        """Record what somebody says of one."""
        await self._connection.execute(_sql.resolve, id, by, on, reason)

    async def approve(self, id: str, *, by: str, on: date) -> None:
        """Record a second person's agreement, or say why the database refuses it."""
        try:
            await self._connection.execute(_sql.approve, id, by, on)
        except asyncpg.IntegrityConstraintViolationError as error:
            why = _REFUSALS.get(error.constraint_name or "")
            if why is None:
                raise
            raise InvalidInput([Problem(why, field="--approver", value=by)]) from error


_REFUSALS = {
    "discrepancy_approval_four_eyes": "has resolved it: somebody else must approve",
    "discrepancy_approval_once": "somebody else has approved it meanwhile",
}
