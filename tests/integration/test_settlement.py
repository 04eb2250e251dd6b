"""Sealing on a real PostgreSQL: what goes into a batch, when, and what its lines name."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from services.kernel.errors import InvalidInput, InvariantViolated
from services.settlement import bootstrap as settlement
from tests.support.settlement import (
    MARCH_END,
    Books,
    broken,
    cash_terms,
    lines,
    miles_terms,
    settings_for,
    settle,
    sole,
)


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    yield books
    await books.close()


async def test_what_is_due_is_sealed_in_the_order_of_business_keys(
    books: Books, folder: Path
) -> None:
    await books.contract()
    await books.member("acc-1", "22222")
    await books.member("acc-2", "11111")
    await books.grant("acc-1", "P3", 30)
    await books.grant("acc-1", "P1", 10, rule="dining")
    await books.grant("acc-2", "P2", 20, stream_id=2)
    await books.grant("acc-2", "P4", 40, available_on=date(2026, 4, 1))
    settled = await settle(books, folder)
    assert settled.header is not None
    assert settled.header.batch == "sky-air-000001"
    assert settled.header.vector == {"card-transactions/0": 3, "card-transactions/1": 1}
    assert settled.header.totals == {"SKY-MILE": 60}
    assert await lines(books, "sky-air-000001") == [
        (1, "11111", "acc-2", "P2", 20, None),
        (2, "22222", "acc-1", "P1", 10, None),
        (3, "22222", "acc-1", "P3", 30, None),
    ]
    assert await broken(books, folder) == []


async def test_sealing_moves_the_sum_from_the_member_to_the_partner(
    books: Books, folder: Path
) -> None:
    await books.contract()
    await books.contract("shop-cash", partner="sky-air", terms=cash_terms())
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 6, funder="first-bank")
    await books.grant("acc-1", "P1", 4, funder="sky-air")
    await books.grant("acc-1", "P2", 125, contract="shop-cash", rule="cash", unit="NOK")
    await settle(books, folder)
    rows = await books.connection.fetch(
        "SELECT debit, credit, amount, unit, funder, version, effective_on, available_on "
        "FROM settlement_posting ORDER BY leg"
    )
    payable = "partner-payable/sky-air"
    assert [tuple(row) for row in rows] == [
        ("member/acc-1", "payout-clearing", 125, "NOK", "first-bank", 1, MARCH_END, MARCH_END),
        ("member/acc-1", payable, 6, "SKY-MILE", "first-bank", 1, MARCH_END, MARCH_END),
        ("member/acc-1", payable, 4, "SKY-MILE", "sky-air", 1, MARCH_END, MARCH_END),
    ]
    balances = await books.connection.fetch("SELECT * FROM ledger_balance ORDER BY 1, 2")
    assert {(row["account"], row["unit"]): row["amount"] for row in balances} == {
        ("member/acc-1", "NOK"): -125,
        ("member/acc-1", "SKY-MILE"): -10,
        (payable, "SKY-MILE"): 10,
        ("payout-clearing", "NOK"): 125,
    }
    recorded = await books.connection.fetchrow("SELECT * FROM settlement_command")
    assert recorded is not None
    assert json.loads(recorded["body"])["by"] == "Ann"
    assert await broken(books, folder) == []


async def test_the_same_command_again_makes_no_batch(books: Books, folder: Path) -> None:
    await books.contract()
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 10)
    await settle(books, folder)
    again = await settle(books, folder)
    assert again.header is None
    assert again.files == ()
    assert await books.connection.fetchval("SELECT count(*) FROM settlement_batch") == 1


async def test_two_settlements_at_once_seal_everything_once(books: Books, folder: Path) -> None:
    await books.contract()
    await books.member("acc-1", "11111")
    for nth in range(50):
        await books.grant("acc-1", f"P{nth}", 10)
    settled = await asyncio.gather(*[settle(books, folder) for _ in range(4)])
    assert sum(found.header is not None for found in settled) == 1
    assert await books.connection.fetchval("SELECT count(*) FROM settlement_member") == 50
    assert await broken(books, folder) == []


async def test_a_sum_of_nothing_is_sealed_but_stands_in_no_file(books: Books, folder: Path) -> None:
    await books.contract()
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 10)
    await books.grant("acc-1", "P1", -10)
    assert (await settle(books, folder)).header is None
    await books.grant("acc-1", "P2", 5)
    settled = await settle(books, folder)
    assert settled.lines == 1
    assert await lines(books, "sky-air-000001") == [
        (1, "11111", "acc-1", "P2", 5, None),
        (0, "11111", "acc-1", "P1", 0, None),
    ]
    assert b"0000000001" in sole(settled, ".txt").read_bytes()[:60]
    assert await broken(books, folder) == []


async def test_a_unit_of_which_every_sum_is_nothing_stands_in_no_file(
    books: Books, folder: Path
) -> None:
    await books.contract()
    await books.contract("cash", terms=cash_terms())
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 10)
    await books.grant("acc-1", "P1", -10)
    await books.grant("acc-1", "P2", 255, contract="cash", rule="cash", unit="NOK")
    settled = await settle(books, folder)
    assert settled.lines == 1
    assert not [file.path for file in settled.files if file.path.endswith(".txt")]
    assert await broken(books, folder) == []


async def test_a_change_after_settlement_names_the_line_that_it_changes(
    books: Books, folder: Path
) -> None:
    await books.contract()
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 10)
    await settle(books, folder)
    await books.grant("acc-1", "P1", -4)
    await settle(books, folder)
    await books.grant("acc-1", "P1", 3)
    await settle(books, folder)
    assert await lines(books, "sky-air-000002") == [
        (1, "11111", "acc-1", "P1", -4, "sky-air-000001/1")
    ]
    assert await lines(books, "sky-air-000003") == [
        (1, "11111", "acc-1", "P1", 3, "sky-air-000001/1")
    ]
    assert await broken(books, folder) == []


async def test_a_line_takes_back_from_the_latest_originals_first_and_never_more_than_is_left(
    books: Books, folder: Path
) -> None:
    await books.contract()
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 10)
    await settle(books, folder)
    await books.grant("acc-1", "P1", 5)
    await settle(books, folder)
    await books.grant("acc-1", "P1", -12)
    await settle(books, folder)
    assert await lines(books, "sky-air-000003") == [
        (1, "11111", "acc-1", "P1", -5, "sky-air-000002/1"),
        (2, "11111", "acc-1", "P1", -7, "sky-air-000001/1"),
    ]
    for line in (1, 2):
        opened = await settlement.show_line(settings_for(books.url, folder), "sky-air-000003", line)
        assert [piece["line"] for piece in opened.pieces] == [1, 2]
        assert [source["amount"] for source in opened.transfers] == [12]
    await books.grant("acc-1", "P1", -3)
    await settle(books, folder)
    assert await lines(books, "sky-air-000004") == [
        (1, "11111", "acc-1", "P1", -3, "sky-air-000001/1")
    ]
    assert await broken(books, folder) == []
    await books.grant("acc-1", "P1", -1)
    with pytest.raises(InvariantViolated, match="1 more than was ever settled"):
        await settle(books, folder)


async def test_a_member_without_a_number_is_held_until_there_is_one(
    books: Books, folder: Path
) -> None:
    await books.contract()
    await books.member("acc-1", None)
    await books.member("acc-2", "22222")
    await books.member("acc-3", "not a number")
    for account in ("acc-1", "acc-2", "acc-3"):
        await books.grant(account, f"P-{account}", 10)
    settled = await settle(books, folder)
    assert settled.header is not None
    assert [(entry.account_id, entry.amount) for entry in settled.header.held] == [
        ("acc-1", 10),
        ("acc-3", 10),
    ]
    assert "not a number" in settled.header.held[1].why
    assert (await settle(books, folder)).header is None
    await books.member("acc-1", "11111")
    assert (await settle(books, folder)).lines == 1
    assert await lines(books, "sky-air-000002") == [(1, "11111", "acc-1", "P-acc-1", 10, None)]
    assert await broken(books, folder) == []


@pytest.mark.parametrize("adjustments", ["send", "carry"])
async def test_a_member_below_zero_waits_where_the_contract_carries(
    books: Books, folder: Path, adjustments: str
) -> None:
    await books.contract(terms=miles_terms(adjustments=adjustments))
    for account in ("acc-1", "acc-2"):
        await books.member(account, account[-1] * 5)
        await books.grant(account, f"P-{account}", 10)
    await settle(books, folder)
    await books.grant("acc-1", "P-acc-1", -8)
    await books.grant("acc-1", "P9", 3)
    await books.grant("acc-2", "P-acc-2", 1)
    settled = await settle(books, folder)
    assert settled.header is not None
    assert settled.lines == (3 if adjustments == "send" else 1)
    carried = [(entry.account_id, entry.amount) for entry in settled.header.carried]
    assert carried == ([] if adjustments == "send" else [("acc-1", -5)])
    assert await broken(books, folder) == []
    await books.grant("acc-1", "P10", 5)
    assert (await settle(books, folder)).lines == (1 if adjustments == "send" else 3)
    assert await broken(books, folder) == []


async def test_the_price_is_that_of_the_version_that_granted(books: Books, folder: Path) -> None:
    await books.contract(version=1)
    dearer = {"currency": "NOK", "base": "0.095", "bonus": "0.07"}
    await books.contract(version=2, terms=miles_terms(price=dearer))
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 101)
    await books.grant("acc-1", "P2", 3, rule="dining")
    await books.grant("acc-1", "P3", 101, version=2)
    await settle(books, folder)
    shown = await settlement.show_batch(settings_for(books.url, folder), "sky-air-000001")
    assert [
        (kind.award, kind.amount, str(kind.price), kind.amount_due) for kind in shown.kinds
    ] == [
        ("base", 101, "9/100", 909),
        ("base", 101, "19/200", 960),
        ("bonus", 3, "7/100", 21),
    ]


async def test_a_large_batch_is_recorded_as_several_events(books: Books, folder: Path) -> None:
    await books.contract()
    await books.member("acc-1", "11111")
    await books.many("acc-1", 12_000)
    settled = await settle(books, folder)
    assert settled.lines == 12_000
    assert await books.connection.fetchval("SELECT count(*) FROM settlement_command") == 3
    legs = await books.connection.fetch(
        "SELECT count(*), max(leg) FROM settlement_posting GROUP BY seq ORDER BY seq"
    )
    assert [tuple(row) for row in legs] == [(5000, 5000), (5000, 5000), (2000, 2000)]
    assert await broken(books, folder) == []


async def test_unknown_partners_batches_and_layouts_are_told(books: Books, folder: Path) -> None:
    await books.contract()
    with pytest.raises(InvalidInput, match="no contract is signed"):
        await settle(books, folder, partner="sea-air")
    with pytest.raises(InvalidInput, match="no such batch"):
        await settlement.show_batch(settings_for(books.url, folder), "sky-air-000009")
    await books.contract("bad", partner="bad-air", terms=miles_terms(file={"layout": "x"}))
    await books.contract(
        "worse", partner="bad-air", terms=miles_terms(file={"layout": "air-miles-rewards"})
    )
    await books.grant("acc-1", "P1", 1, contract="bad")
    await books.grant("acc-1", "P2", 1, contract="worse")
    with pytest.raises(InvalidInput) as refused:
        await settle(books, folder, partner="bad-air")
    assert len(refused.value.problems) == 2
    assert await books.connection.fetchval("SELECT count(*) FROM settlement_batch") == 0
