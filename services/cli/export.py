"""Exports: the record and the ledger as files for other systems."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.accrual import bootstrap as accrual
from services.accrual.export import EXPORTS, Rows
from services.cli.session import Session, day_or_today
from services.runtime.database import Connection
from services.settlement import bootstrap as settlement


class What(StrEnum):
    """What can be exported."""

    EVENTS = "events"
    GRANTS = "grants"
    TOTALS = "totals"
    TRANSFERS = "transfers"
    BALANCES = "balances"
    BATCHES = "batches"


def register(app: typer.Typer) -> None:
    """Hang the command on `milepost`."""
    app.command("export")(export)


def export(
    context: typer.Context,
    what: Annotated[What, typer.Argument(help="Which rows.")],
    to: Annotated[Path, typer.Option(help="The file: .csv, .jsonl or .parquet.")],
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day of balances; today in UTC."),
    ] = None,
) -> None:
    """Write events, grants, totals, transfers, balances or batches to a file, by its ending.

    All rows are of one instant, in an order that follows from their content. Amounts are whole
    minor units, dates ISO. In CSV nothing is added to a value: text that a spreadsheet would take
    for a formula (it begins with =, +, - or @) is quoted and otherwise left as it is.
    """
    session: Session = context.obj
    day = day_or_today(as_of)

    async def work() -> int:
        async with accrual.books(session.settings()) as books:
            if what is What.BATCHES:
                rows = _batches(books.connection)
                return await accrual.write_table(to, settlement.BATCH_COLUMNS, rows)
            return await accrual.write_table(to, EXPORTS[what], books.rows(what, day))

    count = session.run(work())
    if not session.document({"export": what.value, "path": str(to), "rows": count}):
        session.table(("export", "path", "rows"), [[what.value, str(to), count]])


async def _batches(connection: Connection) -> Rows:
    yield await settlement.batch_rows(connection)
