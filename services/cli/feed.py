"""Feeds: what they are, and files of records for them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from services.cli.session import DONE, FOUND_PROBLEMS, Session
from services.ingest import bootstrap as ingest
from services.ingest.checking import Report

PLAIN_PROGRESS_RECORDS = 100_000

feeds = typer.Typer(help="Feeds, and files of records for them.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(metavar="FILE", help="Records in the feed's own format.")]
Named = Annotated[str, typer.Option("--feed", metavar="NAME", help="A feed of the feeds file.")]


def register(app: typer.Typer) -> None:
    """Hang the commands on `milepost`."""
    app.add_typer(feeds, name="feed")


@feeds.command("list")
def list_feeds(context: typer.Context) -> None:
    """Show the feeds of MILEPOST_FEEDS_FILE, which is checked on the way."""
    session: Session = context.obj

    async def work() -> list[dict[str, object]]:
        return [
            {
                "name": feed.name, "issuer": feed.issuer, "role": feed.role.value,
                "topic": feed.topic, "format": feed.format,
                "numeric_ids": sorted(feed.numeric_ids), "exact_keys": sorted(feed.exact_keys),
            }
            for feed in ingest.load_feeds(session.settings())
        ]  # fmt: skip

    found = session.run(work())
    if not session.document({"feeds": found}):
        rows = [
            [", ".join(cell) if isinstance(cell, list) else cell for cell in feed.values()]
            for feed in found
        ]
        session.table(list(found[0]), rows)


@feeds.command("check")
def check_file(context: typer.Context, path: File, feed: Named) -> None:
    """Check every record of a file by the feed's rules; nothing is sent. Exit 1 if any is bad."""
    session: Session = context.obj

    async def work() -> Report:
        return ingest.check_file(session.settings(), path, feed)

    _end(session, session.run(work()), "checked")


@feeds.command("send")
def send_file(context: typer.Context, path: File, feed: Named) -> None:
    """Send every record of a file, unchanged, to the feed's topic, and list the bad ones.

    Records are keyed by account where it can be read. The bad ones become dead letters; exit 1 if
    there are any.
    """
    session: Session = context.obj

    async def work() -> Report:
        with _progress(session) as progress:
            return await ingest.send_file(session.settings(), path, feed, progress)

    _end(session, session.run(work()), "sent")


def _end(session: Session, report: Report, done: str) -> NoReturn:
    problems = [problem._asdict() for problem in report.problems]
    document = {"records": report.records, "valid": report.valid, "problems": problems}
    if not session.document(document):
        if problems:
            session.table(list(problems[0]), [list(problem) for problem in report.problems])
        session.say(
            f"{report.records:,} records {done}: {report.valid:,} valid "
            f"({report.events:,} events), {len(problems):,} bad"
        )
    raise typer.Exit(FOUND_PROBLEMS if problems else DONE)


@contextmanager
def _progress(session: Session) -> Iterator[Callable[[int], None]]:
    """Tells how many records are out: on a terminal in place, elsewhere a line now and then."""
    if sys.stderr.isatty() and not session.quiet:
        with Console(stderr=True).status("sending …") as status:
            yield lambda records: status.update(f"{records:,} records sent …")
        return

    told = 0

    def line(records: int) -> None:
        nonlocal told
        if records - told >= PLAIN_PROGRESS_RECORDS:
            told = records
            session.say(f"{records:,} records sent …")

    yield line
