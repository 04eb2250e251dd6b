"""Plays a scenario page on a book: each line must do what it says, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from math import factorial

from tests.support.books import Book
from tests.support.clauses import exponent
from tests.support.effects import FEE, Change
from tests.support.pages import Page, Step
from tests.support.picture import DueKey, FeeKey


@dataclass(frozen=True)
class Having:
    """What every purchase has at some moment: rewards by the date they are due, and fees."""

    due: Mapping[DueKey, int]
    fees: Mapping[FeeKey, int]


def perform(page: Page, make: Callable[[], Book]) -> None:
    """Play the page from its first line to its last; AssertionError names the line that fails."""
    book = _opened(page, make)
    events: list[Step] = []
    for step in page.steps:
        before = _having(book)
        outcome = _play(step, book)
        after = _having(book)
        if step.check is not None:
            _check(step, after, f"line {step.line}")
            _check_orders(step, events, page, make)
            continue
        events += [step] if step.event else []
        _compare(step, before, after)
        if step.outcome:
            said = tuple(part for part in outcome if part)[-len(step.outcome) :]
            assert said == step.outcome, f"line {step.line}: {outcome}"


def _having(book: Book) -> Having:
    return Having(dict(book.due()), dict(book.fees()))


def _opened(page: Page, make: Callable[[], Book]) -> Book:
    book = make()
    for document in page.approved:
        book.approve(document)
    book.import_members(page.members)
    return book


def _play(step: Step, book: Book) -> tuple[str | None, ...]:
    if step.event is not None:
        return book.record(step.event, step.role)
    if step.member is not None:
        book.import_members([step.member])
    if step.activation is not None:
        book.activate([step.activation])
    if step.document is not None:
        book.approve(step.document)
    return ()


def _compare(step: Step, before: Having, after: Having) -> None:
    where = f"line {step.line}"
    for change in step.changes:
        moved = _amount(change, after) - _amount(change, before)
        assert moved == change.amount, f"{where}: {change.purchase} moved by {moved}"
    for fee in (False, True):
        named = {change.purchase for change in step.changes if change.is_fee is fee}
        moved_ones = _moved(before.fees, after.fees) if fee else _moved(before.due, after.due)
        assert moved_ones == named, f"{where}: {moved_ones} moved, {named} are named"


def _moved(before: Mapping[DueKey, int] | Mapping[FeeKey, int],
           after: Mapping[DueKey, int] | Mapping[FeeKey, int]) -> set[str]:  # fmt: skip
    """The labels of the purchases whose amounts differ."""
    was, now = dict(before.items()), dict(after.items())
    return {key[2] for key in was.keys() | now.keys() if was.get(key) != now.get(key)}


def _check(step: Step, having: Having, where: str) -> None:
    for change in step.changes:
        amount = _amount(change, having)
        assert amount == change.amount, f"{where}: {change.purchase} has {amount}"


def _check_orders(step: Step, events: list[Step], page: Page, make: Callable[[], Book]) -> None:
    """Any order of the events so far ends in the same sums."""
    if not step.orders:
        return
    assert factorial(len(events)) == step.orders, f"line {step.line}: {len(events)} events"
    for order in permutations(events):
        book = _opened(page, make)
        for event in order:
            _play(event, book)
        lines = [event.line for event in order]
        _check(step, _having(book), f"line {step.line}, in the order {lines}")


def _amount(change: Change, having: Having) -> Fraction:
    """What a purchase has, or all of them (`total`), of what the words pick, in major units."""
    found = Fraction(0)
    if change.is_fee:
        for (_, _, purchase, contract, version, rule, unit, *who), amount in having.fees.items():
            words = {FEE, contract, f"v{version}", rule, unit, *who}
            if change.purchase in (purchase, "total") and words.issuperset(change.words):
                found += Fraction(amount, 10 ** exponent(unit))
        return found
    for (_, _, purchase, contract, version, rule, unit, funder, due), amount in having.due.items():
        words = {contract, f"v{version}", rule, unit, funder}
        picked = change.due in (None, due) and words.issuperset(change.words)
        if picked and change.purchase in (purchase, "total"):
            found += Fraction(amount, 10 ** exponent(unit))
    return found
