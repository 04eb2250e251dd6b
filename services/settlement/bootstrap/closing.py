"""Close periods."""

from __future__ import annotations

from datetime import date

from services.runtime.settings import Settings
from services.settlement.adapters.period_store import PostgresPeriodStore
from services.settlement.bootstrap.parts import open_database, reading
from services.settlement.evidence import Closing
from services.settlement.period import Closed, close

CLOSE_SECONDS = 600
"""Every stream stands still meanwhile."""


async def close_period(settings: Settings, period: str, *, by: str, on: date) -> Closed:
    """Close a month and all before it."""
    async with (
        open_database(settings) as database,
        database.transaction(statement_seconds=CLOSE_SECONDS) as connection,
    ):
        return await close(period, by=by, on=on, store=PostgresPeriodStore(connection))


async def list_periods(settings: Settings) -> list[Closing]:
    """The closed months."""
    async with reading(settings) as connection:
        return await PostgresPeriodStore(connection).closings()
