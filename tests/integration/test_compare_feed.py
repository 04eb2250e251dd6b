"""A network's file beside the bank's own feed: matched by the best key that both have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from tests.support.reconciling import codes, feed, run
from tests.support.settlement import Books, settle


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    await books.contract()
    for nth, purchase in enumerate(("P1", "P2", "P3"), 1):
        await books.member(f"acc-{nth}", str(nth) * 5)
        await books.grant(f"acc-{nth}", purchase, 10 * nth)
    await books.grant("acc-9", "P9", 7)
    yield books
    await books.close()


async def test_the_compare_feed_is_matched_by_arn_then_reference_then_event(
    books: Books, folder: Path
) -> None:
    await feed(books, "books", "A1", 100, arn="7" * 23)
    await feed(books, "compare", "N1", 100, arn="7" * 23)
    await feed(books, "books", "A2", 200, scheme_reference="MCC1")
    await feed(books, "compare", "N2", 200, scheme_reference="MCC1", arn="8" * 23)
    await feed(books, "books", "A3", 300)
    await feed(books, "compare", "A3", 300, arn="9" * 23)
    await feed(books, "books", "A4", 400, kind="AUTHORIZATION", arn="4" * 23)
    done = await run(books, folder)
    # What the fixture granted stands in the books alone.
    assert [one for one in codes(done) if "P" not in one[1].split()[-1]] == []
    assert [one[0] for one in codes(done)] == ["MISSING_IN_COMPARE"] * 4


async def test_each_way_in_which_the_feeds_disagree_is_named(books: Books, folder: Path) -> None:
    for nth in range(1, 5):
        await feed(books, "compare", f"P{nth if nth < 4 else 9}.{nth}",
                   (nth * 10 if nth < 4 else 7) * 1000)  # fmt: skip
    assert codes(await run(books, folder)) == []
    await feed(books, "books", "A1", 100, arn="1" * 23)
    await feed(books, "compare", "N1", 120, arn="1" * 23)
    await feed(books, "compare", "N2", 50, arn="2" * 23)
    await feed(books, "books", "A3", 70, arn="3" * 23, kind="REFUND")
    await feed(books, "books", "A4", 80, arn="4" * 23)
    await feed(books, "compare", "N4", 80, arn="4" * 23)
    await feed(books, "compare", "N5", 80, arn="4" * 23)
    await feed(books, "books", "A6", 90, arn="6" * 23)
    await feed(books, "compare", "N6", 90, arn="6" * 23, billing_currency="SEK")
    await feed(books, "books", "A7", 5, arn="7" * 23)
    await feed(books, "books", "A8", 6, arn="7" * 23)
    await feed(books, "compare", "N7", 6, arn="7" * 23)
    await feed(books, "compare", "N8", 5, arn="7" * 23)
    done = await run(books, folder)
    assert {(code, amount) for code, _, amount in codes(done)} == {
        ("AMOUNT_DIFFERS", 20),
        ("MISSING_IN_BOOKS", 50),
        ("MISSING_IN_COMPARE", 70),
        ("DOUBLED_IN_COMPARE", 80),
        ("CURRENCY_DIFFERS", 0),
    }
    assert {one.code: one.owner for one in done.recorded.standing}["AMOUNT_DIFFERS"] == "issuer"
    details = {one.code: one.detail for one in done.recorded.standing}
    assert details["DOUBLED_IN_COMPARE"].startswith("the compare feed has it 2×, the books 1×; ")


async def test_an_event_that_one_side_books_in_the_next_month_ties(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    april_1 = 20_544
    await feed(books, "books", "A1", 100, arn="1" * 23, posted_on=april_1)
    await feed(books, "compare", "N1", 100, arn="1" * 23)
    march, april = await run(books, folder), await run(books, folder, period="2026-04")
    assert not [one for one in (*codes(march), *codes(april)) if "1" * 23 in one[1]]


MARCH_2, MARCH_8, MARCH_9, APRIL_1 = 20_514, 20_520, 20_521, 20_544
"""Days since 1970."""


async def test_what_the_compare_feed_does_not_cover_is_counted_and_no_discrepancy(
    books: Books, folder: Path
) -> None:
    for nth, day in enumerate((MARCH_2, MARCH_9)):
        await feed(books, "books", f"E{nth}", 100, posted_on=day)
        await feed(books, "compare", f"E{nth}", 100, posted_on=day)
    await feed(books, "books", "A1", 300, posted_on=MARCH_2 - 1)
    await feed(books, "books", "A2", 500, posted_on=MARCH_9 + 1)
    await feed(books, "books", "A3", 700, posted_on=APRIL_1)
    await feed(books, "books", "A4", 900, posted_on=MARCH_8)
    march, april = await run(books, folder), await run(books, folder, period="2026-04")
    # A day inside that has no record of the network is compared all the same.
    assert [one for one in codes(march) if " A" in one[1]] == [
        ("MISSING_IN_COMPARE", "first-bank PRESENTMENT event_id A4", -900)
    ]
    assert codes(april) == []
    assert [(one.why, one.events, one.amount) for one in march.seen.outside] == [
        ("NOT_COVERED", 2, -800)
    ]
    assert [(one.why, one.events, one.amount) for one in april.seen.outside] == [
        ("NOT_COVERED", 1, -700)
    ]
    (covered,) = march.seen.coverage
    assert (str(covered.first), str(covered.last)) == ("2026-03-02", "2026-03-09")
    assert (covered.days, covered.of_days) == (8, 31)
    assert [(one.days, one.of_days) for one in april.seen.coverage] == [(0, 30)]


async def test_a_leg_of_the_last_day_is_in_transit_until_it_is_old(
    books: Books, folder: Path
) -> None:
    for nth, day in enumerate((MARCH_2, MARCH_9)):
        await feed(books, "books", f"E{nth}", 100, posted_on=day)
        await feed(books, "compare", f"E{nth}", 100, posted_on=day)
    await feed(books, "books", "A1", 300, posted_on=MARCH_9)
    await feed(books, "compare", "A2", 500, posted_on=MARCH_9)
    young = await run(books, folder, on=date(2026, 3, 14))
    assert [one for one in codes(young) if " A" in one[1]] == []
    assert [(one.why, one.events, one.amount) for one in young.seen.outside] == [
        ("IN_TRANSIT", 2, 200)
    ]
    old = await run(books, folder, on=date(2026, 3, 15))
    assert {one[0] for one in codes(old) if " A" in one[1]} == {
        "MISSING_IN_COMPARE", "MISSING_IN_BOOKS",
    }  # fmt: skip
    assert old.seen.outside == ()
    await feed(books, "compare", "A1", 300, posted_on=MARCH_9 + 1)
    await feed(books, "books", "A2", 500, posted_on=MARCH_9 + 1)
    came = await run(books, folder, on=date(2026, 3, 15))
    assert [one for one in codes(came) if " A" in one[1]] == []
    assert came.recorded.gone == 2
