"""Keys that a feed declares exact, from the feeds file to the books: in whatever order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import asyncpg
import pytest

from services.accrual import bootstrap as accrual
from services.accrual.linking import Linking
from services.accrual.lookup.statement import Period
from services.ingest.feeds.catalog import parse_feeds
from services.ingest.handler import Ingest, Source
from services.ingest.ports import FeedSlice
from services.kernel.errors import InvalidInput
from services.runtime.producer import OutgoingRecord
from tests.support import builders, ledger
from tests.support.feeds import line, parse_with
from tests.support.ledger import COMMAND_ON, Ledger, sabotage
from tests.support.phrases import read_contract

CONTRACT = """\
contract sky-visa v1   zone Europe/Oslo   amounts in NOK
  base:   1 SKY-MILE per 10.00, per_block, down    cap 60 a month and account"""
FEEDS = """\
feeds:
  - name: first-bank
    issuer: first-bank
    role: books
    topic: card-feed.first-bank
    format: milepost-json
    numeric_ids: [arn]
    exact_keys: [arn]
  - name: silent
    issuer: first-bank
    role: books
    topic: card-feed.silent
    format: milepost-json
    numeric_ids: [arn]
"""
ARN, LEGS, SPLIT = "74027" + "1" * 18, "74027" + "2" * 18, "74027" + "3" * 18
YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))
LINES = (
    line(event_id="P1", account_id="A1", lifecycle_id="L1", arn=ARN, billing_amount=31_200),
    line(event_id="R1", account_id="A1", kind="REFUND", arn=ARN, billing_amount=11_200),
    line(event_id="V1", account_id="A1", kind="REFUND_REVERSAL", original_event_id="R1",
         billing_amount=1_000),
    line(event_id="P2", account_id="A1", arn=LEGS, billing_amount=20_000),
    line(event_id="P3", account_id="A1", arn=LEGS, billing_amount=15_000),
    line(event_id="R3", account_id="A1", kind="REFUND", arn=LEGS, billing_amount=5_000),
    line(event_id="P4", account_id="A1", lifecycle_id="L4", arn=SPLIT, billing_amount=1_000),
    line(event_id="P5", account_id="A1", lifecycle_id="L5", arn=SPLIT, billing_amount=1_000),
    line(event_id="R5", account_id="A1", kind="REFUND", arn=SPLIT, billing_amount=1_000),
    line(event_id="P9", account_id="A2", arn=ARN, billing_amount=5_000),
)  # fmt: skip
NAMES = ("P1", "R1", "V1", "P2", "P3", "R3", "P4", "P5", "R5", "P9")


@dataclass
class Raw:
    offset: int
    value: bytes
    timestamp: int = 1_700_000_000_000
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass
class Sent:
    """What ingest sends, and whom it tells."""

    events: list[OutgoingRecord] = field(default_factory=list)

    async def send(self, *, events: Sequence[OutgoingRecord], letters: Sequence[Any]) -> None:
        assert not letters
        self.events += events

    def sent(self, **_: Any) -> None: ...

    def broke(self, *_: Any) -> None: ...


async def ingested(lines: Sequence[bytes], name: str = "first-bank") -> list[OutgoingRecord]:
    """What the feeds file makes of the lines of one of its feeds."""
    feeds = parse_feeds(FEEDS, file="feeds.yaml")
    sent = Sent()
    ingest = Ingest(
        [Source(feed, parse_with(feed)) for feed in feeds],
        seal=lambda plain: plain, sink=sent, observer=sent,
    )  # fmt: skip
    topic = next(feed.topic for feed in feeds if feed.name == name)
    await ingest.handle([FeedSlice(topic, 0, [Raw(at, one) for at, one in enumerate(lines)])])
    return sent.events


@pytest.fixture
async def book(migrated_url: str) -> AsyncIterator[Ledger]:
    async with ledger.opened(migrated_url) as book:
        await book.approve(builders.as_text(read_contract(CONTRACT.splitlines())[0]))
        await book.enrol([builders.row("A1"), builders.row("A2")])
        yield book


async def rows(book: Ledger, sql: str) -> list[Any]:
    connection = await asyncpg.connect(book.url)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def granted(book: Ledger) -> dict[str, int]:
    """What every purchase has, by its label."""
    found = await rows(
        book,
        "SELECT p.label, sum(m.amount)::bigint FROM member_movement AS m JOIN purchase AS p"
        " ON (p.stream_id, p.purchase) = (m.of_stream_id, m.of_purchase)"
        " GROUP BY p.label HAVING sum(m.amount) <> 0 ORDER BY p.label",
    )
    return dict(found)


async def demand_sound(book: Ledger, *names: str) -> dict[str, str]:
    """Everything verifies, explains and folds again; by which key each event is linked."""
    async with book.books() as books:
        assert [found for found in await books.findings() if not found.ok] == []
        told = {name: (await books.explain(f"first-bank/{name}"))[0] for name in names}
        await books.statement("A1", YEAR)
    assert (await accrual.rebuild(book.settings, lambda _: None)).differences == []
    return {name: one["steps"][1]["text"] for name, one in told.items()}


EXPECTED = {"P1": 21, "P2": 30, "P4": 1, "P5": 1, "P9": 5}
ORDERS = {
    "one by one": [[at] for at in range(10)],
    "one by one, backwards": [[at] for at in reversed(range(10))],
    "at once": [list(range(10))],
    "at once, backwards": [list(reversed(range(10)))],
    "in three": [[3, 7, 1, 9], [6, 2, 5], [8, 0, 4]],
}


@pytest.mark.parametrize("order", ORDERS)
async def test_a_refund_with_nothing_but_its_arn_finds_its_purchase(
    book: Ledger, order: str
) -> None:
    records = await ingested(LINES)
    for batch in ORDERS[order]:
        await book.take([records[at] for at in batch])
    assert await granted(book) == EXPECTED
    links = await demand_sound(book, *NAMES)
    assert links["R1"] == f"it belongs to purchase P1 by the ARN {ARN}"
    assert links["V1"] == "it belongs to purchase P1 as it names R1"
    assert links["P3"] == f"it belongs to purchase P2 by the ARN {LEGS}"
    assert links["R5"] == (
        f"it waits for a person's review: by the ARN {SPLIT} "
        "it belongs to no purchase, or to several"
    )
    async with book.books() as books:
        (item,) = await books.to_review()
    assert (item.what, item.event_id) == ("waiting", "R5")
    assert item.why == f"refund belongs to no purchase, or to several, by the ARN {SPLIT}"
    declared = await rows(book, "SELECT DISTINCT exact_keys FROM card_event WHERE role = 'books'")
    assert declared == [("arn",)]


async def test_a_person_says_where_an_event_belongs_that_is_held(book: Ledger) -> None:
    records = await ingested(LINES)
    await book.take(records)
    linking = Linking(book._facts)
    with pytest.raises(InvalidInput, match="is in a purchase already"):
        await linking.resolve("first-bank/R1", "first-bank/P4", by="ann", on=COMMAND_ON)
    with pytest.raises(InvalidInput, match="is in no purchase"):
        await book.take(await ingested([line(event_id="R6", account_id="A1", kind="REFUND")]))
        await linking.resolve("first-bank/R6", "first-bank/R5", by="ann", on=COMMAND_ON)
    found = await linking.resolve("first-bank/R5", "first-bank/P5", by="ann", on=COMMAND_ON)
    assert (found.purchase, found.difference.taken_back) == ("P5", {"SKY-MILE": 1})
    links = await demand_sound(book, *NAMES, "R6")
    assert links["R5"] == "it belongs to purchase P5: ann linked it to P5 on 2026-06-30"
    late = line(event_id="R7", account_id="A1", kind="REFUND", arn=SPLIT, billing_amount=100)
    await book.take(await ingested([late]))
    async with book.books() as books:
        assert {item.event_id for item in await books.to_review()} == {"R6", "R7"}
    await demand_sound(book, *NAMES, "R6", "R7")


async def test_what_a_feed_does_not_declare_links_nothing_and_the_first_copy_holds(
    book: Ledger,
) -> None:
    await book.take(await ingested(LINES[:1]))
    await book.take(await ingested(LINES[:2], "silent"))
    await book.take(await ingested(LINES[1:2]))
    assert await granted(book) == {"P1": 31}
    recorded = await rows(
        book, "SELECT outcome, exact_keys FROM card_event WHERE role = 'books' ORDER BY seq"
    )
    assert recorded == [
        ("POSTED", "arn"), ("DUPLICATE", None), ("WAITING", None), ("DUPLICATE", "arn"),
    ]  # fmt: skip
    await demand_sound(book, "P1", "R1")


async def test_a_purchase_that_its_keys_do_not_lead_to_is_a_fault(book: Ledger) -> None:
    await book.take(await ingested(LINES))
    await sabotage(book.url, "UPDATE purchase SET exact_keys = NULL WHERE label = 'P1'")
    async with book.books() as books:
        faults = {one.id: one.detail for one in await books.findings() if not one.ok}
    assert "is not found under its own keys" in faults["purchase-labels"]
