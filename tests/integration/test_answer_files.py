"""The bytes of answers are kept as evidence, and verify finds what was done to them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from services.kernel.errors import InvalidInput
from services.settlement import bootstrap as settlement
from tests.support.partner import acknowledge, answered, sent
from tests.support.settlement import Books, broken, settings_for, settle

RULE = "settlement-answer-files"


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    await books.contract()
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 10)
    yield books
    await books.close()


@pytest.fixture
async def taken(books: Books, tmp_path: Path) -> bytes:
    """An answer that was taken in, twice."""
    await settle(books, tmp_path / "files")
    content = answered(await sent(books, tmp_path / "files"))
    await acknowledge(books, tmp_path / "files", content)
    await acknowledge(books, tmp_path / "files", content, name="again.txt")
    return content


async def test_an_auditor_gets_the_very_bytes_again_once_for_each_file(
    books: Books, taken: bytes, tmp_path: Path
) -> None:
    settings = settings_for(books.url, tmp_path / "files")
    (kept,) = await settlement.list_answers(settings, partner=None)
    sha256 = hashlib.sha256(taken).hexdigest()
    assert (kept["name"], kept["sha256"], kept["bytes"], kept["batches"], kept["who"]) == (
        "answer.txt", sha256, len(taken), ["sky-air-000001"], "Dee",
    )  # fmt: skip
    to = tmp_path / "kept.txt"
    assert await settlement.save_answer(settings, sha256[:8], to) == ("answer.txt", len(taken))
    assert to.read_bytes() == taken
    for digits in (sha256[:7], "0" * 64):
        with pytest.raises(InvalidInput, match="must be the sha256 of one answer"):
            await settlement.save_answer(settings, digits, to)
    assert await broken(books, tmp_path / "files") == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM settlement_answer_file",
        "UPDATE settlement_answer_file SET sha256 = repeat('0', 64)",
        "UPDATE settlement_answer_file SET content = set_byte(content, 9, 65)",
        "UPDATE settlement_answer_file SET bytes = 1",
    ],
)
async def test_a_file_that_is_gone_or_changed_breaks_the_invariant(
    books: Books, taken: bytes, tmp_path: Path, statement: str
) -> None:
    await books.connection.execute(
        "ALTER TABLE settlement_answer_file DROP CONSTRAINT settlement_answer_file_whole"
    )
    await books.corrupt(statement)
    assert await broken(books, tmp_path / "files") == [RULE]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE settlement_answer_file SET bytes = 1",
        "DELETE FROM settlement_answer_file",
        "TRUNCATE settlement_answer_file",
    ],
)
async def test_what_is_kept_only_grows(books: Books, taken: bytes, statement: str) -> None:
    await books.connection.execute("SET ROLE milepost_app")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await books.connection.execute(statement)


async def test_bytes_that_are_not_what_their_sha256_says_cannot_be_stored(
    books: Books, taken: bytes
) -> None:
    for content in ("'x'", "NULL"):
        with pytest.raises(asyncpg.CheckViolationError):
            await books.connection.execute(
                "INSERT INTO settlement_answer_file SELECT partner, repeat('a', 64), name, layout, "
                f"1, who, recorded_on, false, {content} FROM settlement_answer_file"
            )
