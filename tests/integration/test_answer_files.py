"""The bytes of answers are kept as evidence, and verify finds what was done to them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import asyncpg
import pytest

from services.kernel.errors import InvalidInput
from services.runtime.settings import Settings
from services.settlement import bootstrap as settlement
from services.settlement.batches import follow
from services.settlement.batches.order import Order
from tests.support.bank import APRIL_3, acknowledged, import_payouts, open_bank, trusted
from tests.support.batches import SEPA_PAYOUTS
from tests.support.partner import BATCH, acknowledge, answered, sent
from tests.support.settlement import (
    MARCH_END,
    SEALED_ON,
    Books,
    broken,
    cash_terms,
    settings_for,
    settle,
)

RULE = "settlement-answer-files"


@pytest.fixture
async def taken(books: Books, tmp_path: Path) -> bytes:
    """An answer that was taken in, twice."""
    await settle(books, tmp_path / "files")
    content = answered(await sent(books, tmp_path / "files"))
    await acknowledge(books, tmp_path / "files", content)
    await acknowledge(books, tmp_path / "files", content, name="again.txt")
    return content


async def test_an_auditor_gets_the_very_bytes_again_once_for_each_file(
    books: Books, taken: bytes, tmp_path: Path
) -> None:
    settings = settings_for(books.url, tmp_path / "files")
    (kept,) = await settlement.list_answers(settings, partner=None)
    sha256 = hashlib.sha256(taken).hexdigest()
    assert (kept["name"], kept["sha256"], kept["bytes"], kept["batches"], kept["who"]) == (
        "answer.txt", sha256, len(taken), ["sky-air-000001"], "Dee",
    )  # fmt: skip
    to = tmp_path / "kept.txt"
    assert await settlement.save_answer(settings, sha256[:8], to) == ("answer.txt", len(taken))
    assert to.read_bytes() == taken
    for digits in (sha256[:7], "0" * 64):
        with pytest.raises(InvalidInput, match="must be the sha256 of one answer"):
            await settlement.save_answer(settings, digits, to)
    assert await broken(books, tmp_path / "files") == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM settlement_answer_file",
        "UPDATE settlement_answer_file SET sha256 = repeat('0', 64)",
        "UPDATE settlement_answer_file SET content = set_byte(content, 9, 65)",
        "UPDATE settlement_answer_file SET bytes = 1",
    ],
)
async def test_a_file_that_is_gone_or_changed_breaks_the_invariant(
    books: Books, taken: bytes, tmp_path: Path, statement: str
) -> None:
    await books.connection.execute(
        "ALTER TABLE settlement_answer_file DROP CONSTRAINT settlement_answer_file_whole"
    )
    await books.corrupt(statement)
    assert await broken(books, tmp_path / "files") == [RULE]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE settlement_answer_file SET bytes = 1",
        "DELETE FROM settlement_answer_file",
        "TRUNCATE settlement_answer_file",
    ],
)
async def test_what_is_kept_only_grows(books: Books, taken: bytes, statement: str) -> None:
    await books.connection.execute("SET ROLE milepost_app")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await books.connection.execute(statement)


async def test_what_a_bank_says_is_sealed_and_opens_with_the_payout_key_only(
    database_url: str, tmp_path: Path
) -> None:
    books = await Books.open(database_url)
    try:
        settings, answer = await heard_of_bank(books, tmp_path / "files")
        stored = await books.connection.fetchval("SELECT content FROM settlement_answer_file")
        assert stored.startswith(b"age-encryption.org/v1")
        assert answer[:40] not in stored
        sha256, to = hashlib.sha256(answer).hexdigest(), tmp_path / "kept.xml"
        with pytest.raises(InvalidInput, match=r"MILEPOST_PAYOUT_IDENTITY_FILE.*is sealed"):
            await settlement.save_answer(settings_for(books.url, tmp_path), sha256, to)
        await settlement.save_answer(settings, sha256, to)
        assert to.read_bytes() == answer
        assert await broken(books, tmp_path / "files", settings) == []
        await books.corrupt("UPDATE settlement_answer_file SET content = set_byte(content, 300, 1)")
        assert await broken(books, tmp_path / "files", settings) == ["settlement-answer-bytes"]
        with pytest.raises(InvalidInput):
            await settlement.save_answer(settings, sha256, to)
    finally:
        await books.close()


async def heard_of_bank(books: Books, folder: Path) -> tuple[Settings, bytes]:
    """A transfer that a bank has reported on, and its report."""
    terms = cash_terms("EUR", adjustments="carry", file={"layout": "pain.001"})
    await books.contract("cash", partner="first-bank", terms=terms)
    await books.grant("acc-1", "P1", 1250, contract="cash", rule="cash", unit="EUR")
    settings = trusted(books, folder)
    await import_payouts(settings, folder, "first-bank", SEPA_PAYOUTS)
    order = Order(partner="first-bank", through=MARCH_END, by="Ann", on=SEALED_ON)
    batch = "first-bank-000001"
    await settlement.settle(settings, order)
    await settlement.approve_batch(settings, batch, approver="Bo", on=APRIL_3)
    out = await settlement.deliver_batch(
        settings, batch, by="Dee", on=APRIL_3, to=None, resend=False
    )
    (path,) = [file.path for file in out.files if "-pain.001-" in file.path]
    with open_bank() as bank:
        bank.account("US", SEPA_PAYOUTS.payer.account)
        bank.take(Path(path).read_bytes())
        (report,) = bank.says("pain.002")
    await acknowledged(settings, report, folder)
    return settings, report


async def test_bytes_that_are_not_what_their_sha256_says_cannot_be_stored(
    books: Books, taken: bytes
) -> None:
    for content in ("'x'", "NULL"):
        with pytest.raises(asyncpg.CheckViolationError):
            await books.connection.execute(
                "INSERT INTO settlement_answer_file SELECT partner, repeat('a', 64), name, layout, "
                f"1, who, recorded_on, false, {content} FROM settlement_answer_file"
            )


async def test_a_payment_in_several_events_has_no_file_and_breaks_nothing(
    books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "LINES_IN_EVENT_MAX", 1)
    await books.grant("acc-1", "P2", 5)
    await settle(books, tmp_path / "files")
    content = answered(await sent(books, tmp_path / "files"))
    await acknowledge(books, tmp_path / "files", content)
    settings = settings_for(books.url, tmp_path / "files")
    _, paid = await settlement.pay_batch(settings, BATCH, by="Dee", reference="R1", on=APRIL_3)
    events = await books.connection.fetchval(
        "SELECT count(DISTINCT seq) FROM acknowledgement WHERE outcome = 'PAID'"
    )
    assert (paid, events) == (2, 2)
    assert await broken(books, tmp_path / "files") == []
