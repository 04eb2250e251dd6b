"""`milepost reconcile` and `milepost discrepancy`: what ties, what does not, what people say."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.session import FOUND_PROBLEMS, INVALID, Session
from services.kernel.units import major
from services.runtime.system_clock import SystemClock
from services.settlement.bootstrap import reconciling
from services.settlement.bootstrap.reconciling import Reconciled
from services.settlement.reconcile.code import MEANING, Code
from services.settlement.reconcile.control import Amounts, Sheet
from services.settlement.reconcile.discrepancy import CLOSED, RESOLVED, Discrepancy
from services.settlement.reconcile.judge import SIDES
from services.settlement.reconcile.month import read_month
from services.settlement.reconciliation import Terms

SECOND_ABOVE = 10_000
ANSWER_DAYS = 5
_DAY = ["%Y-%m-%d"]
OnDate = Annotated[
    datetime | None,
    typer.Option("--date", formats=_DAY, help="The recorded date; today in UTC if left out."),
]
Id = Annotated[str, typer.Argument(metavar="ID", help="As `milepost discrepancy list` shows it.")]
_WHY = {
    "LISTED": "held or carried by the latest batch",
    "SINCE": "recorded or due after the latest batch",
    "MISSING": "in no line, though the latest batch saw them",
}

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
        terms = Terms(partner, month, by, _day(on), limit, answer_days)
        return await reconciling.reconcile_month(session.settings(), terms, to=to)

    done = session.run(work())
    if not session.document(_document(done)):
        _print(session, done)
        if to is not None:
            session.say(f"written to {to}")
    if done.recorded.unresolved:
        raise typer.Exit(FOUND_PROBLEMS)


def _document(done: Reconciled) -> dict[str, Any]:
    terms, seen, recorded = done.terms, done.seen, done.recorded
    return {
        "partner": terms.partner,
        "period": terms.month.name,
        "run": recorded.run,
        "ties": not recorded.unresolved,
        "units": [
            {
                "unit": sheet.unit,
                "opening": sheet.opening,
                "movements": [one._asdict() for one in sheet.movements],
                "closing": sheet.closing,
                "difference": sheet.difference,
            }
            for sheet in seen.sheets
        ],
        "batches": [{"batch": batch, "state": state} for batch, state in seen.batches],
        "comparisons": [one._asdict() for one in seen.tallies],
        "waiting": [one._asdict() for one in seen.waiting],
        "answers": {"outcomes": dict(seen.outcomes), **seen.unanswered._asdict()},
        "new": recorded.new,
        "closed": recorded.gone,
        "discrepancies": [_row(one, terms.on) for one in recorded.standing],
    }


def _print(session: Session, done: Reconciled) -> None:
    terms, seen, recorded = done.terms, done.seen, done.recorded
    for sheet in seen.sheets:
        _print_sheet(session, sheet, f"{terms.partner}, {terms.month.name}, {sheet.unit}")
    if not seen.sheets:
        session.say(f"nothing was ever granted under a contract of {terms.partner}")
    _print_tallies(session, done)
    for one in seen.waiting:
        session.say(f"{one.transfers} due transfers, {_money(one.amount, one.unit)}: "
                    f"{_WHY[one.why]}")  # fmt: skip
    if seen.outcomes:
        session.say("answers: " + ", ".join(f"{name} {count}" for name, count in seen.outcomes))
    if seen.unanswered.in_time:
        session.say(f"{seen.unanswered.in_time} lines wait for an answer, all in time")
    if recorded.standing:
        _print_discrepancies(session, recorded.standing, terms.on)
    counts = f"run {recorded.run}: {recorded.new} new, {recorded.gone} gone"
    if recorded.unresolved:
        session.say(f"{counts}, {recorded.unresolved} unresolved")
    else:
        session.say(f"{counts}; everything ties"
                    + (" but what was resolved" if recorded.standing else ""))  # fmt: skip


def _print_sheet(session: Session, sheet: Sheet, title: str) -> None:
    places = sheet.places

    def cells(amounts: Amounts) -> list[str]:
        found = [major(amounts.get(place, 0), sheet.unit) for place in places]
        return [*found, major(sum(amounts.values()), sheet.unit)]

    rows: list[list[object]] = [["opening", "", *cells(sheet.opening)]]
    rows += [
        [one.kind.lower().replace("_", " "), one.transfers, *cells(one.amounts)]
        for one in sheet.movements
    ]
    rows.append(["closing", "", *cells(sheet.closing)])
    rows.append(["difference to the ledger", "", *cells(sheet.difference)])
    session.table(("", "transfers", *places, "sum"), rows, title=title)
    stands = ", ".join(
        f"{name} {_money(sheet.closing.get(place, 0), sheet.unit)}"
        for place, name in (("payable", "payable"), ("clearing", "in clearing"),
                            ("bank", "at the bank"))
    )  # fmt: skip
    session.say(stands)


def _print_tallies(session: Session, done: Reconciled) -> None:
    rows = [
        [SIDES[one.check][0], one.left_rows, major(one.left_amount, one.unit),
         SIDES[one.check][1], one.right_rows, major(one.right_amount, one.unit), one.unit,
         major(one.left_amount - one.right_amount, one.unit)]
        for one in done.seen.tallies
    ]  # fmt: skip
    if rows:
        session.table(
            ("left", "rows", "amount", "right", "rows", "amount", "unit", "difference"), rows
        )
    if not done.seen.compares:
        session.say("no compare feed is recorded: the books feed stands by itself")


def _print_discrepancies(session: Session, found: tuple[Discrepancy, ...], on: date) -> None:
    rows = [
        [one.id, one.code, one.subject, _money(one.amount, one.unit), one.owner, one.age(on),
         one.state, f"{MEANING[Code(one.code)].words}: {one.detail}"]
        for one in found
    ]  # fmt: skip
    session.table(("id", "code", "subject", "amount", "owner", "days", "state", "what"), rows)


def _row(one: Discrepancy, on: date) -> dict[str, Any]:
    return {
        "id": one.id, "partner": one.partner, "period": one.period, "comparison": one.check,
        "code": one.code, "meaning": MEANING[Code(one.code)].words, "subject": one.subject,
        "amount": one.amount, "unit": one.unit, "owner": one.owner,
        "first_seen": one.first_seen.isoformat(), "days": one.age(on), "state": one.state,
        "second_eyes": one.second_eyes, "resolved_by": one.who, "reason": one.reason,
        "approved_by": one.approver, "detail": one.detail,
    }  # fmt: skip


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
    day = _day(on)

    async def work() -> list[Discrepancy]:
        name = read_month(period).name if period else None
        return await reconciling.list_discrepancies(
            session.settings(), partner=partner, period=name
        )

    found = [one for one in session.run(work()) if every or one.state not in (CLOSED, RESOLVED)]
    if session.document({"discrepancies": [_row(one, day) for one in found]}):
        return
    _print_discrepancies(session, tuple(found), day)
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
            session.settings(), identifier, by=by, reason=reason, on=_day(on)
        )

    _print_one(session, session.run(work()), _day(on))


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
            session.settings(), identifier, by=approver, on=_day(on)
        )

    _print_one(session, session.run(work()), _day(on))


def _print_one(session: Session, one: Discrepancy, on: date) -> None:
    if session.document(_row(one, on)):
        return
    _print_discrepancies(session, (one,), on)
    if one.state == RESOLVED:
        session.say(f"{one.id} is resolved")
    else:
        session.say(f"now somebody else: milepost discrepancy approve {one.id} --approver WHO")


def _money(amount: int, unit: str) -> str:
    return f"{major(amount, unit)} {unit}" if unit else "–"


def _day(on: datetime | None) -> date:
    return on.date() if on else SystemClock().today()
