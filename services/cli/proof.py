"""Proof: the trial balance, every invariant, and what a person must look at."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from services.accrual import bootstrap as accrual
from services.accrual.lookup.records import SumRow
from services.cli import review
from services.cli.session import VIOLATED, Session
from services.kernel.finding import Finding
from services.kernel.units import major
from services.settlement import bootstrap as settlement


def register(app: typer.Typer) -> None:
    """Hang the commands on `milepost`."""
    app.command("trial-balance")(trial_balance)
    app.command("verify")(verify)
    app.add_typer(review.commands, name="review")


def trial_balance(
    context: typer.Context,
    through: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The last accounting date that counts.")
    ],
    members: Annotated[
        bool, typer.Option("--members", help="Every member's account, not all in one line.")
    ] = False,
) -> None:
    """Show the debits and credits of every account through a day; their difference is zero.

    Exit 4 if a unit does not balance.
    """
    session: Session = context.obj

    async def work() -> list[SumRow]:
        async with accrual.books(session.settings()) as books:
            return await books.trial_balance(through.date(), members=members)

    units: dict[str, list[SumRow]] = {}
    for row in session.run(work()):
        units.setdefault(row.unit, []).append(row)
    differences = {
        unit: sum(row.debit - row.credit for row in rows) for unit, rows in units.items()
    }
    document = {
        "through": through.date().isoformat(),
        "units": [
            {
                "unit": unit,
                "accounts": [
                    {"account": row.account, "debit": row.debit, "credit": row.credit}
                    for row in rows
                ],
                "difference": differences[unit],
            }
            for unit, rows in units.items()
        ],
    }
    if not session.document(document):
        _print_trial_balance(session, units, differences, f"through {through.date()}")
    if any(differences.values()):
        raise typer.Exit(VIOLATED)


def _print_trial_balance(
    session: Session, units: dict[str, list[SumRow]], differences: dict[str, int], title: str
) -> None:
    rows: list[list[object]] = []
    for unit, found in units.items():
        rows += [
            [unit, row.account, major(row.debit, unit), major(row.credit, unit),
             major(row.credit - row.debit, unit)]
            for row in found
        ]  # fmt: skip
        rows.append([unit, "difference", "", "", major(differences[unit], unit)])
    session.table(("unit", "account", "debit", "credit", "balance"), rows, title=title)


def verify(context: typer.Context) -> None:
    """Check every invariant that the data can show: the record, the ledger, what was sealed.

    Everything is read as it is at one instant, while the services go on. Exit 4 if an invariant
    does not hold; the detail names the rows.
    """
    session: Session = context.obj

    async def work() -> list[Finding]:
        settings = session.settings()
        async with accrual.books(settings) as books:
            found = await books.findings()
            return found + await settlement.invariants(
                books.connection, settings.files_dir, settings
            )

    findings = session.run(work())
    ok = all(finding.ok for finding in findings)
    document: dict[str, Any] = {
        "ok": ok,
        "invariants": [
            {"id": one.id, "ok": one.ok, "checked": one.checked, "detail": one.detail}
            for one in findings
        ],
    }
    if not session.document(document):
        session.table(
            ("invariant", "holds", "checked", "detail"),
            [[one.id, "yes" if one.ok else "NO", one.checked, one.detail] for one in findings],
        )
    if not ok:
        session.fail("an invariant is violated: see the detail", VIOLATED)
