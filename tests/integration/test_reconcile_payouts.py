"""Payout files are read back payment by payment: each pays all lines of a member."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.runtime.sealing import IDENTITY, PUBLIC_KEY, create_keys
from services.runtime.settings import Settings, load_settings
from services.settlement import bootstrap as settlement
from services.settlement.batches.order import Order
from services.settlement.bootstrap import payouts
from tests.support.reconciling import APRIL_10, codes, run
from tests.support.settlement import MARCH_END, SEALED_ON, Books, cash_terms

ACCOUNTS = """role,owner,name,bank,account,kind,identifier,bank_name
payer,sky-air,CASHBACK PROC,{bank},{payer},,1234567890,DEMO BANK
payee,acc-1,JANE SAMPLE,{bank},{one},,,
payee,acc-2,JOHN SAMPLE,{bank},{other},,,
"""
NACHA = {"bank": "091000019", "payer": "", "one": "5550001", "other": "5550002"}
SEPA = {"bank": "DEUTDEFF", "payer": "DE89370400440532013000", "one": "DE75512108001245126199",
        "other": "DE02120300000000202051"}  # fmt: skip


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    yield books
    await books.close()


async def settled(
    books: Books, tmp_path: Path, layout: str, unit: str, bank: dict[str, str]
) -> Path:
    """A batch of three lines that pays two members; its payout file."""
    await books.contract(terms=cash_terms(unit, adjustments="carry", file={"layout": layout}))
    for account, purchase, amount in (
        ("acc-1", "P1", 500),
        ("acc-2", "P2", 70),
        ("acc-1", "P3", 3),
    ):
        await books.grant(account, purchase, amount, rule="cash", unit=unit)
    create_keys(tmp_path / "keys")
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(ACCOUNTS.format(**bank))
    settings = _settings(books, tmp_path)
    await payouts.import_payouts(settings, accounts, by="Ann", on=SEALED_ON)
    done = await settlement.settle(settings, Order("sky-air", MARCH_END, "Ann", SEALED_ON))
    (path,) = [Path(file.path) for file in done.files if layout in file.path]
    return path


def _settings(books: Books, tmp_path: Path) -> Settings:
    return load_settings({
        "MILEPOST_DATABASE_URL": books.url,
        "MILEPOST_FILES_DIR": str(tmp_path / "files"),
        "MILEPOST_PAYOUT_KEY_FILE": str(tmp_path / "keys" / PUBLIC_KEY),
        "MILEPOST_PAYOUT_IDENTITY_FILE": str(tmp_path / "keys" / IDENTITY),
    })  # fmt: skip


@pytest.mark.parametrize(
    ("layout", "unit", "bank", "was", "now"),
    [
        ("nacha-ppd", "USD", NACHA, b"0000000503", b"0000000530"),
        ("pain.001", "EUR", SEPA, b">5.03<", b">5.30<"),
    ],
)
async def test_a_payment_of_another_amount_is_found(
    books: Books, tmp_path: Path, layout: str, unit: str, bank: dict[str, str], was: bytes,
    now: bytes,
) -> None:  # fmt: skip
    path = await settled(books, tmp_path, layout, unit, bank)
    done = await run(books, tmp_path / "files", on=APRIL_10)
    assert codes(done) == []
    content = path.read_bytes()
    assert content.count(was) == 1
    path.write_bytes(content.replace(was, now))
    found = codes(await run(books, tmp_path / "files"))
    assert [(code, amount) for code, _, amount in found] == [
        ("AMOUNT_DIFFERS", -27), ("CHANGED_FILE", 0),
    ]  # fmt: skip
