"""The `milepost` command: global options, and the groups that hang on it."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from services.cli import people
from services.cli.session import Output, Session
from services.kernel.errors import InvalidInput

app = typer.Typer(
    name="milepost",
    help="Turns card transactions into cashback and airline miles, and proves every one.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)

GROUPS = (
    "service", "feed", "deadletters", "contract", "member", "activation", "lookup", "proof",
    "rebuild", "settle", "reconcile", "payout", "partner", "answer", "period", "audit", "export",
    "demo", "bench",
)  # fmt: skip


@app.callback()
def options(
    context: typer.Context,
    output: Annotated[Output, typer.Option(help="How results are printed.")] = Output.TABLE,
    config: Annotated[Path | None, typer.Option(help="A TOML file with settings.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only results and errors.")] = False,
) -> None:
    """Options that stand before the command."""
    context.obj = Session(output=output, quiet=quiet, config=config)


try:
    for group in GROUPS:
        import_module(f"services.cli.{group}").register(app)
except InvalidInput as error:  # a page of schemas/files, which are read when they are first named
    print(*error.problems, sep="\n", file=sys.stderr)
    raise SystemExit(2) from error
COMMANDS = people.name_commands(app)


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
