"""Rebuild and reconsider: decide again, and compare or post the difference."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from services.accrual import bootstrap as accrual
from services.accrual.reconsider import Difference
from services.cli.difference import difference_document, print_difference
from services.cli.session import VIOLATED, ByOption, OnDate, Session, day_or_today
from services.settlement import bootstrap as settlement

reconsider = typer.Typer(
    help="Decide purchases anew and post the differences.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Hang the commands on `milepost`."""
    app.command("rebuild", help="Fold the recorded events again and compare row for row.")(rebuild)
    app.add_typer(reconsider, name="reconsider")


def rebuild(
    context: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Compare; the ledger is never changed.")
    ] = False,
) -> None:
    """Recompute the ledger from events, facts and command inputs in an empty schema; exit 4 if it
    differs from what is recorded."""
    session: Session = context.obj
    if not check:
        session.fail("the ledger is append-only: say --check to compare a rebuild with it", 2)
    settings = session.loaded()
    resettle = partial(settlement.resettle, settings=settings)
    rebuilt = session.run(accrual.rebuild(settings, session.say, resettle))
    ok = not rebuilt.differences
    document = {
        "ok": ok,
        "streams": rebuilt.streams,
        "events": rebuilt.events,
        "differences": rebuilt.differences,
    }
    if not session.document(document):
        session.table(
            ["streams", "events", "differences"],
            [[rebuilt.streams, rebuilt.events, len(rebuilt.differences)]],
        )
        for difference in rebuilt.differences:
            session.say(difference)
    if not ok:
        raise typer.Exit(VIOLATED)


@reconsider.command("account")
def reconsider_account(
    context: typer.Context, account: str, on: OnDate = None, by: ByOption = None
) -> None:
    """Decide all purchases of one account anew, events whose decision broke included."""
    session: Session = context.obj
    day = day_or_today(on)
    settings = session.loaded()
    _print(session, session.run(accrual.reconsider_account(settings, account, on=day, by=by)))


@reconsider.command("contract")
def reconsider_contract(
    context: typer.Context, contract: str, on: OnDate = None, by: ByOption = None
) -> None:
    """Decide all purchases of the contract's issuer anew."""
    session: Session = context.obj
    day = day_or_today(on)
    settings = session.loaded()
    _print(session, session.run(accrual.reconsider_contract(settings, contract, on=day, by=by)))


def _print(session: Session, difference: Difference) -> None:
    if not session.document(difference_document(difference)):
        print_difference(session, difference)
