"""Every kind of running total through real tables: proofs hold, and name what was tampered with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.accrual import bootstrap as accrual
from services.kernel.finding import Finding
from services.local.stack import Stack
from tests.support import builders, ledger, servers
from tests.support.builders import event
from tests.support.ledger import Ledger, sabotage

ROUND = {"mode": "down", "scale": 0, "level": "per_transaction"}
MONTH = {"per": "month", "scope": "account"}
PERIOD = ROUND | {"level": "per_period"} | MONTH
TEN = {"per_block": {"block": "10.00", "units": "1"}}


def rule(name: str, **clauses: Any) -> dict[str, Any]:
    """A rule that is rounded per purchase, unless its clauses say something else."""
    return {"id": name, "award": "base", "rounding": ROUND} | clauses


RULES = [
    rule("bands", rounding=PERIOD, bands={"kind": "marginal", **MONTH, "steps": [
        {"from": "0.00", "units": "0.1"}, {"from": "1000.00", "units": "0.3"}]}),
    rule("spend", rounding=PERIOD, earn=TEN,
         cap=MONTH | {"limit": "500.00", "of": "spend", "beyond": "0"}),
    rule("bonus", rounding=PERIOD,
         threshold=MONTH | {"steps": [{"reach": "1000.00", "units": "1000"}]}),
    rule("punch", rounding=PERIOD, count=MONTH | {"every": 3, "units": "100"}),
    rule("rest", rounding=PERIOD, earn={"per_unit": {"units": "0.005"}}),
    rule("capped", earn=TEN, cap=[
        {"limit": "30", "of": "reward", "per": "day", "scope": "card", "beyond": "0"},
        {"limit": "50", "of": "reward", "per": "month", "scope": "account", "beyond": "0"}]),
]  # fmt: skip
FEES = [{"party": "operator", "percent": "10", "funder": "first-bank",
         "rounding": {"mode": "half_up", "scale": 0}}]  # fmt: skip
CONTRACT = builders.as_text(builders.contract(rules=RULES, fees=FEES))


async def filled(url: str) -> None:
    """700.00, 600.00 on another card, 100.00; then 200.00 of the first are refunded."""
    async with ledger.opened(url, partitions=1) as book:
        await book.approve(CONTRACT)
        await book.enrol([builders.row("A1")])
        days = [datetime(2026, 3, day, 12, tzinfo=UTC) for day in (2, 3, 4)]
        await book.send(
            event("P1", billing_amount=70_000, at=days[0], card_token="K1"),
            event("P2", billing_amount=60_000, at=days[1], card_token="K2"),
        )
        await book.send(event("P3", billing_amount=10_000, at=days[2], card_token="K1"))
        await book.send(event("R1", "REFUND", original_event_id="P1", billing_amount=20_000))


@pytest.fixture(scope="module")
def filled_url(stack: Stack, _template: str) -> Iterator[str]:
    url = servers.create_database(stack.database_url, template=servers.name_of(_template))
    servers.in_a_thread(filled(url))
    yield url
    servers.drop_database(url, stack.database_url)


@pytest.fixture
async def book(stack: Stack, filled_url: str) -> AsyncIterator[Ledger]:
    url = servers.create_database(stack.database_url, template=servers.name_of(filled_url))
    async with ledger.opened(url, partitions=1) as book:
        yield book
    servers.drop_database(url, stack.database_url)


async def faults(book: Ledger) -> dict[str, Finding]:
    async with book.books() as books:
        return {found.id: found for found in await books.findings() if not found.ok}


async def test_every_kind_comes_to_what_a_pencil_says(book: Ledger) -> None:
    async with book.books() as books:
        rows = [row async for piece in books.rows("totals", date(2026, 3, 31)) for row in piece]
    found = {(row[1], row[2], row[4], row[5], row[6]): row[8] for row in rows}
    assert found == {
        ("bands", "bands", "account", "A1", "2026-03"): 160,  # 100 and 3 for each 10 of 200.00
        ("spend", "spend", "account", "A1", "2026-03"): 50,
        ("bonus", "threshold", "account", "A1", "2026-03"): 1_000,
        ("punch", "count", "account", "A1", "2026-03"): 100,
        ("rest", "rounding", "account", "A1", "2026-03"): 6,  # 1,200.00 · 0.005
        ("capped", "cap", "card", "K1", "2026-03-02"): 30,
        ("capped", "cap", "card", "K2", "2026-03-03"): 30,
        ("capped", "cap", "card", "K1", "2026-03-04"): 10,
        ("capped", "cap", "account", "A1", "2026-03"): 50,
    }


async def test_the_proofs_hold(book: Ledger) -> None:
    assert await faults(book) == {}
    rebuilt = await accrual.rebuild(book.settings, lambda _: None)
    assert rebuilt.differences == []
    async with book.books() as books:
        for name in ("P1", "P2", "P3", "R1"):
            (told,) = await books.explain(f"first-bank/{name}")
            assert told["outcome"] == "POSTED"
        kinds = {step["kind"] for step in told["steps"] if step["step"] == "total"}
        assert kinds == {"bands", "spend", "threshold", "count", "rounding", "cap"}
        fees = [line for line in told["transfers"] if line.get("party") == "operator"]
        assert fees


FEE = "(debit LIKE 'fee/%' OR credit LIKE 'fee/%')"
PLANTED = [
    ("totals-sums", f"UPDATE scope_total SET total = total + 1 WHERE kind = '{kind}'", kind)
    for kind in ("bands", "spend", "threshold", "count", "rounding", "cap")
] + [
    ("totals-sums", "UPDATE scope_total SET scope_id = 'K2' WHERE period = '2026-03-02'", "K1"),
    ("totals-sums", "UPDATE scope_total SET scope = 'account' WHERE scope_id = 'K1'", "a account"),
    ("purchase-grants", f"UPDATE transfer SET amount = amount + 1 WHERE seq = 4 AND {FEE}",
     "fee of operator"),
    ("purchase-grants", f"DELETE FROM transfer WHERE {FEE}", "P1"),
    ("purchase-grants", "UPDATE transfer SET credit = 'fee/other' WHERE credit LIKE 'fee/%'", "P1"),
    ("ledger-shapes", "UPDATE transfer SET debit = 'bank' WHERE credit LIKE 'fee/%'", "bank"),
]  # fmt: skip


@pytest.mark.parametrize(("invariant", "corruption", "said"), PLANTED)
async def test_verify_names_a_corruption_of_any_kind(
    book: Ledger, invariant: str, corruption: str, said: str
) -> None:
    await sabotage(book.url, corruption)
    found = await faults(book)
    assert invariant in found
    assert said in found[invariant].detail
