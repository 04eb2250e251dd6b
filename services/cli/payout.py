"""Where members are paid: the payout table, filled from a file and read by no command."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from services.cli.session import Session
from services.runtime.system_clock import SystemClock
from services.settlement.bootstrap import payouts

payout = typer.Typer(help="Accounts that members are paid to.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang the commands on `milepost`."""
    app.add_typer(payout, name="payout")


@payout.callback()
def _group() -> None:
    """Keeps `import` a command of its own while it is the only one."""


@payout.command("import")
def import_(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="CSV", help="Members and payers, one a row.")],
    by: Annotated[str, typer.Option(help="Who imports.")],
    on: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="The recorded date; today in UTC."),
    ] = None,
) -> None:
    """Store accounts, each sealed to the key of MILEPOST_PAYOUT_KEY_FILE.

    All rows are stored or none. Batches that are sealed already are paid to the accounts that
    were known then; a later row of the same member holds from the next batch on.
    """
    session: Session = context.obj
    day = on.date() if on else SystemClock().today()

    async def work() -> int:
        return await payouts.import_payouts(session.settings(), path, by=by, on=day)

    count = session.run(work())
    if not session.document({"path": str(path), "accounts": count}):
        session.table(("path", "accounts"), [[str(path), count]])
