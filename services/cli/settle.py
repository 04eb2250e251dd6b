"""Settlement: seal what is due to a partner, and the batches that came of it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from services.cli import batches as shown
from services.cli import statement
from services.cli.session import FOUND_PROBLEMS, INVALID, OnDate, Session, day_or_today
from services.settlement import bootstrap as settlement
from services.settlement.batches.order import Order
from services.settlement.files.file import Checked

_DAY = ["%Y-%m-%d"]
Batch = Annotated[str, typer.Argument(metavar="ID", help="Such as sky-air-000001.")]

batch = typer.Typer(help="Sealed batches, their files and approvals.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang the commands on `milepost`."""
    app.command("settle", help="Seal what is due to a partner through a day.")(settle)
    app.add_typer(batch, name="batch")


def settle(
    context: typer.Context,
    partner: Annotated[str, typer.Option(help="Whom to settle with.")],
    by: Annotated[str, typer.Option(help="Who seals; somebody else must approve.")],
    through: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="The last day that is due.")
    ] = None,
    cycle: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m"], help="A month instead: through its end, as it rolls."),
    ] = None,
    on: OnDate = None,
) -> None:
    """Seal what is due into a batch, and write its files to `pending/`.

    When nothing is due no batch is made. The same command again seals only what is new. A cycle
    ends on the last day of its month, or where the contract's holidays roll it to.
    """
    session: Session = context.obj
    if (through is None) == (cycle is None):
        session.fail("say either --through or --cycle", INVALID)

    async def work() -> tuple[Order, settlement.Settled]:
        settings = session.settings()
        if through is not None:
            last = through.date()
        elif cycle is not None:
            last = await settlement.end_of_cycle(settings, partner, cycle.date())
        order = Order(partner=partner, through=last, by=by, on=day_or_today(on))
        return order, await settlement.settle(settings, order)

    order, settled = session.run(work())
    shown.print_settled(session, order, settled)


@batch.command("list")
def list_batches(
    context: typer.Context,
    partner: Annotated[str | None, typer.Option(help="Only this partner's.")] = None,
) -> None:
    """Every batch, with its state and totals."""
    session: Session = context.obj

    async def work() -> None:
        found = await settlement.list_batches(session.settings(), partner=partner)
        shown.print_list(session, found)

    session.run(work())


@batch.command("show")
def show(
    context: typer.Context,
    identifier: Batch,
    line: Annotated[
        int | None, typer.Option(help="Open this line to its transfers and source events.")
    ] = None,
) -> None:
    """A batch: miles by kind, price, amount due, who is held and who is carried."""
    session: Session = context.obj

    async def work() -> None:
        settings = session.settings()
        if line is None:
            shown.print_batch(session, await settlement.show_batch(settings, identifier))
        else:
            shown.print_line(session, await settlement.show_line(settings, identifier, line))

    session.run(work())


@batch.command("approve")
def approve(
    context: typer.Context,
    identifier: Batch,
    approver: Annotated[str, typer.Option(help="Who approves: not the one who sealed.")],
    on: OnDate = None,
) -> None:
    """Approve a batch as a second person; its files move to `outgoing/`."""
    session: Session = context.obj
    day: date = day_or_today(on)

    async def work() -> None:
        approved = await settlement.approve_batch(
            session.settings(), identifier, approver=approver, on=day
        )
        shown.print_approved(session, approved)

    session.run(work())


@batch.command("reproduce")
def reproduce(context: typer.Context, identifier: Batch) -> None:
    """Compute a batch's files anew, compare them with what was sealed, write what is missing.

    Other bytes than were sealed end with exit code 4, and nothing is written.
    """
    session: Session = context.obj

    async def work() -> None:
        header, files = await settlement.reproduce_batch(session.settings(), identifier)
        shown.print_reproduced(session, header, files)

    session.run(work())


@batch.command("check")
def check(context: typer.Context, path: Annotated[Path, typer.Argument(metavar="FILE")]) -> None:
    """Read a file of any published layout; exit 1 and every problem if something is wrong."""
    session: Session = context.obj

    async def work() -> Checked:
        return settlement.check_file(path)

    checked = session.run(work())
    shown.print_checked(session, path, checked)
    if checked.problems:
        raise typer.Exit(FOUND_PROBLEMS)


statement.register_under(batch)  # behind those above, in the help too
