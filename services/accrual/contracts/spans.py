"""Checks across keys: dates and hours in order, conditions that fit where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from services.accrual.contracts.document import Document, Path


def check_spans(document: Document) -> None:
    """Note every span that ends before it starts, and kinds of events among other keys."""
    _check_order(document, ("term",))
    for path in conditions_of(document):
        _check_order(document, (*path, "dates"))
        first, last = document.text(*path, "hours", "from"), document.text(*path, "hours", "to")
        if first is not None and first == last:
            why = 'is the same as `from`: for the whole day write "00:00" to "24:00"'
            document.report((*path, "hours", "to"), why)
    for index in range(document.size("exclude")):
        names = document.names("exclude", index)
        if "kind" in names and len(names) > 1:
            why = "stands alone in its entry: it is the events of a kind that do not count"
            document.report(("exclude", index, "kind"), why, at_key=True)


def check_release(document: Document) -> None:
    """Note a period of release that is missing, or that decides nothing."""
    after, named = document.text("release", "after"), "per" in document.names("release")
    if after == "cycle" and not named:
        why = "is required with `after: cycle`: month, quarter, year or billing_cycle"
        document.report(("release", "per"), why)
    elif after == "posting" and named:
        document.report(("release", "per"), "decides nothing with `after: posting`", at_key=True)


def conditions_of(document: Document) -> Iterator[Path]:
    """Where conditions stand: in rules, in `exclude`, and in every `unless`."""
    for index in range(document.size("rules")):
        yield from _with_unless(document, ("rules", index, "when"))
    for index in range(document.size("exclude")):
        yield from _with_unless(document, ("exclude", index))


def _with_unless(document: Document, path: Path) -> Iterator[Path]:
    if document.names(*path):
        yield path
    for index in range(document.size(*path, "unless")):
        yield from _with_unless(document, (*path, "unless", index))


def _check_order(document: Document, path: Path) -> None:
    first, last = document.text(*path, "from"), document.text(*path, "to")
    if first is None or last is None:
        return
    if date.fromisoformat(last) < date.fromisoformat(first):
        document.report((*path, "to"), f"is before its `from` ({first})")
