"""Plays a scenario page on a book: each line must do what it says, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import permutations
from math import factorial

from tests.support.books import Book
from tests.support.clauses import exponent
from tests.support.pages import Change, Page, Step
from tests.support.picture import GrantKey

Grants = Mapping[GrantKey, int]


def perform(page: Page, make: Callable[[], Book]) -> None:
    """Play the page from its first line to its last; AssertionError names the line that fails."""
    book = _opened(page, make)
    events: list[Step] = []
    for step in page.steps:
        before = dict(book.grants())
        outcome = _play(step, book)
        after = dict(book.grants())
        if step.check is not None:
            _check(step, after, f"line {step.line}")
            _check_orders(step, events, page, make)
            continue
        events += [step] if step.event else []
        _compare(step, before, after)
        if step.outcome:
            said = tuple(part for part in outcome if part)[-len(step.outcome) :]
            assert said == step.outcome, f"line {step.line}: {outcome}"


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
    if step.document is not None:
        book.approve(step.document)
    return ()


def _compare(step: Step, before: Grants, after: Grants) -> None:
    where = f"line {step.line}"
    for change in step.changes:
        moved = _amount(change, after) - _amount(change, before)
        assert moved == change.amount, f"{where}: {change.purchase} moved by {moved}"
    keys = before.keys() | after.keys()
    moved_purchases = {key[2] for key in keys if before.get(key) != after.get(key)}
    named = {change.purchase for change in step.changes}
    assert moved_purchases == named, f"{where}: {moved_purchases} moved, {named} are named"


def _check(step: Step, grants: Grants, where: str) -> None:
    for change in step.changes:
        amount = _amount(change, grants)
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
        _check(step, dict(book.grants()), f"line {step.line}, in the order {lines}")


def _amount(change: Change, grants: Grants) -> Fraction:
    """What a purchase has, or all of them (`total`), of what the words pick, in major units."""
    found = Fraction(0)
    for (_, _, purchase, contract, version, rule, unit, funder), amount in grants.items():
        words = {contract, f"v{version}", rule, unit, funder}
        if change.purchase in (purchase, "total") and words.issuperset(change.words):
            found += Fraction(amount, 10 ** exponent(unit))
    return found
