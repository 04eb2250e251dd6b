"""The demo: the whole way on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from services.cli.session import FOUND_PROBLEMS, Output, Session
from services.kernel.errors import MilepostError
from services.local import demo
from services.local.crew import ServiceEnded
from services.local.narrator import WIDTH, Narrator


def register(app: typer.Typer) -> None:
    """Hang the command on `milepost`."""
    app.command("demo")(run)


def run(
    context: typer.Context,
    keep: Annotated[
        Path | None,
        typer.Option(help="Keep everything in this folder; a later demo finds it again."),
    ] = None,
    transactions: Annotated[int, typer.Option(help="About so many records are sent.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed: the same totals and files.")] = 1,
    once: Annotated[bool, typer.Option("--once", help="End when everything is proven.")] = False,
) -> None:
    """Start Kafka, PostgreSQL and milepost here; two banks' streams become settled files.

    Prints what it did and where the files are. It takes no server but its own, unless
    MILEPOST_KAFKA_BOOTSTRAP_SERVERS and MILEPOST_DATABASE_URL name some; those must be empty.
    """
    session: Session = context.obj
    machine = session.output is Output.JSON
    file = sys.stderr if machine else sys.stdout
    console = Console(file=file, width=None if file.isatty() else WIDTH, highlight=False)
    options = demo.Options(transactions, seed, keep, once)
    try:
        summary = demo.run(options, Narrator(console, quiet=session.quiet))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except ServiceEnded as error:
        session.fail(str(error), error.exit_code)
    except MilepostError as error:
        session.run(_raise(error))
        session.fail(str(error), FOUND_PROBLEMS)
    if summary is None:
        return
    session.document(summary.document())
    if summary.missing:
        missing = ", ".join(summary.missing)
        session.fail(f"not found as it was planted: {missing}", FOUND_PROBLEMS)


async def _raise(error: MilepostError) -> NoReturn:
    raise error
