"""A desk where a bank's payouts go out and its answers come in, for the tests of both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.kernel.errors import InvalidInput
from services.runtime.settings import Settings
from services.settlement import bootstrap as settlement
from services.settlement.batches.order import Order
from services.settlement.batches.payout import Payee
from services.settlement.bootstrap import Settled
from tests.support.bank import APRIL_3, Bank, acknowledged, import_payouts, trusted
from tests.support.batches import ACH_PAYOUTS, SEPA_PAYOUTS
from tests.support.settlement import MARCH_END, SEALED_ON, Books, cash_terms

ACH = replace(ACH_PAYOUTS, payees={
    "acc-1": ACH_PAYOUTS.payees["acc-1"],
    "acc-2": Payee("RAVI SAMPLE", "999999992", "987654", "savings"),
    "acc-3": Payee("LI SAMPLE", "999999992", "5550001"),
})  # fmt: skip
SEPA = replace(SEPA_PAYOUTS, payees={
    **SEPA_PAYOUTS.payees, "acc-3": Payee("Li Sample", "DEUTDEFF", "GB29NWBK60161331926819"),
})  # fmt: skip
TABLES = {"nacha-ppd": ("USD", ACH), "pain.001": ("EUR", SEPA)}


class Desk:
    """Three members are owed 13.00 in two lines, 3.99 and 0.70; one batch is on its way."""

    def __init__(self, books: Books, folder: Path, settings: Settings, layout: str) -> None:
        self.books, self.folder, self.settings, self.layout = books, folder, settings, layout

    async def settle(self) -> str:
        found = await self.settled()
        assert found.header is not None
        return found.header.batch

    async def settled(self) -> Settled:
        order = Order(partner="first-bank", through=MARCH_END, by="Ann", on=SEALED_ON)
        return await settlement.settle(self.settings, order)

    async def readdress(self, *accounts: str) -> None:
        """These members have other accounts, at the same bank."""
        _, table = TABLES[self.layout]
        new = {"nacha-ppd": "4440001", "pain.001": "DE75512108001245126199"}[self.layout]
        await self.again(
            {account: table.payees[account]._replace(account=new) for account in accounts}
        )

    async def again(self, payees: Mapping[str, Payee]) -> None:
        """The payout accounts of members are imported."""
        _, table = TABLES[self.layout]
        table = replace(table, payees=payees)
        await import_payouts(self.settings, self.folder, "first-bank", table)

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


@asynccontextmanager
async def open_desk(url: str, folder: Path, layout: str) -> AsyncIterator[Desk]:
    """With its members, contracts and accounts; nothing is sealed yet."""
    currency, table = TABLES[layout]
    books = await Books.open(url)
    terms = cash_terms(currency, adjustments="carry", file={"layout": layout})
    await books.contract("cash", partner="first-bank", terms=terms)
    given = (("acc-1", "P1", 1250), ("acc-1", "P2", 50), ("acc-2", "P3", 399), ("acc-3", "P4", 70))
    for account, purchase, amount in given:
        await books.member(account, None, partner=None)
        await books.grant(account, purchase, amount, contract="cash", rule="cash", unit=currency)
    settings = trusted(books, folder)
    await import_payouts(settings, folder, "first-bank", table)
    yield Desk(books, folder, settings, layout)
    await books.close()


def ach_bank(bank: Bank, **more: Any) -> None:
    bank.account("US", "DE89370400440532013000", format="nacha", currency="USD",
                 account_number="1234567890", **more)  # fmt: skip
    bank.account("RAVI", "FR1420041010050500013M02606", format="nacha", currency="USD",
                 account_number="987654", behaviour="closed-account")  # fmt: skip
