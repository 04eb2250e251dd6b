"""A person links what waits to a purchase: an event like any other, to explain and to rebuild."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.accrual import bootstrap as accrual
from services.accrual.lookup.statement import Period
from services.cli import lookup, proof
from services.cli.session import DONE, INVALID, Output, Session
from services.kernel.transaction import CardTransaction
from tests.support import builders, ledger
from tests.support.builders import event
from tests.support.ledger import Ledger, sabotage
from tests.support.phrases import read_contract

CONTRACT = """\
contract sky-visa v1   zone Europe/Oslo   amounts in NOK
  base:   1 SKY-MILE per 10.00, per_block, down    cap 50 a month and account"""
SECOND = datetime(2026, 3, 3, 12, tzinfo=UTC)
YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture
async def book(migrated_url: str) -> AsyncIterator[Ledger]:
    """P1 and P2 share a full cap; R1 names nothing, R2 what never came, V1 the refund R2."""
    async with ledger.opened(migrated_url) as book:
        await book.approve(builders.as_text(read_contract(CONTRACT.splitlines())[0]))
        await book.enrol([builders.row("A1"), builders.row("A2")])
        await book.send(
            event("P1", billing_amount=31_200),
            event("P2", billing_amount=30_000, at=SECOND),
            event("Q1", account_id="A2"),
            event("R1", "REFUND", billing_amount=31_200),
            event("R2", "REFUND", original_event_id="gone", billing_amount=20_000),
            event("V1", "REFUND_REVERSAL", original_event_id="R2", billing_amount=5_000),
            event("C1", "PRESENTMENT_REVERSAL", billing_amount=1_000),
        )
        await book.send(event("X1", "REFUND"), role="compare")
        yield book


Resolve = Callable[..., Any]


@pytest.fixture
def resolve(book: Ledger, monkeypatch: pytest.MonkeyPatch) -> Resolve:
    monkeypatch.setenv("MILEPOST_DATABASE_URL", book.url)
    app = typer.Typer()
    proof.register(app)
    lookup.register(app)
    session = Session(output=Output.JSON, quiet=False, config=None)

    async def run(name: str, purchase: str, by: str = "ann") -> Any:
        words = ["review", "resolve", name, "--purchase", purchase, "--by", by,
                 "--date", "2026-06-30"]  # fmt: skip
        return await asyncio.to_thread(CliRunner().invoke, app, words, obj=session)

    return run


async def linked(resolve: Resolve, name: str, purchase: str) -> dict[str, Any]:
    done = await resolve(f"first-bank/{name}", f"first-bank/{purchase}")
    assert done.exit_code == DONE, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def explained(book: Ledger, name: str) -> dict[str, Any]:
    async with book.books() as books:
        (told,) = await books.explain(f"first-bank/{name}")
    return told


async def demand_sound(book: Ledger, *names: str) -> None:
    """Everything can be explained and verified, and folding the record gives the ledger."""
    async with book.books() as books:
        assert [found for found in await books.findings() if not found.ok] == []
        for name in names:
            await books.explain(f"first-bank/{name}")
        await books.statement("A1", YEAR)
        await books.to_review()
    assert (await accrual.rebuild(book.settings, lambda _: None)).differences == []


async def test_a_refund_that_names_nothing_is_linked_and_frees_what_it_took(
    book: Ledger, resolve: Resolve
) -> None:
    found = await linked(resolve, "R1", "P1")
    assert (found["purchase"], found["account_id"], found["purchases"]) == ("P1", "A1", 2)
    assert (found["granted"], found["taken_back"]) == ({"SKY-MILE": 11}, {"SKY-MILE": 31})
    told = await explained(book, "R1")
    assert (told["outcome"], told["reason"], told["purchase"]) == (
        "WAITING", "MISSING_ORIGINAL", "P1",
    )  # fmt: skip
    assert told["steps"][1]["text"] == (
        "it belongs to purchase P1: ann linked it to P1 on 2026-06-30"
    )
    told = await explained(book, "P2")
    assert told["later"][-1]["text"] == "+11 SKY-MILE by base: ann linked R1 to P1"
    async with book.books() as books:
        assert "R1" not in {item.event_id for item in await books.to_review()}
    await demand_sound(book, "P1", "P2", "R1", "R2", "V1", "C1")


async def test_what_waits_for_a_linked_event_comes_along_and_later_ones_find_it(
    book: Ledger, resolve: Resolve
) -> None:
    found = await linked(resolve, "R2", "P2")  # 300.00 less 200.00, of which 50.00 came back
    assert found["taken_back"] == {"SKY-MILE": 4}
    async with book.books() as books:
        assert {item.event_id for item in await books.to_review()} == {"R1", "C1"}
    await book.send(event("V2", "REFUND_REVERSAL", original_event_id="R2", billing_amount=15_000))
    assert (await explained(book, "V2"))["outcome"] == "POSTED"
    await book.send(event("P3", billing_amount=1_000), event("gone", billing_amount=1_000))
    assert (await explained(book, "R2"))["purchase"] == "P2"
    await demand_sound(book, "P1", "P2", "P3", "gone", "R1", "R2", "V1", "V2")


async def test_a_reversal_is_linked_to_what_it_reverses(book: Ledger, resolve: Resolve) -> None:
    await linked(resolve, "R2", "P2")
    refused = await resolve("first-bank/C1", "first-bank/R2")
    assert refused.exit_code == INVALID
    assert "is no presentment: name the presentment" in refused.stderr
    assert (await linked(resolve, "C1", "P1"))["taken_back"] == {"SKY-MILE": 1}
    await demand_sound(book, "P1", "P2", "C1")


@pytest.mark.parametrize(
    ("name", "purchase", "said"),
    [
        ("first-bank/R1", "first-bank/Q1", "--purchase: 'first-bank/Q1': is an event of another a"),
        ("first-bank/R1", "other-bank/P1", "--purchase: 'other-bank/P1': is not recorded"),
        ("first-bank/R1", "first-bank/R1", "is the event itself"),
        ("first-bank/R1", "first-bank/V1", "--purchase: 'first-bank/V1': is in no purchase"),
        ("first-bank/R2", "first-bank/V1", "--purchase: 'first-bank/V1': is in no purchase"),
        ("first-bank/R1", "first-bank/X1", "came from a feed for comparison"),
        ("first-bank/X1", "first-bank/P1", "ISSUER/EVENT_ID: 'first-bank/X1': came from"),
        ("first-bank/ZZ", "first-bank/P1", "ISSUER/EVENT_ID: 'first-bank/ZZ': is not recorded"),
        ("first-bank/P2", "first-bank/P1", "is in a purchase already"),
        ("R1", "first-bank/P1", "ISSUER/EVENT_ID: 'R1': is not ISSUER/EVENT_ID"),
        ("first-bank/R1", "P1", "--purchase: 'P1': is not ISSUER/EVENT_ID"),
    ],
)
async def test_a_link_that_cannot_be_is_refused_by_name_and_leaves_nothing(
    book: Ledger, resolve: Resolve, name: str, purchase: str, said: str
) -> None:
    refused = await resolve(name, purchase)
    assert refused.exit_code == INVALID
    assert said in refused.stderr
    await demand_sound(book, "R1", "P1")


async def test_an_event_is_linked_once(book: Ledger, resolve: Resolve) -> None:
    await linked(resolve, "R1", "P1")
    for purchase in ("first-bank/P1", "first-bank/P2"):
        refused = await resolve("first-bank/R1", purchase)
        assert refused.exit_code == INVALID
        assert "is linked already: `milepost explain first-bank/R1`" in refused.stderr
    refused = await resolve("first-bank/R2", "first-bank/P1", " ")
    assert "--by: ' ': is no name" in refused.stderr


async def test_an_event_whose_decision_broke_is_decided_anew_first(
    book: Ledger, resolve: Resolve
) -> None:
    broken: CardTransaction = event("B1", account_id="A2")
    await book.send(broken, facts=ledger.BrokenFacts())
    refused = await resolve("first-bank/B1", "first-bank/Q1")
    assert "`milepost reconsider account A2` comes first" in refused.stderr


@pytest.mark.parametrize(
    "corruption",
    [
        """DELETE FROM event_identity USING card_event AS e
            WHERE (event_identity.stream_id, event_identity.seq) = (e.stream_id, e.seq)
              AND e.role = 'command'""",
        """UPDATE card_event SET body = convert_to(replace(convert_from(body, 'UTF8'),
             '"event":"R1"', '"event":"R2"'), 'UTF8') WHERE role = 'command'""",
    ],
)
async def test_verify_names_a_link_that_was_changed(
    book: Ledger, resolve: Resolve, corruption: str
) -> None:
    await linked(resolve, "R1", "P1")
    await sabotage(book.url, corruption)
    async with book.books() as books:
        found = {one.id: one for one in await books.findings() if not one.ok}
    assert "is a command with an identity that is not its own" in found["record-identities"].detail


async def test_a_rebuild_names_a_link_that_leads_elsewhere(book: Ledger, resolve: Resolve) -> None:
    await linked(resolve, "R1", "P1")
    await sabotage(
        book.url,
        """UPDATE card_event SET body = convert_to(replace(convert_from(body, 'UTF8'),
             '"linked_to":"P1"', '"linked_to":"P2"'), 'UTF8') WHERE role = 'command'""",
    )
    assert (await accrual.rebuild(book.settings, lambda _: None)).differences != []
