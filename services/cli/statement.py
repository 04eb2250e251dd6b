"""Statements and journals as files: `batch statement`, `batch journal`, and a member's own."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.accrual.lookup.statement import Period
from services.accrual.lookup.statement import Statement as Moved
from services.cli.session import Session
from services.kernel.errors import InvalidInput, Problem
from services.settlement.bootstrap import statements
from services.settlement.files.statement.document import Row, Section, Statement
from services.settlement.files.statement.of import of_account

DAYS = "accounting dates: the posting date of the event that moved something"


class Form(StrEnum):
    """How a statement is written."""

    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"


FormOption = Annotated[
    Form | None, typer.Option("--format", help="The form; by the file's ending if left out.")
]
To = Annotated[Path, typer.Option(help="The file.")]
Batch = Annotated[str, typer.Argument(metavar="ID", help="Such as sky-air-000001.")]


def register_under(batch: typer.Typer) -> None:
    """Hang the commands on `milepost batch`."""
    batch.command("statement")(statement)
    batch.command("journal")(journal)


def statement(context: typer.Context, identifier: Batch, to: To, form: FormOption = None) -> None:
    """Write a batch's statement for the partner: PDF/A, XLSX or CSV, all with the same totals.

    The same batch gives the same bytes at any time: every date in them is the day sealed through.
    """
    session: Session = context.obj

    async def work() -> Statement:
        found = await statements.statement_of_batch(session.settings(), identifier)
        save(session, found, to, form)
        return found

    session.run(work())


def journal(
    context: typer.Context,
    identifier: Batch,
    chart: Annotated[Path, typer.Option(help="The ledger's chart: which account is booked where.")],
    to: To,
) -> None:
    """Write a batch's journal for Oracle's general ledger: GlInterface.csv, or its .zip archive."""
    session: Session = context.obj

    async def work() -> None:
        file = await statements.save_journal(session.settings(), identifier, chart=chart, to=to)
        said = {"batch": identifier, "path": str(to), "lines": file.records,
                "totals": dict(file.totals)}  # fmt: skip
        if not session.document(said):
            session.table(("batch", "path", "lines"), [[identifier, str(to), file.records]])

    session.run(work())


def save(session: Session, found: Statement, to: Path, form: Form | None) -> None:
    """Write a statement, and say what came of it."""
    if not found.sections:
        raise InvalidInput([Problem("nothing has ever moved here", field="ID", value=found.name)])
    chosen = form.value if form else to.suffix.removeprefix(".")
    count = statements.save_statement(found, form=chosen, to=to)
    totals = {of.unit: of.credits - of.debits for of in found.sections}
    said = {"statement": found.name, "format": chosen, "path": str(to), "bytes": count,
            "totals": totals}  # fmt: skip
    if not session.document(said):
        columns = ("statement", "format", "path", "bytes")
        session.table(columns, [[found.name, chosen, str(to), count]])


def of_member(account: str, period: Period, moved: Sequence[Moved]) -> Statement:
    """What an account's look-up found, as a statement that can be written."""
    sections = [
        Section(
            one.unit,
            tuple(Row(tuple(line[:-1]), line.amount) for line in one.lines),
            opening=one.opening,
            closing=one.closing,
        )
        for one in moved
    ]
    return of_account(account, period.first, period.last, sections, zone=DAYS)
