"""A line that names an earlier one says why it changes it, wherever it is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.settlement import bootstrap as settlement
from services.settlement.bootstrap.statements import statement_of_batch
from tests.support.partner import APRIL_3
from tests.support.settlement import Books, settings_for, settle


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    await books.contract()
    await books.member("acc-1", "11111")
    yield books
    await books.close()


async def exported(books: Books) -> list[tuple[str, str | None]]:
    """(batch/line, reason) of every line, as `export batches` gives it."""
    place = [settlement.BATCH_COLUMNS.index(name) for name in ("batch", "line", "reason")]
    rows = await settlement.batch_rows(books.connection)
    return [(f"{row[place[0]]}/{row[place[1]]}", row[place[2]]) for row in rows]


async def test_a_refund_is_the_reason_of_every_piece_that_it_takes_back(
    books: Books, tmp_path: Path
) -> None:
    settings = settings_for(books.url, tmp_path / "files")
    await books.grant("acc-1", "P1", 10)
    await settle(books, tmp_path / "files")
    await books.grant("acc-1", "P1", 4)
    await books.grant("acc-1", "P9", 50)
    await settle(books, tmp_path / "files")
    await books.grant("acc-1", "P1", -12)
    await books.grant("acc-1", "P8", 50)
    await settle(books, tmp_path / "files")
    reasons = await exported(books)
    assert reasons[0] == ("sky-air-000001/1", None)
    assert sorted(why or "" for place, why in reasons if "000002" in place) == ["", "presentment"]
    assert sorted(why or "" for place, why in reasons if "000003" in place) == [
        "", "refund", "refund",
    ]  # fmt: skip
    taken = next(int(place.rpartition("/")[2]) for place, why in reasons if why == "refund")
    opened = await settlement.show_line(settings, "sky-air-000003", taken)
    assert [piece["reason"] for piece in opened.pieces] == ["refund", "refund"]
    statement = await statement_of_batch(settings, "sky-air-000003")
    told = [row.cells[-2:] for section in statement.sections for row in section.rows]
    assert sorted(str(why) for _, why in told) == ["", "refund", "refund"]
    assert all((changes == "") == (why == "") for changes, why in told)


async def test_a_withdrawn_line_is_the_reason_of_the_one_that_takes_its_place(
    books: Books, tmp_path: Path
) -> None:
    settings = settings_for(books.url, tmp_path / "files")
    await books.grant("acc-1", "P1", 10)
    await settle(books, tmp_path / "files")
    await settlement.withdraw_batch(
        settings, "sky-air-000001", by="Cy", reason="wrong month", on=APRIL_3
    )
    await settle(books, tmp_path / "files")
    assert await exported(books) == [
        ("sky-air-000001/1", None),
        ("sky-air-000002/1", "withdrawn"),
    ]
