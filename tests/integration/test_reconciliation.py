"""A month ties from the feed to the answer; whatever is planted is found and named."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from services.settlement import bootstrap as settlement
from services.settlement.reconcile.discrepancy import damaged_name
from tests.support.partner import (
    BATCH,
    Verdict,
    acknowledge,
    answered,
    approved,
    delivered,
    sent,
)
from tests.support.reconciling import codes, feed, run
from tests.support.settlement import Books, broken, cash_terms, settings_for, settle

REWARDS = "sky-air-air-miles-rewards-000001.txt"


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    await books.contract()
    for nth, purchase in enumerate(("P1", "P2", "P3"), 1):
        await books.member(f"acc-{nth}", str(nth) * 5)
        await books.grant(f"acc-{nth}", purchase, 10 * nth)
    await books.grant("acc-9", "P9", 7)
    yield books
    await books.close()


async def closed(books: Books, folder: Path) -> bytes:
    """A month that is sealed, sent and answered: all taken but line 2."""
    await settle(books, folder)
    content = await sent(books, folder)
    await acknowledge(books, folder, answered(content, {2: Verdict("E", flags="Y")}))
    return content


def rewards(folder: Path) -> Path:
    return folder / "sky-air/outgoing" / REWARDS


async def test_a_closed_month_ties_from_opening_to_closing(books: Books, folder: Path) -> None:
    await closed(books, folder)
    done = await run(books, folder)
    assert codes(done) == []
    (sheet,) = done.seen.sheets
    assert sheet.ties
    moved = {one.kind: (one.transfers, one.amounts) for one in sheet.movements}
    assert {kind: (count, {p: a for p, a in amounts.items() if a})
            for kind, (count, amounts) in moved.items()} == {
        "GRANTED": (4, {"cost": -67, "member": 67}),
        "SEALED": (3, {"member": -60, "payable": 60}),
    }  # fmt: skip
    assert {p: a for p, a in sheet.closing.items() if a} == {
        "cost": -67, "member": 7, "payable": 60,
    }  # fmt: skip
    april = await run(books, folder, period="2026-04")
    assert [(one.kind, one.amounts["member"]) for one in april.seen.sheets[0].movements] == [
        ("REJECTED", 20)
    ]
    assert april.seen.sheets[0].opening == sheet.closing
    assert [tuple(one)[2:] for one in done.seen.tallies] == [
        (3, 60, 3, 60), (6, 120, 6, 120), (3, 60, 3, 60),
    ]  # fmt: skip
    assert {(one.why, one.transfers, one.amount) for one in done.seen.waiting} == {
        ("LISTED", 1, 7), ("SINCE", 1, 20),
    }  # fmt: skip
    assert await broken(books, folder) == []


async def test_a_due_transfer_in_no_line_is_found(books: Books, folder: Path) -> None:
    await closed(books, folder)
    await books.corrupt("DELETE FROM settlement_member WHERE line = 3")
    await books.corrupt("DELETE FROM acknowledgement WHERE line = 3")
    await books.corrupt("DELETE FROM settlement_line WHERE line = 3")
    found = codes(await run(books, folder))
    assert ("MISSING_LINE", "transfer 1/3/1 first-bank P3 base", 30) in found
    assert ("UNKNOWN_LINE", f"{BATCH} line 3 in air-miles-rewards.txt", -30) in found


async def test_a_line_missing_in_the_file_is_found(books: Books, folder: Path) -> None:
    content = await closed(books, folder)
    records = content.split(b"\r")
    damaged = b"\r".join([*records[:2], *records[3:]])
    rewards(folder).write_bytes(damaged)
    assert codes(await run(books, folder)) == [
        ("MISSING_LINE", f"{BATCH} line 2 in air-miles-rewards.txt", 20),
        ("CHANGED_FILE", damaged_name(REWARDS, damaged), 0),
    ]


async def test_a_line_doubled_in_the_file_is_found(books: Books, folder: Path) -> None:
    content = await closed(books, folder)
    records = content.split(b"\r")
    damaged = b"\r".join([*records[:3], records[2], *records[3:]])
    rewards(folder).write_bytes(damaged)
    assert codes(await run(books, folder)) == [
        ("DOUBLED_LINE", f"{BATCH} line 2 in air-miles-rewards.txt", -20),
        ("CHANGED_FILE", damaged_name(REWARDS, damaged), 0),
    ]


async def test_a_line_doubled_in_the_batch_is_found(books: Books, folder: Path) -> None:
    await closed(books, folder)
    await books.corrupt(
        "INSERT INTO settlement_line SELECT (l).* FROM (SELECT jsonb_populate_record(l, "
        "'{\"line\": 4}') AS l FROM settlement_line AS l WHERE line = 3)"
    )
    found = codes(await run(books, folder))
    assert ("DOUBLED_LINE", f"{BATCH} acc-3 P3 sky-visa base", -30) in found


async def test_a_changed_amount_is_found_in_the_file_and_in_the_batch(
    books: Books, folder: Path
) -> None:
    content = await closed(books, folder)
    rewards(folder).write_bytes(content.replace(b"00000001{", b"00000009{"))
    assert codes(await run(books, folder))[0] == (
        "AMOUNT_DIFFERS", f"{BATCH} line 1 in air-miles-rewards.txt", -80,
    )  # fmt: skip
    rewards(folder).write_bytes(content)
    assert codes(await run(books, folder)) == []
    await books.corrupt("UPDATE settlement_line SET amount = 11 WHERE line = 1")
    found = codes(await run(books, folder))
    assert ("AMOUNT_DIFFERS", f"{BATCH} acc-1 P1 sky-visa base", -1) in found
    assert ("AMOUNT_DIFFERS", f"{BATCH} line 1 in air-miles-rewards.csv", 1) in found


async def test_a_line_of_another_partner_and_a_file_for_another_are_found(
    books: Books, folder: Path
) -> None:
    await books.contract("other", partner="other-air")
    content = await closed(books, folder)
    await books.corrupt(
        "UPDATE transfer SET contract = 'other' WHERE (seq, debit) = (1, 'reward-cost/first-bank')"
    )
    await books.corrupt("UPDATE settlement_line SET contract = 'other' WHERE line = 1")
    rewards(folder).write_bytes(content.replace(b"SKYA", b"OTHR"))
    found = codes(await run(books, folder))
    assert ("WRONG_PARTNER", f"{BATCH} acc-1 P1 other base", 10) in found
    assert ("WRONG_PARTNER", REWARDS, 60) in found


async def test_a_line_answered_twice_is_found(books: Books, folder: Path) -> None:
    await closed(books, folder)
    await books.connection.execute(
        "INSERT INTO acknowledgement (batch, line, nth, outcome, previous, code, who, recorded_on, "
        "stream_id, seq) SELECT batch, line, 2, 'REJECTED', outcome, 'LATE', who, recorded_on, "
        "stream_id, seq FROM acknowledgement WHERE line = 1"
    )
    done = await run(books, folder)
    assert codes(done) == [("ANSWERED_TWICE", f"{BATCH} line 1", 10)]
    assert done.recorded.standing[0].detail == "the partner said ACCEPTED, then REJECTED LATE"


async def test_a_line_without_an_answer_is_missed_after_some_days(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    await sent(books, folder)
    early = await run(books, folder, on=date_of(8))
    assert (codes(early), early.seen.unanswered.in_time) == ([], 3)
    late = await run(books, folder, on=date_of(9))
    assert [code for code, _, _ in codes(late)] == ["NOT_ANSWERED"] * 3
    assert {one.owner for one in late.recorded.standing} == {"partner"}


async def test_a_missing_file_is_found_once_and_not_line_by_line(
    books: Books, folder: Path
) -> None:
    await closed(books, folder)
    rewards(folder).unlink()
    assert codes(await run(books, folder)) == [("MISSING_FILE", REWARDS, 60)]


async def test_a_cash_batch_is_read_back_too(books: Books, folder: Path) -> None:
    await books.contract("cash", partner="first-bank", terms=cash_terms())
    await books.grant("acc-1", "C1", 1250, contract="cash", rule="cash", unit="NOK")
    await settle(books, folder, partner="first-bank")
    done = await run(books, folder, partner="first-bank")
    assert codes(done) == []
    (path,) = (folder / "first-bank/pending").glob("*statement-credit*")
    path.write_bytes(path.read_bytes().replace(b",12.50,", b",12.05,"))
    found = await run(books, folder, partner="first-bank")
    assert codes(found)[0][::2] == ("AMOUNT_DIFFERS", 45)


async def test_a_transfer_that_no_contract_explains_does_not_tie(
    books: Books, folder: Path
) -> None:
    await books.corrupt("UPDATE transfer SET version = 9 WHERE seq = 4")
    assert codes(await run(books, folder)) == [
        ("LEDGER_DIFFERS", "SKY-MILE cost", -7),
        ("LEDGER_DIFFERS", "SKY-MILE member", 7),
    ]


async def test_an_issuer_of_which_no_compare_feed_tells_is_not_compared(
    books: Books, folder: Path
) -> None:
    await feed(books, "books", "E1", 4_500, arn="A1")
    await feed(books, "compare", "N1", 4_500, issuer_id="other-bank", arn="B1")
    assert codes(await run(books, folder)) == []
    for nth, around in enumerate((20_000, 20_600), 2):
        await feed(books, "compare", f"N{nth}", 4_500, arn=f"A{nth}", posted_on=around)
    missing = ("MISSING_IN_COMPARE", "first-bank PRESENTMENT event_id E1", -4_500)
    assert missing in codes(await run(books, folder))


def date_of(day: int) -> date:
    return date(2026, 4, day)


async def test_a_life_with_everything_in_it_ties(books: Books, folder: Path) -> None:
    settings = settings_for(books.url, folder)
    await settle(books, folder)
    await settlement.withdraw_batch(settings, BATCH, by="Ann", reason="too early", on=date_of(1))
    await books.grant("acc-1", "P1", -4)
    await books.grant("acc-2", "P2", 5)
    await settle(books, folder)
    content = await sent(books, folder, "sky-air-000002")
    await acknowledge(books, folder, answered(content, {1: Verdict("E", flags="Y")}))
    await books.member("acc-1", "11112")
    await books.grant("acc-2", "P2", -11)
    await books.member("acc-9", "99999")
    await settle(books, folder)
    content = await sent(books, folder, "sky-air-000003")
    await acknowledge(books, folder, answered(content), name="second.txt")
    for batch in ("sky-air-000002", "sky-air-000003"):
        await settlement.pay_batch(settings, batch, by="Dee", reference=f"B-{batch}", on=date_of(9))
    march, april = await run(books, folder), await run(books, folder, period="2026-04")
    assert (codes(march), codes(april)) == ([], [])
    (sheet,) = april.seen.sheets
    assert {one.kind for one in sheet.movements} == {"WITHDRAWN", "REJECTED", "PAID"}
    assert {place: amount for place, amount in sheet.closing.items() if amount} == {
        "cost": -57, "bank": 57,
    }  # fmt: skip
    assert sheet.ties and march.seen.sheets[0].ties
    assert await broken(books, folder) == []


async def test_cash_stands_in_clearing_until_it_is_paid(books: Books, folder: Path) -> None:
    await books.contract("cash", partner="first-bank", terms=cash_terms())
    await books.grant("acc-1", "C1", 1250, contract="cash", rule="cash", unit="NOK")
    await settle(books, folder, partner="first-bank")
    await approved(books, folder, "first-bank-000001")
    await delivered(books, folder, "first-bank-000001")
    (march,) = (await run(books, folder, partner="first-bank")).seen.sheets
    assert (march.closing["clearing"], march.closing["bank"]) == (1250, 0)
    settings = settings_for(books.url, folder)
    await settlement.pay_batch(
        settings, "first-bank-000001", by="Dee", reference="B1", on=date_of(9)
    )
    done = await run(books, folder, partner="first-bank", period="2026-04")
    assert (done.seen.sheets[0].closing["clearing"], done.seen.sheets[0].closing["bank"]) == (
        0, 1250,
    )  # fmt: skip
    assert codes(done) == []


async def test_a_posted_event_without_a_transfer_and_a_grant_without_an_event_are_found(
    books: Books, folder: Path
) -> None:
    await books.corrupt("DELETE FROM transfer WHERE seq = 4")
    await books.corrupt("DELETE FROM card_event WHERE seq = 3 AND role = 'books'")
    assert codes(await run(books, folder)) == [
        ("MISSING_IN_LEDGER", "first-bank PRESENTMENT event_id P9.4", 7000),
        ("UNCAUSED", "transfer 1/3/1", 30),
    ]
