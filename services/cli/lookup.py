"""Look-ups: what an account has, how it came to it, and why."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from services.accrual import bootstrap as accrual
from services.accrual.lookup.records import BalanceRow
from services.accrual.lookup.statement import Statement, parse_period
from services.cli import explanation
from services.cli import statement as written
from services.cli.session import INVALID, Session, day_or_today
from services.kernel.units import major

LINE = ("date", "kind", "merchant", "purchase", "contract", "rule", "cause", "amount")


def register(app: typer.Typer) -> None:
    """Hang the commands on `milepost`."""
    app.command("balance")(balance)
    app.command("statement")(statement)
    app.command("explain")(explain)


def balance(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="The account's id, as the feed names it.")],
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day that is asked about; today in UTC."),
    ] = None,
) -> None:
    """Show what an account has: pending, available, settled, and all of it.

    Pending has been earned and is released later; available can be settled; settled has gone to
    the partner or the payout in a sealed batch. Pending, available and settled add up to the
    amount: all that was earned less what was taken back.
    """
    session: Session = context.obj
    day = day_or_today(as_of)

    async def work() -> tuple[list[BalanceRow], bool]:
        async with accrual.books(session.settings()) as books:
            rows = await books.balance(account, day)
            return rows, bool(rows) or await books.known(account)

    rows, known = session.run(work())
    names = ("unit", "pending", "available", "settled", "amount")
    document = {
        "account_id": account,
        "as_of": day.isoformat(),
        "balances": [
            dict(zip(names, (*row[1:], row.amount), strict=True)) for row in rows
        ],
    }  # fmt: skip
    if session.document(document):
        return
    table = [[row.unit, *(major(n, row.unit) for n in (*row[2:], row.amount))] for row in rows]
    session.table(names, table, title=f"{account} as of {day}")
    if not known:
        session.say(f"nothing is recorded of account {account!r}: is the id right?")
    elif not rows:
        session.say(f"{account} is known and has earned nothing yet")


def statement(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="The account's id, as the feed names it.")],
    period: Annotated[
        str, typer.Option(help="2026, 2026-03, 2026-03-05, or a range: 2026-01..2026-03.")
    ],
    to: Annotated[
        Path | None, typer.Option(help="Write it to this file: .pdf (PDF/A), .xlsx or .csv.")
    ] = None,
    form: written.FormOption = None,
) -> None:
    """Show an account's opening balance, what moved in a period, and the closing balance.

    Days are accounting dates: the posting date of the event that moved something. The balance is
    what is pending or available; what is settled has left it.
    """
    session: Session = context.obj

    async def work() -> tuple[list[Statement], str, str]:
        span = parse_period(period)
        async with accrual.books(session.settings()) as books:
            found = await books.statement(account, span)
        if to is not None:
            written.save(session, written.of_member(account, span, found), to, form)
        return found, span.first.isoformat(), span.last.isoformat()

    found, first, last = session.run(work())
    if to is not None:
        return
    document = {
        "account_id": account,
        "from": first,
        "to": last,
        "units": [_statement(one) for one in found],
    }
    if session.document(document):
        return
    for one in found:
        _print_statement(session, one, f"{account}, {one.unit}, {first} to {last}")
    if not found:
        session.say(f"{account} has never earned anything")


def _statement(one: Statement) -> dict[str, Any]:
    lines = [dict(zip(LINE, (line.on.isoformat(), *line[1:]), strict=True)) for line in one.lines]
    return {"unit": one.unit, "opening": one.opening, "lines": lines, "closing": one.closing}


def _print_statement(session: Session, one: Statement, title: str) -> None:
    blank = [""] * (len(LINE) - 3)
    rows: list[list[object]] = [["", "opening", *blank, major(one.opening, one.unit)]]
    rows += [
        [line.on, *(value or "" for value in line[1:-1]), major(line.amount, one.unit)]
        for line in one.lines
    ]
    rows.append(["", "closing", *blank, major(one.closing, one.unit)])
    session.table(LINE, rows, title=title)


def explain(
    context: typer.Context,
    event: Annotated[
        str | None, typer.Argument(metavar="[ISSUER/EVENT_ID]", help="Such as first-bank/P1.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TOPIC/PARTITION/OFFSET",
            help="A record of card-transactions, or of an issuer's feed.",
        ),
    ] = None,
) -> None:
    """Explain an event step by step: its facts, the contract's version, every rule, who pays.

    The decision is derived anew from what is recorded, and must be what the ledger holds (exit 4
    if not). The steps are those of the event's own time; what changed its purchase afterwards
    follows, and last what the purchase has now.
    """
    session: Session = context.obj
    if (event is None) == (at is None):
        session.fail("name an event as ISSUER/EVENT_ID, or a record with --at", INVALID)

    async def work() -> list[dict[str, Any]]:
        async with accrual.books(session.settings()) as books:
            return await (books.explain(event) if event else books.explain_at(str(at)))

    found = session.run(work())
    if session.document(found[0] if len(found) == 1 else {"events": found}):
        return
    for document in found:
        title = f"{document['issuer_id']}/{document['event_id']}" if document["event_id"] else ""
        session.table(("step", "what"), list(explanation.rows(document)), title=title)
