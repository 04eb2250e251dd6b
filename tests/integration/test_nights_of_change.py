"""Purchases in the nights in which the clocks change, under a contract whose day ends at 18:00:
each counts in the period, falls on the accounting date and is settled in the cycle of its own day.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.settlement import bootstrap as settlement
from services.settlement.batches.order import Order
from tests.support import builders, ledger
from tests.support.builders import event
from tests.support.refold import resettled
from tests.support.settlement import Books, broken, settings_for

OSLO, NEW_YORK = "Europe/Oslo", "America/New_York"
EVENINGS = (("-1", "17:59"), ("-1", "23:30"), ("0", "00:30"), ("0", "17:59"), ("0", "18:00"),
            ("0", "23:30"), ("1", "00:30"))  # fmt: skip
"""Times on the wall around the Sunday of the change, by days from it."""
DAYS = (-1, 0, 0, 0, 1, 1, 1)
"""The business date of each, by days from that Sunday."""
RULE = {
    "id": "cash", "award": "base", "earn": {"percent": "1"},
    "rounding": {"mode": "down", "scale": 2, "level": "per_transaction"},
    "cap": {"limit": "100.00", "of": "reward", "per": "week", "scope": "account", "beyond": "0"},
}  # fmt: skip


def contract(zone: str, roll: str | None = None) -> str:
    document = builders.contract(
        currency="NOK", zone=zone, day_ends="18:00", rules=[RULE], partner="first-bank",
        release={"after": "cycle", "per": "month", "days": 0},
    )  # fmt: skip
    if roll is not None:
        document["settlement"]["holidays"] = {"roll": roll, "days": ["2026-11-02"]}
    return builders.as_text(document)


async def spent(book: ledger.Ledger, zone: str, sunday: date) -> None:
    """100.00 at each of EVENINGS, in the order of time; no feed gives a posting date."""
    for nth, (offset, clock) in enumerate(EVENINGS):
        day = sunday + timedelta(days=int(offset))
        hours, minutes = map(int, clock.split(":"))
        at = datetime(day.year, day.month, day.day, hours, minutes, tzinfo=ZoneInfo(zone))
        await book.send(event(f"P{nth}", at=at, posted=None))


async def transfers(url: str) -> list[tuple[Any, ...]]:
    books = await Books.open(url, streams=0)
    rows = await books.connection.fetch(
        "SELECT p.label, t.governing_on, t.effective_on, t.available_on FROM transfer AS t JOIN "
        "purchase AS p ON (p.stream_id, p.purchase) = (t.of_stream_id, t.of_purchase) ORDER BY 1"
    )
    await books.close()
    return [tuple(row) for row in rows]


def week(day: date) -> str:
    year, number, _ = day.isocalendar()
    return f"{year}-W{number:02d}"


@pytest.mark.parametrize(
    ("zone", "sunday"),
    [
        (OSLO, date(2026, 3, 29)), (OSLO, date(2026, 10, 25)),
        (NEW_YORK, date(2026, 3, 8)), (NEW_YORK, date(2026, 11, 1)),
    ],
)  # fmt: skip
async def test_each_purchase_has_the_dates_and_the_period_of_its_business_day(
    migrated_url: str, zone: str, sunday: date
) -> None:
    async with ledger.opened(migrated_url, partitions=1) as book:
        await book.approve(contract(zone))
        await book.enrol([builders.row("A1")])
        await spent(book, zone, sunday)
        async with book.books() as books:
            rows = [row async for piece in books.rows("totals", sunday) for row in piece]
    days = [sunday + timedelta(days=offset) for offset in DAYS]
    found = await transfers(migrated_url)
    assert [(row[1], row[2]) for row in found] == [(day, day) for day in days]
    ends = [(day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(1) for day in days]
    assert [row[3] for row in found] == ends
    earned = Counter(week(day) for day in days)
    assert {row[6]: row[8] for row in rows} == {name: 100 * n for name, n in earned.items()}


@pytest.mark.parametrize(
    ("roll", "through"),
    [
        (None, [date(2026, 10, 31), date(2026, 11, 30)]),
        ("following", [date(2026, 11, 3), date(2026, 11, 30)]),
        ("preceding", [date(2026, 10, 30), date(2026, 11, 30)]),
    ],
)
async def test_a_cycle_that_ends_in_the_night_of_the_change_holds_what_is_of_its_days(
    migrated_url: str, tmp_path: Path, roll: str | None, through: list[date]
) -> None:
    settings = settings_for(migrated_url, tmp_path / "files")
    async with ledger.opened(migrated_url, partitions=1) as book:
        await book.approve(contract(NEW_YORK, roll))
        await book.enrol([builders.row("A1")])
        await spent(book, NEW_YORK, date(2026, 11, 1))
    sealed = {}
    for month in (10, 11):
        end = await settlement.end_of_cycle(settings, "first-bank", date(2026, month, 1))
        order = Order(partner="first-bank", through=end, by="Ann", on=date(2026, 12, 1))
        header = (await settlement.settle(settings, order)).header
        sealed[end] = header.totals if header else {}
    # The evening of the 31st is November's. A cycle that ends before the 31st leaves it all there.
    october = {} if roll == "preceding" else {"NOK": 100}
    november = {"NOK": 700 if roll == "preceding" else 600}
    assert sealed == dict(zip(through, [october, november], strict=True))
    books = await Books.open(migrated_url, streams=0)
    assert await broken(books, tmp_path / "files") == []
    assert await resettled(books) == []
    await books.close()
