"""Activations: dated facts of accounts that rules ask for, by code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from services.accrual import bootstrap as accrual
from services.accrual.facts import Imported
from services.cli.difference import difference_document, print_difference
from services.cli.session import ByOption, OnDate, Session, day_or_today

SHOWN = {"account_id": "account", "code": "code", "activated_on": "activated on",
         "withdrawn_on": "withdrawn on", "revision": "revision"}  # fmt: skip

activations = typer.Typer(
    help="Activations, opt-ins and target lists of accounts.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Hang the commands on `milepost`."""
    app.add_typer(activations, name="activation")


@activations.command("import")
def import_file(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="CSV")],
    on: OnDate = None,
    by: ByOption = None,
) -> None:
    """Import activations (account_id,code,activated_on and, if wanted, withdrawn_on); what the
    accounts had spent before is decided anew.

    Importing the same file again changes nothing. Of several days for one account and code the
    earliest counts. From the day `withdrawn_on` on an activation does not count; one that is
    withdrawn on its own day never did, and an empty cell takes a withdrawal back. If any line is
    wrong, all wrong lines are listed and nothing is imported (exit 2).
    """
    session: Session = context.obj
    day = day_or_today(on)

    async def work() -> Imported:
        return await accrual.import_activations(session.settings(), path, day, by)

    imported = session.run(work())
    counts = {"added": imported.added, "unchanged": imported.unchanged}
    if not session.document({**counts, **difference_document(imported.difference)}):
        session.table(list(counts), [list(counts.values())])
        print_difference(session, imported.difference)


@activations.command("list")
def list_rows(
    context: typer.Context, account: Annotated[str, typer.Argument(metavar="ACCOUNT")]
) -> None:
    """Every activation of an account, by code and day; of equal days the latest revision holds."""
    session: Session = context.obj

    async def work() -> list[dict[str, Any]]:
        return await accrual.list_activations(session.settings(), account)

    rows = session.run(work())
    if not session.document({"account": account, "activations": rows}):
        session.table(list(SHOWN.values()), [[row[name] for name in SHOWN] for row in rows])
