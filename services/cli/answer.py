"""The files that partners and banks answered with, as they came."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.session import Session
from services.settlement import bootstrap as settlement

answer = typer.Typer(help="Files that were taken in, as they came.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang the commands on `milepost`."""
    app.add_typer(answer, name="answer")


@answer.command("list")
def list_answers(
    context: typer.Context,
    partner: Annotated[str | None, typer.Option(help="Only this partner's.")] = None,
) -> None:
    """Every answer that was taken in, the newest first, with the batches that it answered."""
    session: Session = context.obj

    async def work() -> list[dict[str, Any]]:
        return await settlement.list_answers(session.settings(), partner=partner)

    found = session.run(work())
    if session.document({"answers": found}):
        return
    columns = ["recorded_on", "partner", "name", "layout", "bytes", "who", "batches", "sha256"]
    session.table(
        [column.replace("_", " ") for column in columns],
        [[", ".join(row[name]) if name == "batches" else row[name] for name in columns]
         for row in found],
    )  # fmt: skip
    if not found:
        session.say("no answer has been taken in")


@answer.command("save")
def save_answer(
    context: typer.Context,
    digits: Annotated[str, typer.Argument(metavar="SHA256", help="Its first digits are enough.")],
    to: Annotated[Path, typer.Option(help="The file to write.")],
) -> None:
    """Write the bytes of an answer as they came; those of a bank want the payout table's key."""
    session: Session = context.obj

    async def work() -> tuple[str, int]:
        return await settlement.save_answer(session.settings(), digits, to)

    name, length = session.run(work())
    if not session.document({"name": name, "bytes": length, "path": str(to)}):
        session.table(("answer", "bytes", "path"), [[name, length, str(to)]])
