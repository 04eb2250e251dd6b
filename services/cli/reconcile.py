"""`milepost reconcile` and `milepost discrepancy`: what ties, what does not, what people say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli.control import (
    document,
    print_discrepancies,
    print_one,
    print_reconciled,
    row_of,
)
from services.cli.session import FOUND_PROBLEMS, INVALID, OnDate, Session, day_or_today
from services.settlement.bootstrap import reconciling
from services.settlement.bootstrap.reconciling import Reconciled
from services.settlement.reconcile.discrepancy import CLOSED, RESOLVED, Discrepancy
from services.settlement.reconcile.month import read_month
from services.settlement.reconciliation import Terms

SECOND_ABOVE = 10_000
ANSWER_DAYS = 5
Id = Annotated[str, typer.Argument(metavar="ID", help="As `milepost discrepancy list` shows it.")]

discrepancy = typer.Typer(help="What does not tie, and what people say.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang the commands on `milepost`."""
    app.command("reconcile")(reconcile)
    app.add_typer(discrepancy, name="discrepancy")


def reconcile(
    context: typer.Context,
    partner: Annotated[str, typer.Option(help="Whose month.")],
    period: Annotated[str, typer.Option(metavar="YYYY-MM", help="The month.")],
    by: Annotated[str, typer.Option(help="Who reconciles.")] = "milepost",
    on: OnDate = None,
    limit: Annotated[
        int,
        typer.Option(min=0, help="Amounts above it, in minor units, need two people to resolve."),
    ] = SECOND_ABOVE,
    answer_days: Annotated[
        int, typer.Option(min=0, help="Days after which an answer is missing.")
    ] = ANSWER_DAYS,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE.xlsx", help="Write the workbook there too.")
    ] = None,
) -> None:
    """Show a month's control sheet, and compare feed, ledger, lines, files and answers.

    Exit 1 while a discrepancy stands that nobody has resolved.
    """
    session: Session = context.obj
    if to is not None and to.suffix.lower() != ".xlsx":
        session.fail(f"--to: {str(to)!r}: the name must end with .xlsx", INVALID)

    async def work() -> Reconciled:
        month = read_month(period)
        terms = Terms(partner, month, by, day_or_today(on), limit, answer_days)
        return await reconciling.reconcile_month(session.settings(), terms, to=to)

    done = session.run(work())
    if not session.document(document(done)):
        print_reconciled(session, done)
        if to is not None:
            session.say(f"written to {to}")
    if done.recorded.unresolved:
        raise typer.Exit(FOUND_PROBLEMS)


@discrepancy.command("list")
def list_discrepancies(
    context: typer.Context,
    partner: Annotated[str | None, typer.Option(help="Only this partner's.")] = None,
    period: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="Only this month's.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Also those that are resolved, or gone.")
    ] = False,
    on: OnDate = None,
) -> None:
    """List what does not tie, the oldest first, with its age in days and the side that must act."""
    session: Session = context.obj
    day = day_or_today(on)

    async def work() -> list[Discrepancy]:
        name = read_month(period).name if period else None
        return await reconciling.list_discrepancies(
            session.settings(), partner=partner, period=name
        )

    found = [one for one in session.run(work()) if every or one.state not in (CLOSED, RESOLVED)]
    if session.document({"discrepancies": [row_of(one, day) for one in found]}):
        return
    print_discrepancies(session, found, day)
    if not found:
        session.say("nothing stands that nobody has resolved")


@discrepancy.command("resolve")
def resolve(
    context: typer.Context,
    identifier: Id,
    by: Annotated[str, typer.Option(help="Who resolves it.")],
    reason: Annotated[str, typer.Option(help="Why it stands, and what was done.")],
    on: OnDate = None,
) -> None:
    """Say why a discrepancy stands; above the limit of its run a second person must agree."""
    session: Session = context.obj

    async def work() -> Discrepancy:
        return await reconciling.resolve_discrepancy(
            session.settings(), identifier, by=by, reason=reason, on=day_or_today(on)
        )

    print_one(session, session.run(work()), day_or_today(on))


@discrepancy.command("approve")
def approve(
    context: typer.Context,
    identifier: Id,
    approver: Annotated[str, typer.Option(help="Who agrees: not the one who resolved it.")],
    on: OnDate = None,
) -> None:
    """Agree, as a second person, with what was said of a discrepancy."""
    session: Session = context.obj

    async def work() -> Discrepancy:
        return await reconciling.approve_discrepancy(
            session.settings(), identifier, by=approver, on=day_or_today(on)
        )

    print_one(session, session.run(work()), day_or_today(on))
