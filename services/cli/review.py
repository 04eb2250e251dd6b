"""What a person must look at, and what a person decides about it."""

from __future__ import annotations

from typing import Annotated

import typer

from services.accrual import bootstrap as accrual
from services.accrual.linking import Resolved
from services.accrual.lookup.review import Item
from services.cli.difference import difference_document, print_difference
from services.cli.people import AUTHOR
from services.cli.session import OnDate, Session, day_or_today
from services.runtime.system_clock import SystemClock
from services.settlement import bootstrap as settlement

commands = typer.Typer(help="What a person must look at.", no_args_is_help=True)


@commands.command("list")
def review_list(context: typer.Context) -> None:
    """List what needs a person: events that wait, clash, have no effect, or broke a decision.

    Also a batch that the partner has not answered for longer than MILEPOST_ANSWER_DAYS (it is never
    sent again by itself), and an account that a bank asks to have changed.
    """
    session: Session = context.obj
    today = SystemClock().today()

    async def work() -> tuple[bool, list[Item]]:
        settings = session.settings()
        async with accrual.books(settings) as books:
            items = await books.to_review()
        waiting = await settlement.list_waiting(settings, today=today)
        return settings.role == AUTHOR, items + [
            Item(one.what, one.partner, one.account_id, one.about, one.since, one.why)
            for one in waiting
        ]

    blind, items = session.run(work())
    names = ("what", "issuer_id", "account_id", "event_id", "since", "days", "why")
    rows = [
        [item.what, item.issuer_id, item.account_id, item.event_id, item.since.isoformat(),
         (today - item.since).days, item.why]
        for item in items
    ]  # fmt: skip
    if session.document({"items": [dict(zip(names, row, strict=True)) for row in rows]}):
        return
    session.table(names, rows)
    if blind:
        session.say("in the role author: what banks ask about accounts is not shown")
    if not items:
        session.say("nothing waits for a person")


@commands.command("resolve")
def review_resolve(
    context: typer.Context,
    event: Annotated[str, typer.Argument(metavar="ISSUER/EVENT_ID", help="An event that waits.")],
    purchase: Annotated[
        str, typer.Option(metavar="ISSUER/EVENT_ID", help="An event of the purchase it belongs to.")
    ],
    by: Annotated[str, typer.Option(help="Who decides that.")],
    on: OnDate = None,
) -> None:
    """Link an event that waits to a purchase of the same issuer and account.

    From then on it counts as if it had named the event of --purchase; a reversal is linked to what
    it reverses. The link is recorded for good, and the account is decided anew.
    """
    session: Session = context.obj
    day = day_or_today(on)

    async def work() -> Resolved:
        return await accrual.resolve_event(session.settings(), event, purchase, by=by, on=day)

    found = session.run(work())
    document = {
        "event": event, "account_id": found.account_id, "purchase": found.purchase,
        "linked_to": purchase, "by": by, "on": day, **difference_document(found.difference),
    }  # fmt: skip
    if not session.document(document):
        session.say(f"{event} belongs to purchase {found.purchase} of {found.account_id} now")
        print_difference(session, found.difference)
