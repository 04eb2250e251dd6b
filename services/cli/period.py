"""Accounting periods: what is closed stays as it is."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.session import OnDate, Session, day_or_today
from services.kernel.units import major
from services.settlement import bootstrap as settlement

period = typer.Typer(help="Accounting periods, closed one after the other.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang the commands on `milepost`."""
    app.add_typer(period, name="period")


@period.command("close")
def close(
    context: typer.Context,
    month: Annotated[str, typer.Argument(metavar="PERIOD", help="Such as 2026-03.")],
    by: Annotated[str, typer.Option(help="Who closes.")],
    on: OnDate = None,
) -> None:
    """Close a month and all before it: later postings count from the first open day.

    Their own effective dates stay. The trial balance through a closed day is the same for ever.
    """
    session: Session = context.obj
    day = day_or_today(on)

    async def work() -> settlement.Closed:
        return await settlement.close_period(session.settings(), month, by=by, on=day)

    closed = session.run(work())
    document = {
        **closed.closing._asdict(),
        "fresh": closed.fresh,
        "accounts": [row._asdict() for row in closed.balances],
    }
    if session.document(document):
        return
    columns = ["unit", "account", "debit", "credit"]
    session.table(
        columns,
        [[row.unit, row.account, major(row.debit, row.unit), major(row.credit, row.unit)]
         for row in closed.balances],
    )  # fmt: skip
    verb = "is" if closed.fresh else "was already"
    session.say(f"{month} {verb} closed; the first open day is {closed.closing.opens_on}")


@period.command("list")
def list_periods(context: typer.Context) -> None:
    """The closed months."""
    session: Session = context.obj

    async def work() -> list[dict[str, object]]:
        found = await settlement.list_periods(session.settings())
        return [closing._asdict() for closing in found]

    rows = session.run(work())
    if session.document({"periods": rows}):
        return
    session.table(
        ["period", "opens on", "who", "recorded on"], [list(row.values()) for row in rows]
    )
