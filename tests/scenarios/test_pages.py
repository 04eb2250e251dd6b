"""Every page of this folder, on the naive model and on the engine: each line does what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import permutations
from math import factorial
from pathlib import Path

import pytest

from tests.support.books import Book, NaiveBook
from tests.support.clauses import exponent
from tests.support.engine import EngineBook
from tests.support.pages import Change, Page, Step, read_page
from tests.support.picture import GrantKey

PAGES = sorted(Path(__file__).parent.glob("*.txt"))
BOOKS: dict[str, Callable[[], Book]] = {"naive": NaiveBook, "engine": EngineBook}
Grants = Mapping[GrantKey, int]


@pytest.mark.parametrize("book", BOOKS)
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_says_what_happens(path: Path, book: str) -> None:
    page = read_page(path.read_text())
    played = _opened(page, BOOKS[book])
    events: list[Step] = []
    for step in page.steps:
        before = dict(played.grants())
        outcome = _play(step, played)
        after = dict(played.grants())
        where = f"{path.name}, line {step.line}"
        if step.check is not None:
            _check(step, after, where)
            _check_orders(step, events, page, BOOKS[book], where)
            continue
        events += [step] if step.event else []
        _compare(step, before, after, where)
        if step.outcome:
            said = step.outcome[-1:] if len(step.outcome) == 1 else step.outcome
            assert said == tuple(part for part in outcome if part)[-len(said) :], where


def test_there_are_pages() -> None:
    assert len(PAGES) >= 20


def test_a_page_with_a_wrong_amount_fails() -> None:
    planted = _broken(read_page(PAGES[0].read_text()))
    book = _opened(planted, NaiveBook)
    with pytest.raises(AssertionError):
        for step in planted.steps:
            before = dict(book.grants())
            _play(step, book)
            _compare(step, before, dict(book.grants()), "planted")


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


def _compare(step: Step, before: Grants, after: Grants, where: str) -> None:
    for change in step.changes:
        moved = _amount(change, after) - _amount(change, before)
        assert moved == change.amount, f"{where}: {change.purchase} moved by {moved}"
    keys = before.keys() | after.keys()
    moved_purchases = {key[2] for key in keys if before.get(key) != after.get(key)}
    if step.changes or step.nothing or step.outcome:
        assert moved_purchases == {change.purchase for change in step.changes}, where


def _check(step: Step, grants: Grants, where: str) -> None:
    for change in step.changes:
        amount = _amount(change, grants)
        assert amount == change.amount, f"{where}: {change.purchase} has {amount}"


def _check_orders(
    step: Step, events: list[Step], page: Page, make: Callable[[], Book], where: str
) -> None:
    """Any order of the events so far ends in the same sums."""
    if not step.orders:
        return
    assert factorial(len(events)) == step.orders, where
    for order in permutations(events):
        book = _opened(page, make)
        for event in order:
            _play(event, book)
        _check(step, dict(book.grants()), f"{where}, order {[one.line for one in order]}")


def _amount(change: Change, grants: Grants) -> Fraction:
    """What a purchase has, or all of them (`total`), of what the words pick, in major units."""
    found = Fraction(0)
    for (_, _, purchase, contract, version, rule, unit, funder), amount in grants.items():
        words = {contract, f"v{version}", rule, unit, funder}
        if change.purchase in (purchase, "total") and words.issuperset(change.words):
            found += Fraction(amount, 10 ** exponent(unit))
    return found


def _broken(page: Page) -> Page:
    step = next(step for step in page.steps if step.changes)
    first = step.changes[0]
    step.changes[0] = Change(first.purchase, first.words, first.amount + 1)
    return page
