"""What every command shares: the output format, the settings, and what an error becomes."""

from __future__ import annotations

import asyncio
import csv
import json
import logging
import os
import sys
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.cli import people
from services.kernel.errors import InvalidInput, InvariantViolated, Retryable, Unreachable
from services.runtime.settings import Settings, load_settings
from services.runtime.system_clock import SystemClock

T = TypeVar("T")
ByOption = Annotated[
    str | None, typer.Option("--by", help="Who does it, for the audit; the login if left out.")
]
OnDate = Annotated[
    datetime | None,
    typer.Option(
        "--date", formats=["%Y-%m-%d"], help="The recorded date; today in UTC if left out."
    ),
]
"""A command's date is an input: it is recorded with it."""

DONE, FOUND_PROBLEMS, INVALID, UNREACHABLE, VIOLATED = 0, 1, 2, 3, 4
"""Exit codes of interfaces.md."""


def day_or_today(given: datetime | None) -> date:
    """The day that was given, else today in UTC."""
    return given.date() if given else SystemClock().today()


class Output(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Session:
    """One invocation: global options, and the ways to print and to fail."""

    output: Output
    quiet: bool
    config: Path | None

    def settings(self) -> Settings:
        """The settings from the environment and `--config`; InvalidInput lists every problem.

        It is raised, too, where the command that runs is not for the role that they name.
        """
        found = load_settings(os.environ, self.config)
        people.refuse(found.role, people.present_command())
        if found.role == people.PARTNER:
            self.say("in the role partner: nothing is shown but what is of the login's own partner")
        return found

    def loaded(self) -> Settings:
        """The settings; what is wrong with them becomes its lines on stderr and its exit code."""
        try:
            return self.settings()
        except InvalidInput as error:
            self.fail(str(error), INVALID)

    def say(self, text: str) -> None:
        """A line for a person, on stderr so that stdout stays the document."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def document(self, document: Mapping[str, Any]) -> bool:
        """Print `document` when JSON was asked for; says whether it did."""
        if self.output is not Output.JSON:
            return False
        print(json.dumps(document, ensure_ascii=False, default=str))
        return True

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = ""
    ) -> None:
        """Print rows as a table, or as CSV when that was asked for. Numbers go to the right."""
        if self.output is Output.CSV:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)
            return
        console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
        shown = Table(title=title or None, title_justify="left", header_style="bold")
        for index, column in enumerate(columns):
            right = bool(rows) and all(isinstance(row[index], int) for row in rows)
            shown.add_column(column, justify="right" if right else "left", overflow="fold")
        for row in rows:
            shown.add_row(*["" if cell is None else escape(_text(cell)) for cell in row])
        console.print(shown)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a command's work; an error becomes its lines on stderr and its exit code."""
        # What the client library says of a broker that is away, the error says better.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
        try:
            return asyncio.run(work)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except InvalidInput as error:
            self.fail(str(error), INVALID)
        except InvariantViolated as error:
            self.fail(f"an invariant is violated: {error}", VIOLATED)
        except Unreachable as error:
            self.fail(str(error), UNREACHABLE)
        except Retryable as error:
            self.fail(f"{error} Try again.", UNREACHABLE)

    def fail(self, text: str, code: int) -> NoReturn:
        """Say what is wrong and leave with the code."""
        print(text, file=sys.stderr, flush=True)
        raise typer.Exit(code)


def _text(cell: object) -> str:
    return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)
