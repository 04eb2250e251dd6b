"""Every page of this folder, on the naive model and on the engine: each line does what it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.books import Book, NaiveBook
from tests.support.effects import Change
from tests.support.engine import EngineBook
from tests.support.pages import read_page
from tests.support.stage import perform

PAGES = sorted(Path(__file__).parent.glob("*.txt"))
BOOKS: dict[str, Callable[[], Book]] = {"naive": NaiveBook, "engine": EngineBook}


@pytest.mark.parametrize("book", BOOKS)
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_says_what_happens(path: Path, book: str) -> None:
    perform(read_page(path.read_text("utf-8")), BOOKS[book])


def test_there_are_pages() -> None:
    assert len(PAGES) >= 55


@pytest.mark.parametrize("book", BOOKS)
def test_a_page_with_a_wrong_amount_fails(book: str) -> None:
    page = read_page((Path(__file__).parent / "worked-page.txt").read_text("utf-8"))
    right = page.steps[0].changes[0]
    page.steps[0].changes[0] = Change(right.purchase, right.words, right.amount + 1)
    with pytest.raises(AssertionError, match="line 5: P1 moved by 31"):
        perform(page, BOOKS[book])


@pytest.mark.parametrize("book", BOOKS)
def test_a_page_that_keeps_a_change_to_itself_fails(book: str) -> None:
    page = read_page((Path(__file__).parent / "worked-page.txt").read_text("utf-8"))
    page.steps[3].changes.pop()
    with pytest.raises(AssertionError, match="line 8"):
        perform(page, BOOKS[book])
