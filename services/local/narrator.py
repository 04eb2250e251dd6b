"""Tells a demo as it happens: a line for each thing done, with the seconds since the start.

On a terminal the stream has a progress bar; elsewhere plain lines say how far it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table

from services.local import flow

LINE_SECONDS = 2.0
"""Between two plain lines of progress."""
WIDTH = 144
"""Columns where nobody looks through a terminal."""
_VERB = 11


class Narrator:
    """Writes to a console; quiet, it writes the tables only."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self.console = console
        self._quiet = quiet
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the demo began."""
        return time.monotonic() - self._started

    def say(self, text: str = "") -> None:
        """A line by itself."""
        if not self._quiet:
            self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def did(self, verb: str, *texts: str) -> None:
        """What has been done, and more of it on lines below."""
        for nth, text in enumerate(texts):
            clock = f"{self.seconds:6.1f} s" if nth == 0 else " " * 8
            self.say(f"{clock}  {verb if nth == 0 else '':{_VERB}}{text}")

    @contextmanager
    def watching(self, total: int) -> Iterator[flow.Watch]:
        """How far a stream of `total` records has come, while it is watched."""
        if self._quiet:
            yield lambda now: None
        elif self.console.is_terminal:
            with _bar(self.console) as progress:
                task = progress.add_task("", total=total, where="")
                yield lambda now: _update(progress, task, now)
        else:
            yield self._lines()

    def _lines(self) -> flow.Watch:
        said = [time.monotonic()]

        def watch(now: flow.Progress) -> None:
            if time.monotonic() - said[0] >= LINE_SECONDS:
                said[0] = time.monotonic()
                self.did("", _where(now))

        return watch

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str | int]]
    ) -> None:
        """A table; columns of numbers go to the right."""
        shown = Table(
            title=title, title_justify="left", title_style="bold", box=None, pad_edge=False,
            padding=(0, 2, 0, 0), header_style="dim",
        )  # fmt: skip
        for index, column in enumerate(columns):
            cells = [row[index] for row in rows if row[index] != ""]
            right = bool(cells) and all(_numeric(cell) for cell in cells)
            shown.add_column(
                column, justify="right" if right else "left", no_wrap=True, overflow="ellipsis"
            )
        for row in rows:
            shown.add_row(*[f"{c:,}" if isinstance(c, int) else c for c in row])
        with self.console.capture() as captured:
            self.console.print(shown)
        self.console.print()
        for line in captured.get().splitlines():
            self.console.out(line.rstrip(), highlight=False)


def _numeric(cell: str | int) -> bool:
    return isinstance(cell, int) or (cell[:1] in "-0123456789" and cell[-1:].isdigit())


def _where(now: flow.Progress) -> str:
    return (
        f"sent {now.sent:,} · taken in {now.taken_in:,} · recorded {now.recorded:,} · "
        f"published {now.published:,}"
    )


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn(" " * 10 + "{task.percentage:>3.0f} %"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[where]}"),
        console=console,
        transient=True,
    )


def _update(progress: Progress, task: TaskID, now: flow.Progress) -> None:
    recorded = now.taken_in * now.recorded // max(1, now.canonical)
    progress.update(task, completed=recorded, where=_where(now))
