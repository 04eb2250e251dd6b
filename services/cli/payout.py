"""Where members are paid: the payout table, filled from a file and read by no command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.session import INVALID, OnDate, Session, day_or_today
from services.settlement import bootstrap as settlement
from services.settlement.bootstrap import payouts

payout = typer.Typer(help="Accounts that members are paid to.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang the commands on `milepost`."""
    app.add_typer(payout, name="payout")


@payout.command("import")
def import_(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="CSV", help="Members and payers, one a row.")],
    by: Annotated[str, typer.Option(help="Who imports.")],
    on: OnDate = None,
) -> None:
    """Store accounts, each sealed to the key of MILEPOST_PAYOUT_KEY_FILE.

    All rows are stored or none. Batches that are sealed already are paid to the accounts that
    were known then; a later row of the same member holds from the next batch on.
    """
    session: Session = context.obj
    day = day_or_today(on)

    async def work() -> int:
        return await payouts.import_payouts(session.settings(), path, by=by, on=day)

    count = session.run(work())
    if not session.document({"path": str(path), "accounts": count}):
        session.table(("path", "accounts"), [[str(path), count]])


@payout.command("accept")
def accept(
    context: typer.Context,
    about: Annotated[str, typer.Argument(metavar="BATCH/LINE", help="As `review list` names it.")],
    by: Annotated[str, typer.Option(help="Who accepts.")],
    on: OnDate = None,
) -> None:
    """Pay a member to the account that its bank asks for, from the next batch on.

    It needs the key that opens the payout table. A bank never changes an account by itself.
    """
    session: Session = context.obj
    day = day_or_today(on)
    batch, _, line = about.rpartition("/")
    if not batch or not (line.isascii() and line.isdecimal()):
        session.fail(f"BATCH/LINE: {about!r}: must be such as first-bank-000001/3", INVALID)

    async def work() -> str:
        return await settlement.accept_change(session.settings(), batch, int(line), by=by, on=day)

    account = session.run(work())
    if not session.document({"about": about, "account_id": account, "by": by, "on": day}):
        session.say(f"{account} is paid to the account that its bank asked for")
