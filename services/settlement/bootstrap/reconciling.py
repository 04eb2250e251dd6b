"""Reconcile a partner's month, and what people say of its discrepancies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from services.runtime.settings import Settings
from services.settlement import discrepancies
from services.settlement.adapters.file_drop import FolderDrop
from services.settlement.adapters.reconcile_store import PostgresArchive, read_books
from services.settlement.adapters.sides import DuckSides
from services.settlement.adapters.workbook import write_workbook
from services.settlement.bootstrap.parts import open_database, reading
from services.settlement.discrepancies import Recorded, record
from services.settlement.exchange.answers import BY_LINE
from services.settlement.reconcile.discrepancy import Discrepancy
from services.settlement.reconciliation import Reconciliation, Terms, reconcile

RECORD_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What came of `reconcile`."""

    terms: Terms
    seen: Reconciliation
    recorded: Recorded


async def reconcile_month(settings: Settings, terms: Terms, *, to: Path | None) -> Reconciled:
    """Compare everything as it is at one instant, and record what does not tie.

    With `to` the control sheet and the discrepancies are written there as a workbook.
    """
    drop = FolderDrop(settings.require_files_dir())
    async with open_database(settings) as database:
        with TemporaryDirectory(prefix="milepost-") as folder, duckdb.connect() as duck:
            sides = DuckSides(duck, Path(folder))
            async with (
                database.connection() as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                books = await read_books(connection, terms.partner, terms.month)
                await sides.load(connection, terms.partner, terms.month)
            seen = reconcile(terms, books, sides, drop, answering=BY_LINE)
        async with database.transaction(statement_seconds=RECORD_SECONDS) as connection:
            recorded = await record(terms, seen.found, PostgresArchive(connection))
    reconciled = Reconciled(terms, seen, recorded)
    if to is not None:
        write_workbook(to, terms, seen, recorded)
    return reconciled


async def list_discrepancies(
    settings: Settings, *, partner: str | None, period: str | None
) -> list[Discrepancy]:
    """Every discrepancy, or those of a partner or month, the oldest first."""
    async with reading(settings) as connection:
        return await PostgresArchive(connection).listed(partner=partner, period=period)


async def resolve_discrepancy(
    settings: Settings, id: str, *, by: str, reason: str, on: date
) -> Discrepancy:
    """Say why one stands."""
    async with open_database(settings) as database, database.transaction() as connection:
        archive = PostgresArchive(connection)
        return await discrepancies.resolve(id, by=by, reason=reason, on=on, archive=archive)


async def approve_discrepancy(settings: Settings, id: str, *, by: str, on: date) -> Discrepancy:
    """Agree as a second person."""
    async with open_database(settings) as database, database.transaction() as connection:
        return await discrepancies.approve(id, by=by, on=on, archive=PostgresArchive(connection))
