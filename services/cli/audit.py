"""The audit: who did what."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.cli.session import Session
from services.settlement import bootstrap as settlement

audit = typer.Typer(help="Who did what, as the database saw it.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang the commands on `milepost`."""
    app.add_typer(audit, name="audit")


@audit.command("list")
def list_rows(
    context: typer.Context,
    subject: Annotated[
        str | None, typer.Option(help="Only this batch, period or contract/version.")
    ] = None,
    actor: Annotated[str | None, typer.Option(help="Only this person.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many rows.")] = 100,
) -> None:
    """What people did, latest first. A row without a link is younger than the chain's delay."""
    session: Session = context.obj

    async def work() -> list[dict[str, Any]]:
        return await settlement.audit_rows(
            session.settings(), subject=subject, actor=actor, rows_max=limit
        )

    rows = session.run(work())
    if session.document({"actions": rows}):
        return
    columns = ["recorded_at", "actor", "action", "subject", "recorded_on", "login", "role", "link"]
    session.table(
        [column.replace("_", " ") for column in columns],
        [[row[column] for column in columns] for row in rows],
    )
