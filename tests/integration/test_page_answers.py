"""A partner of the layout engine answers line by line on the page `mileage-answer`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.kernel.errors import InvalidInput
from services.settlement import bootstrap as settlement
from services.settlement.files.layout.pages import pages
from services.settlement.files.layout.writer import write
from tests.support.partner import APRIL_3, BATCH, acknowledge, owed
from tests.support.settlement import Books, broken, lines, miles_terms, settings_for, settle

HEAD = {"batch": BATCH, "sequence": 1, "answered_on": date(2026, 4, 2)}


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    file = {**miles_terms()["file"], "layout": "mileage-credits"}
    await books.contract(terms=miles_terms(file=file))
    for nth, purchase in enumerate(("P1", "P2", "P3", "P4"), 1):
        await books.member(f"acc-{nth}", str(nth) * 5)
        await books.grant(f"acc-{nth}", purchase, 10 * nth)
    yield books
    await books.close()


def row(line: int, outcome: str = "ACCEPTED", **more: Any) -> dict[str, Any]:
    return {"line": line, "membership_number": str(line) * 5, "amount": 10 * line,
            "outcome": outcome, "code": None, "new_number": None, "text": None, **more}  # fmt: skip


MIXED = [row(1), row(2, "REJECTED", code="5"), row(3, "MERGED", new_number="77777"),
         row(4, "WARNED", code="OLD")]  # fmt: skip


def answer(rows: list[dict[str, Any]], **head: Any) -> bytes:
    return write(pages()["mileage-answer"], {**HEAD, **head}, rows, file="a.csv")[0]


async def send(books: Books, folder: Path) -> None:
    await settle(books, folder)
    settings = settings_for(books.url, folder)
    await settlement.approve_batch(settings, BATCH, approver="Bo", on=APRIL_3)
    await settlement.deliver_batch(settings, BATCH, by="Dee", on=APRIL_3, to=None, resend=False)


async def test_every_line_has_the_outcome_that_the_page_tells(books: Books, folder: Path) -> None:
    await send(books, folder)
    settings = settings_for(books.url, folder)
    with pytest.raises(InvalidInput, match="has not answered line 1, 2, 3, 4 yet"):
        await settlement.pay_batch(settings, BATCH, by="Dee", reference="W", on=APRIL_3)
    state, told, fresh = await acknowledge(books, folder, answer(MIXED), name="a.csv")
    assert (state, fresh) == ("ANSWERED", 4)
    assert told == {"ACCEPTED": 1, "MERGED": 1, "REJECTED": 1, "WARNED": 1}
    assert await owed(books) == {"member": -80, "partner-payable/sky-air": 80}
    assert await acknowledge(books, folder, answer(MIXED), name="a.csv") == (state, told, 0)
    again = answer(MIXED, answered_on=date(2026, 4, 3))
    assert await acknowledge(books, folder, again, name="a.csv") == (state, told, 0)
    await settle(books, folder)
    assert await lines(books, "sky-air-000002") == [(1, "22222", "acc-2", "P2", 20, f"{BATCH}/2")]
    await books.grant("acc-3", "P9", 5)
    await settle(books, folder)
    assert (await lines(books, "sky-air-000003"))[0][1] == "77777"
    assert await broken(books, folder) == []


@pytest.mark.parametrize(
    ("rows", "head", "why"),
    [
        (MIXED[:3], {}, "does not answer line 4"),
        ([*MIXED, row(5)], {}, ":6: line: '5': was never sent"),
        ([row(1, amount=11), *MIXED[1:]], {}, ":2: miles: '11': was sent as 10"),
        ([row(1, membership_number="9"), *MIXED[1:]], {}, ":2: membership: '9'"),
        ([row(1, new_number="9"), *MIXED[1:]], {}, "stands only with a merge"),
        (MIXED, {"batch": "sun-air-000001"}, "is no batch of sky-air with the sequence 1"),
        (MIXED, {"batch": "sky-air-000002", "sequence": 2}, "there is no sky-air-000002"),
    ],
)
async def test_a_page_that_does_not_fit_what_was_sent_moves_nothing(
    books: Books, folder: Path, rows: list[dict[str, Any]], head: dict[str, Any], why: str
) -> None:
    await send(books, folder)
    before = await books.connection.fetchval("SELECT count(*) FROM card_event")
    with pytest.raises(InvalidInput) as refused:
        await acknowledge(books, folder, answer(rows, **head), name="a.csv")
    assert why in str(refused.value)
    assert await books.connection.fetchval("SELECT count(*) FROM card_event") == before


async def test_a_page_that_says_otherwise_later_is_refused(books: Books, folder: Path) -> None:
    await send(books, folder)
    await acknowledge(books, folder, answer(MIXED), name="a.csv")
    other = answer([row(1, "REJECTED", code="7"), *MIXED[1:]])
    with pytest.raises(InvalidInput, match="line 1 was answered ACCEPTED before, now REJECTED"):
        await acknowledge(books, folder, other, name="a.csv")
    cut = answer(MIXED)[:-20]
    with pytest.raises(InvalidInput, match="cut off"):
        await acknowledge(books, folder, cut, name="a.csv")


async def test_a_number_that_is_merged_into_two_is_told_by_its_lines(
    books: Books, folder: Path
) -> None:
    await books.grant("acc-1", "P0", 5)
    await send(books, folder)
    sent = await lines(books, BATCH)
    rows = [
        row(line[0], membership_number=line[1], amount=line[4], outcome="ACCEPTED") for line in sent
    ]
    for nth, number in ((0, "77777"), (1, "88888")):
        rows[nth] |= {"outcome": "MERGED", "new_number": number}
    why = r"a.csv:3: merge to: merges 11111 into 88888, line 2 into 77777"
    with pytest.raises(InvalidInput, match=why):
        await acknowledge(books, folder, answer(rows), name="a.csv")
    assert (await owed(books))["partner-payable/sky-air"] == 105
