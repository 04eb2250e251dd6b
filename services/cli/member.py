"""Members: import the file of those who earn, and look them up with all that rules may ask."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from services.accrual import bootstrap as accrual
from services.accrual.facts import Imported
from services.cli.activation import SHOWN as ACTIVATIONS
from services.cli.difference import difference_document, print_difference
from services.cli.session import ByOption, OnDate, Session, day_or_today
from services.settlement import bootstrap as settlement

SHOWN = {"member_id": "member", "account_id": "account", "card_token": "card",
         "card_product": "product", "program": "program", "enrolled_from": "from",
         "enrolled_to": "to", "partner": "partner", "membership_number": "number",
         "revision": "revision"}  # fmt: skip

DATES = {"account_id": "account", "opened_on": "opened", "closed_on": "closed",
         "cycle_day": "cycle day", "revision": "revision"}  # fmt: skip

MERGES = {"partner": "partner", "number_from": "from", "membership_number": "number",
          "since": "since", "batch": "batch", "line": "line", "revision": "revision"}  # fmt: skip

members = typer.Typer(help="Members, their cards and enrolments.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang the commands on `milepost`."""
    app.add_typer(members, name="member")


@members.command("import")
def import_file(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="CSV")],
    on: OnDate = None,
    by: ByOption = None,
) -> None:
    """Import a member file; what they had spent before is decided anew.

    Importing the same file again changes nothing; other values for a key replace it. Columns
    opened_on,closed_on,cycle_day may follow; a file that has them replaces these dates of its
    accounts. If any line is wrong, all wrong lines are listed and nothing is imported (exit 2).
    """
    session: Session = context.obj
    day = day_or_today(on)

    async def work() -> Imported:
        return await accrual.import_members(session.settings(), path, day, by)

    imported = session.run(work())
    counts = {"added": imported.added, "unchanged": imported.unchanged,
              "dates": imported.dated}  # fmt: skip
    if not session.document({**counts, **difference_document(imported.difference)}):
        session.table(list(counts), [list(counts.values())])
        print_difference(session, imported.difference)


@members.command("show")
def show(
    context: typer.Context,
    identifier: Annotated[str, typer.Argument(metavar="ID", help="A member or an account.")],
) -> None:
    """Every row recorded of a member or an account, its dates and its activations.

    Of equal keys, and of an account's dates, the latest revision holds; of the activations of a
    code the earliest day counts. A number that a partner's answer merged is followed by the one
    that it was merged into: since when, and by which line of which batch.
    """
    session: Session = context.obj

    async def work() -> tuple[accrual.Shown, list[dict[str, Any]]]:
        settings = session.settings()
        shown = await accrual.show_member(settings, identifier)
        numbers = {
            (row["partner"], row["membership_number"])
            for row in shown.rows
            if row["partner"] and row["membership_number"]
        }
        return shown, await settlement.list_merges(settings, numbers)

    shown, merges = session.run(work())
    if session.document({"id": identifier, **shown._asdict(), "merges": merges}):
        return
    session.table(list(SHOWN.values()), _cells(shown.rows, SHOWN))
    if merges:
        session.table(list(MERGES.values()), _cells(merges, MERGES), title="merged by the partner")
    if shown.dates:
        session.table(list(DATES.values()), _cells(shown.dates, DATES), title="dates")
    if shown.activations:
        columns = list(ACTIVATIONS.values())
        session.table(columns, _cells(shown.activations, ACTIVATIONS), title="activations")


def _cells(rows: list[dict[str, Any]], columns: Mapping[str, str]) -> list[list[object]]:
    return [[row[name] for name in columns] for row in rows]
