"""A bank of somebody else's takes our payouts, and what it answers comes home."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.kernel.errors import InvalidInput
from services.runtime.settings import Settings
from services.settlement import bootstrap as settlement
from services.settlement.batches.order import Order
from services.settlement.batches.payout import Payee
from tests.support.bank import APRIL_3, Bank, acknowledged, import_payouts, open_bank, trusted
from tests.support.batches import ACH_PAYOUTS, SEPA_PAYOUTS
from tests.support.partner import owed
from tests.support.settlement import MARCH_END, SEALED_ON, Books, broken, cash_terms

ACH = replace(ACH_PAYOUTS, payees={
    "acc-1": ACH_PAYOUTS.payees["acc-1"],
    "acc-2": Payee("RAVI SAMPLE", "999999992", "987654", "savings"),
    "acc-3": Payee("LI SAMPLE", "999999992", "5550001"),
})  # fmt: skip
SEPA = replace(SEPA_PAYOUTS, payees={
    **SEPA_PAYOUTS.payees, "acc-3": Payee("Li Sample", "DEUTDEFF", "GB29NWBK60161331926819"),
})  # fmt: skip
TABLES = {"nacha-ppd": ("USD", ACH), "pain.001": ("EUR", SEPA)}


@pytest.fixture
def bank() -> Iterator[Bank]:
    with open_bank() as found:
        yield found


class Desk:
    """Three members are owed 13.00 in two lines, 3.99 and 0.70; one batch is on its way."""

    def __init__(self, books: Books, folder: Path, settings: Settings, layout: str) -> None:
        self.books, self.folder, self.settings, self.layout = books, folder, settings, layout

    async def settle(self) -> str:
        order = Order(partner="first-bank", through=MARCH_END, by="Ann", on=SEALED_ON)
        found = await settlement.settle(self.settings, order)
        assert found.header is not None
        return found.header.batch

    async def send(self, batch: str) -> bytes:
        await settlement.approve_batch(self.settings, batch, approver="Bo", on=APRIL_3)
        sent = await settlement.deliver_batch(
            self.settings, batch, by="Dee", on=APRIL_3, to=None, resend=False
        )
        (path,) = [file.path for file in sent.files if f"-{self.layout}-" in file.path]
        return Path(path).read_bytes()

    async def hear(self, content: bytes) -> tuple[str, dict[str, int], int]:
        return await acknowledged(self.settings, content, self.folder)

    async def refused(self, content: bytes) -> str:
        """What is said of a file that moves nothing."""
        count = "SELECT count(*) FROM card_event"
        before = await self.books.connection.fetchval(count)
        with pytest.raises(InvalidInput) as error:
            await self.hear(content)
        assert await self.books.connection.fetchval(count) == before
        return "\n".join(str(problem) for problem in error.value.problems)

    async def outcomes(self, batch: str) -> list[tuple[Any, ...]]:
        rows = await self.books.connection.fetch(
            "SELECT l.account_id, o.outcome, o.code FROM settlement_line_outcome AS o "
            "JOIN settlement_line AS l USING (batch, line) WHERE batch = $1 ORDER BY 1, l.line",
            batch,
        )
        return [tuple(row) for row in rows]


@pytest.fixture
async def desk(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> AsyncIterator[Desk]:
    layout = request.param
    currency, table = TABLES[layout]
    books = await Books.open(database_url)
    terms = cash_terms(currency, adjustments="carry", file={"layout": layout})
    await books.contract("cash", partner="first-bank", terms=terms)
    given = (("acc-1", "P1", 1250), ("acc-1", "P2", 50), ("acc-2", "P3", 399), ("acc-3", "P4", 70))
    for account, purchase, amount in given:
        await books.member(account, None, partner=None)
        await books.grant(account, purchase, amount, contract="cash", rule="cash", unit=currency)
    settings = trusted(books, tmp_path / "files")
    await import_payouts(settings, tmp_path / "files", "first-bank", table)
    yield Desk(books, tmp_path / "files", settings, layout)
    await books.close()


def sepa_bank(bank: Bank, **more: Any) -> None:
    bank.account("US", SEPA.payer.account, **more)
    bank.account("RAVI", SEPA.payees["acc-2"].account, behaviour="closed-account")


@pytest.mark.parametrize("desk", ["pain.001"], indirect=True)
async def test_a_transfer_is_accepted_refused_paid_and_returned_as_the_bank_says(
    desk: Desk, bank: Bank
) -> None:
    batch = await desk.settle()
    late = {"days": 2, "reason": "AC04", "end_to_end_id": "000001-00000004"}
    sepa_bank(bank, behaviour="return-later", parameters=late)
    bank.take(await desk.send(batch))
    (report,) = bank.says("pain.002")
    assert await desk.hear(report) == ("ANSWERED", {"ACCEPTED": 3, "REJECTED": 1}, 4)
    assert await desk.outcomes(batch) == [
        ("acc-1", "ACCEPTED", ""),
        ("acc-1", "ACCEPTED", ""),
        ("acc-2", "REJECTED", "AC04"),
        ("acc-3", "ACCEPTED", ""),
    ]
    assert await owed(desk.books) == {"member": -1370, "payout-clearing": 1370}
    (debits,) = bank.says("camt.054")
    assert await desk.hear(debits) == ("ANSWERED", {"PAID": 3}, 3)
    assert await owed(desk.books) == {"member": -1370, "bank": 1370}
    bank.until("2026-04-09")
    (credits,) = bank.says("camt.054")
    assert await desk.hear(credits) == ("ANSWERED", {"REJECTED": 1}, 1)
    assert (await desk.outcomes(batch))[3] == ("acc-3", "REJECTED", "AC04")
    assert await owed(desk.books) == {"member": -1300, "bank": 1300}
    statements = [one for one in bank.says("camt.053") if b"000001-0000000" in one]
    assert len(statements) == 2
    for statement in statements:
        assert (await desk.hear(statement))[2] == 0, "it repeats the notifications"
    assert (await desk.hear(report))[2] == 0
    assert await broken(desk.books, desk.folder) == []
    again = await desk.settle()
    assert await desk.outcomes(again) == []
    rows = await desk.books.connection.fetch(
        "SELECT account_id, amount, original_batch, original_line FROM settlement_line "
        "WHERE batch = $1 ORDER BY line", again,
    )  # fmt: skip
    assert [tuple(row) for row in rows] == [
        ("acc-2", 399, batch, 3), ("acc-3", 70, batch, 4),
    ]  # fmt: skip
