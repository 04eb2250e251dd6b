"""Closed periods, inside one database transaction."""

from __future__ import annotations

from datetime import date

import asyncpg

from services.kernel.errors import InvalidInput, Problem
from services.runtime.database import Connection
from services.runtime.named_queries import load_queries
from services.settlement.evidence import Balance, Closing

_sql = load_queries("services.settlement.adapters", "period_store.sql")

BALANCE_SECONDS = 600


class PostgresPeriodStore:
    """PeriodStore over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def closings(self) -> list[Closing]:
        """The closed periods, in order."""
        return [Closing(*row) for row in await self._connection.fetch(_sql.closings)]

    async def close(self, period: str, *, by: str, on: date) -> None:
        """Stop every stream for a moment, and record how far it is and what that comes to."""
        positions = await self._connection.fetch(_sql.lock)
        try:
            await self._connection.execute(_sql.close, period, by, on, len(positions))
        except asyncpg.IntegrityConstraintViolationError as error:
            why = f"the database refuses it by {error.constraint_name}"
            raise InvalidInput([Problem(why, field="PERIOD", value=period)]) from error
        await self._connection.execute(
            _sql.add_positions, period,
            [row["stream_id"] for row in positions], [row["seq"] for row in positions],
        )  # fmt: skip
        await self._connection.execute(_sql.add_balances, period, timeout=BALANCE_SECONDS)

    async def balances(self, period: str) -> list[Balance]:
        """The trial balance as it was closed."""
        return [Balance(*row) for row in await self._connection.fetch(_sql.balances, period)]
