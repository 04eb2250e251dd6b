"""What a draft would have paid: `milepost contract try`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.accrual import bootstrap as accrual
from services.accrual.contracts.parse import Signed, parse, recorded
from services.accrual.trial.run import Progress as Told
from services.accrual.trial.run import Trial
from services.accrual.trial.tally import Window
from services.cli.session import Session
from services.cli.trial_report import Report, print_report
from services.ingest.feeds.feed import Feed
from services.ingest.feeds.jsonlines import parser
from services.kernel.errors import InvalidInput, Problem, Rejected
from services.kernel.transaction import CardTransaction, Role
from services.runtime.system_clock import SystemClock

LINES = 10
"""Lines of progress where there is no terminal."""


def register(contracts: typer.Typer) -> None:
    """Hang the command on `milepost contract`."""
    contracts.command("try")(attempt)


def attempt(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="The draft, a contract file.")],
    first: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first governing date.")
    ],
    last: Annotated[
        datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="The last one, inclusive.")
    ],
    events: Annotated[
        Path | None,
        typer.Option(help="A file of milepost-json lines to try it on, in place of the record."),
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="With --events: contract files that it stands beside, in place of the "
                     "approved versions of the database. May be repeated."),
    ] = None,
    members: Annotated[
        Path | None,
        typer.Option(help="With --events: a member file. Left out, everyone takes part."),
    ] = None,
    activations: Annotated[
        Path | None,
        typer.Option(help="With --events: an activation file. Left out, nothing is activated."),
    ] = None,
    cores: Annotated[
        int | None, typer.Option(min=1, help="At most so many processes; left out: all cores.")
    ] = None,
) -> None:  # fmt: skip
    """Show what this draft would have paid, beside what was paid. Nothing is changed.

    The draft stands in the place of the approved version of its number, or beside the approved
    ones. Where its term holds no day of the window, it is tried as if it held all of them. Whole
    accounts are decided anew by the engine itself; rewards with a governing date in the window
    are compared.
    """
    session: Session = context.obj
    clock = SystemClock()
    began = clock.monotonic_seconds()

    async def work() -> Report:
        window = Window(first.date(), last.date())
        if window.last < window.first:
            why = f"is before --from ({window.first})"
            raise InvalidInput([Problem(why, field="--to", value=str(window.last))])
        given = (("--against", against), ("--members", members), ("--activations", activations))
        if events is None and (alone := [field for field, value in given if value]):
            why = "goes with --events: the record has approved versions and members of its own"
            raise InvalidInput([Problem(why, field=field) for field in alone])
        draft = parse(_content(path), file=str(path))
        with _progress(session) as progress:
            if events is None:
                settings = session.settings()
                found = await accrual.try_on_record(settings, draft, window, progress, cores=cores)
            else:
                on = _OnFile(events, against, members, activations, cores)
                found = await on.tried(session, draft, window, progress)
        source = "record" if events is None else str(events)
        return Report.of(found, source, clock.monotonic_seconds() - began)

    print_report(session, session.run(work()))


@dataclass(frozen=True, slots=True)
class _OnFile:
    """A trial on a file of events."""

    events: Path
    against: list[Path] | None
    members: Path | None
    activations: Path | None
    cores: int | None

    async def tried(
        self, session: Session, draft: Signed, window: Window, progress: Told
    ) -> Trial:  # fmt: skip
        settings = session.settings()
        beside: list[tuple[str, str]] | None = None
        if self.against:
            beside = [
                (str(one), recorded(_content(one), file=str(one)).text) for one in self.against
            ]
        elif settings.database_url is None and settings.database_url_file is None:
            beside = []
            session.say("no database is configured and no --against: beside it stands nothing")
        return await accrual.try_on_events(
            settings, draft, window, progress, events=_events(self.events, draft.contract.issuer),
            against=beside, members=self.members, activations=self.activations, cores=self.cores,
        )  # fmt: skip


def _events(path: Path, issuer: str) -> list[CardTransaction]:
    """The events of a file. Raises InvalidInput with every line that is none of the issuer's."""
    parse_line = parser(Feed(str(path), issuer, Role.BOOKS, "", "milepost-json"))
    found: list[CardTransaction] = []
    problems: list[Problem] = []
    for number, line in enumerate(_content(path).split(b"\n"), 1):
        if not line.strip():
            continue
        for outcome in parse_line(line):
            if isinstance(outcome, Rejected):
                why = f"{outcome.reason}: {outcome.message}"
                problems.append(Problem(why, file=str(path), line=number, field=outcome.field))
            else:
                found.append(outcome)
    if problems:
        raise InvalidInput(problems)
    return found


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput([Problem(error.strerror or "cannot be read", file=str(path))]) from error


@contextmanager
def _progress(session: Session) -> Iterator[Told]:
    """A bar on a terminal, a line now and then elsewhere."""
    if session.quiet or not sys.stderr.isatty():
        told = 0

        def line(done: int, total: int) -> None:
            nonlocal told
            if done == total or (done - told) * LINES >= total:
                told = done
                session.say(f"{done:,} of {total:,} accounts tried")

        yield line
        return
    columns = TextColumn("accounts tried"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
