"""Whole histories on a real ledger: what is looked up is what the ledger holds."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from services.accrual.lookup.books import Books
from services.accrual.lookup.statement import Period
from services.kernel.errors import InvariantViolated
from tests.support import builders, ledger
from tests.support.builders import event
from tests.support.dice import SIZE, Dice
from tests.support.histories import Approves, Arrives, History, Imports, Step
from tests.support.ledger import Ledger, sabotage
from tests.support.pages import Page, read_page
from tests.support.strategies import histories

PAGES = sorted((Path(__file__).parents[1] / "scenarios").glob("*.txt"))
EVER = Period(date(2000, 1, 1), date(2100, 1, 1))


def steps_of(page: Page) -> Iterable[Step]:
    yield from (Approves(document) for document in page.approved)
    yield Imports(tuple(page.members))
    for step in page.steps:
        if step.event is not None:
            yield Arrives(step.event, step.role)
        elif step.member is not None:
            yield Imports((step.member,))
        elif step.document is not None:
            yield Approves(step.document)


async def played(steps: Iterable[Step], book: Ledger) -> list[Arrives]:
    arrived = []
    for step in steps:
        match step:
            case Arrives(event, role):
                await book.send(event, role=role)
                arrived.append(step)
            case Imports(rows):
                await book.enrol(rows)
            case Approves(document):
                await book.approve(document)
    assert not book.outcomes.errors
    return arrived


async def look_at_all(books: Books, arrived: list[Arrives]) -> None:
    """Explain every event and purchase, and add every statement up."""
    for found in arrived:
        name = f"{found.event.issuer_id}/{found.event.event_id}"
        (told,) = await books.explain(name)
        assert told["event_id"] == found.event.event_id
        assert sum(one["amount"] for one in told["granted"]) >= 0
    for account in sorted({found.event.account_id for found in arrived}):
        sums: dict[str, int] = defaultdict(int)
        for statement in await books.statement(account, EVER):
            sums[statement.unit] = statement.closing
        balances = await books.balance(account, EVER.last)
        assert {row.unit: row.amount for row in balances} == sums
    assert [finding for finding in await books.findings() if not finding.ok] == []
    await books.to_review()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
async def test_every_event_of_a_page_is_explained_as_the_ledger_holds_it(
    path: Path, migrated_url: str
) -> None:
    async with ledger.opened(migrated_url) as book:
        arrived = await played(steps_of(read_page(path.read_text())), book)
        async with book.books() as books:
            await look_at_all(books, arrived)


@pytest.mark.parametrize("seed", range(12))
async def test_every_event_of_a_random_history_is_explained_as_the_ledger_holds_it(
    seed: int, migrated_url: str
) -> None:
    history: History = histories(Dice(random.Random(seed).randbytes(SIZE)))
    async with ledger.opened(migrated_url) as book:
        arrived = await played(history.steps, book)
        async with book.books() as books:
            await look_at_all(books, arrived)


async def opened_page(name: str, book: Ledger) -> None:
    page = next(path for path in PAGES if path.stem == name)
    await played(steps_of(read_page(page.read_text())), book)


async def test_what_came_later_says_whose_refund_freed_the_room(migrated_url: str) -> None:
    async with ledger.opened(migrated_url) as book:
        await opened_page("worked-page", book)
        async with book.books() as books:
            (told,) = await books.explain("first-bank/P2")
    assert (told["outcome"], told["purchase"], told["granted"]) == ("POSTED", "P2", [])
    assert [transfer["amount"] for transfer in told["transfers"]] == [19]
    assert [entry["text"] for entry in told["later"]] == [
        "+11 SKY-MILE by dining: room freed when purchase P1 was refunded (refund refund-8)",
        "−12 SKY-MILE by dining: refund refund-9 of 40.00 NOK",
        "−18 SKY-MILE by dining: refund refund-11 of 60.00 NOK",
    ]
    (total,) = [step for step in told["steps"] if step["step"] == "total"]
    assert (total["before"], total["after"], total["limit"]) == (31, 61, 50)
    assert (total["granted_before"], total["granted_after"]) == (31, 50)
    verdicts = {step["rule"]: step["verdict"] for step in told["steps"] if "verdict" in step}
    assert verdicts == {"base": "LOST", "dining": "EARNS"}


async def test_what_came_later_says_when_a_count_before_it_changed(migrated_url: str) -> None:
    async with ledger.opened(migrated_url) as book:
        await opened_page("punch-card", book)
        async with book.books() as books:
            (told,) = await books.explain("first-bank/P5")
            (refund,) = await books.explain("first-bank/refund-10")
    assert [entry["text"] for entry in told["later"]] == [
        "+10 SKY-MILE by coffee: what was counted before it changed when purchase P1 was refunded "
        "(refund refund-10)",
        "−10 SKY-MILE by coffee: what was counted before it changed when purchase P4 was refunded "
        "(refund refund-11)",
        "+10 SKY-MILE by coffee: what was counted before it changed when purchase P4 got its "
        "refund reversed (reversal of a refund refund-12)",
    ]
    posted = [step["text"] for step in refund["steps"] if step["step"] == "posted"]
    assert posted == [
        "this event posted P4 −10 SKY-MILE by coffee: what was counted before it changed",
        "this event posted P5 +10 SKY-MILE by coffee: what was counted before it changed",
    ]


@pytest.mark.parametrize(
    "corruption",
    [
        "UPDATE transfer SET amount = amount + 1 WHERE seq = 3",
        "UPDATE transfer SET rule = 'other' WHERE seq = 3",
        "UPDATE card_event SET outcome = 'NO_REWARD', reason = 'CAP_REACHED' WHERE seq = 3",
        "UPDATE transfer SET amount = amount - 1 WHERE seq = 6 AND leg = 1",
        "DELETE FROM contract_approval",
    ],
)
async def test_what_does_not_follow_from_the_events_is_a_violated_invariant(
    corruption: str, migrated_url: str
) -> None:
    async with ledger.opened(migrated_url, partitions=1) as book:
        await opened_page("worked-page", book)
        await sabotage(migrated_url, corruption)
        async with book.books() as books:
            with pytest.raises(InvariantViolated):
                await books.explain("first-bank/P1")


async def test_an_event_whose_decision_broke_is_explained_before_and_after(
    migrated_url: str,
) -> None:
    page = read_page(next(path for path in PAGES if path.stem == "worked-page").read_text())
    async with ledger.opened(migrated_url) as book:
        await book.approve(page.approved[0])
        await book.enrol([builders.row()])
        await book.send(event("P1", mcc="5411"))
        await book.send(event("P2", mcc="5411"), facts=ledger.BrokenFacts())
        await book.send(event("P3", mcc="5411"))
        await book.send(event("R2", "REFUND", original_event_id="P2", billing_amount=4_000))
        async with book.books() as books:
            (told,) = await books.explain("first-bank/P2")
            assert (told["outcome"], told["granted"]) == ("FAILED", [])
            assert "`milepost reconsider account A1`" in told["steps"][-1]["text"]
            for name in ("P3", "R2"):
                await books.explain(f"first-bank/{name}")
        await book.reconsider("A1")
        await book.send(event("P4", mcc="5411"))
        async with book.books() as books:
            (told,) = await books.explain("first-bank/P2")
            assert told["outcome"] == "FAILED"
            assert [entry["amount"] for entry in told["later"]] == [0, 6]
            assert "decided anew on request" in told["later"][1]["text"]
            for name in ("P1", "R2", "P3", "P4"):
                await books.explain(f"first-bank/{name}")
            assert all(finding.ok for finding in await books.findings())
