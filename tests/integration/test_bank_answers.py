"""A bank of somebody else's takes our payouts, and what it answers comes home."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.kernel.errors import InvalidInput
from services.settlement import bootstrap as settlement
from tests.support.bank import APRIL_3, Bank, open_bank
from tests.support.desk import ACH, SEPA, Desk, ach_bank, open_desk
from tests.support.partner import owed
from tests.support.reconciling import run as reconciled
from tests.support.refold import resettled
from tests.support.settlement import broken


@pytest.fixture
def bank() -> Iterator[Bank]:
    with open_bank() as found:
        yield found


@pytest.fixture
async def desk(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> AsyncIterator[Desk]:
    async with open_desk(database_url, tmp_path / "files", request.param) as desk:
        yield desk


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
    assert await broken(desk.books, desk.folder, desk.settings) == []
    await desk.readdress("acc-2", "acc-3")
    again = await desk.settle()
    assert await desk.outcomes(again) == []
    rows = await desk.books.connection.fetch(
        "SELECT account_id, amount, original_batch, original_line FROM settlement_line "
        "WHERE batch = $1 ORDER BY line", again,
    )  # fmt: skip
    assert [tuple(row) for row in rows] == [
        ("acc-2", 399, batch, 3), ("acc-3", 70, batch, 4),
    ]  # fmt: skip


@pytest.mark.parametrize("desk", ["pain.001"], indirect=True)
async def test_a_file_that_the_bank_rejects_gives_everything_back(desk: Desk, bank: Bank) -> None:
    batch = await desk.settle()
    sepa_bank(bank, behaviour="reject-file")
    bank.take(await desk.send(batch))
    (report,) = bank.says("pain.002")
    assert await desk.hear(report) == ("ANSWERED", {"REJECTED": 4}, 4)
    assert {code for _, _, code in await desk.outcomes(batch)} == {"FF01"}
    assert await owed(desk.books) == {}
    assert (await desk.hear(report))[2] == 0


@pytest.mark.parametrize("desk", ["pain.001"], indirect=True)
async def test_one_statement_with_payment_and_return_moves_both(desk: Desk, bank: Bank) -> None:
    batch = await desk.settle()
    late = {"days": 0, "reason": "MD07", "end_to_end_id": "000001-00000003"}
    sepa_bank(bank, behaviour="return-later", parameters=late)
    bank.ask("PATCH", "/_mock/accounts/RAVI", {"behaviour": "accept"})
    bank.take(await desk.send(batch))
    bank.until("2026-04-02")
    (statement,) = [one for one in bank.says("camt.053") if b"000001-0000000" in one]
    state, outcomes, fresh = await desk.hear(statement)
    assert (state, outcomes) == ("ANSWERED", {"PAID": 4, "REJECTED": 1})
    assert fresh == 5
    assert await owed(desk.books) == {"member": -1370, "bank": 1370}
    for notice in bank.says("camt.054"):
        assert (await desk.hear(notice))[2] == 0
    (report,) = bank.says("pain.002")
    assert (await desk.hear(report))[2] == 0, "it comes late, and says nothing new"
    assert await broken(desk.books, desk.folder, desk.settings) == []
    assert await resettled(desk.books, desk.settings) == []


@pytest.mark.parametrize("desk", ["pain.001"], indirect=True)
async def test_what_is_not_ours_or_not_sound_is_refused_and_nothing_moves(
    desk: Desk, bank: Bank
) -> None:
    batch = await desk.settle()
    sepa_bank(bank)
    bank.take(await desk.send(batch))
    bank.until("2026-04-02")
    (report,) = bank.says("pain.002")
    (notice,) = bank.says("camt.054")
    (statement,) = [one for one in bank.says("camt.053") if b"000001-0000000" in one]
    iban = SEPA.payer.account.encode()
    wrong = {
        "another bank's message": (report, b"first-bank-000001", b"other-bank-000001",
                                   "answers no message of ours to first-bank"),
        "a batch that is not there": (report, b"first-bank-000001", b"first-bank-000009",
                                      "there is no first-bank-000009"),
        "an unknown payment": (report, b"000001-00000001", b"000001-00000077",
                               "'000001-00000077': is no payment that was sent"),
        "a count": (report, b"<OrgnlNbOfTxs>3<", b"<OrgnlNbOfTxs>999999999<",
                    "OrgnlNbOfTxs: '999999999'"),
        "a sum": (report, b"17.69", b"17.70", "what was sent comes to 17.69"),
        "a status": (report, b"<TxSts>ACCP", b"<TxSts>WHAT", "TxSts: 'WHAT': must be one of"),
        "cut off": (report, b"</Document>", b"", "no element found"),
        "an entity": (report, b"?>", b'?><!DOCTYPE d [<!ENTITY a "b">]>', "has a document type"),
        "another account": (notice, iban, b"DE02120300000000202051",
                            "is not the account that the payments were made from"),
        "an amount": (notice, b"13.00", b"13.01", "was 1300 EUR"),
        "a currency": (notice, b'Ccy="EUR">13.00', b'Ccy="SEK">13.00', "was 1300 EUR"),
        "a side": (notice, b"DBIT", b"CRDT", "must be a debit, or a credit that says"),
        "a hole": (statement, b"<NbOfNtries>2<", b"<NbOfNtries>3<", "there are 2 entries"),
        "a balance": (statement, b"100000.00", b"100000.01", "an entry is missing, doubled"),
        "no message": (report, b"pain.002.001", b"pain.999.001", "is no message that we read"),
        "nothing of ours": (notice, b"000001-0000000", b"somebody-000000",
                            "names no payment of ours"),
    }  # fmt: skip
    for what, (content, old, new, why) in wrong.items():
        assert old in content, what
        assert why in await desk.refused(content.replace(old, new)), what
    assert await desk.outcomes(batch) == []
    doubled = notice.replace(b"</Ntry>", b"</Ntry>", 1)
    first = notice[notice.index(b"<Ntry>") : notice.index(b"</Ntry>") + 7]
    doubled = notice.replace(first, first + first, 1)
    assert await desk.hear(doubled) == ("SENT", {"PAID": 3}, 3), "told twice counts once"


@pytest.mark.parametrize("desk", ["pain.001"], indirect=True)
async def test_a_payment_after_its_rejection_is_a_contradiction_that_is_named(
    desk: Desk, bank: Bank
) -> None:
    batch = await desk.settle()
    sepa_bank(bank)
    bank.take(await desk.send(batch))
    (report,) = bank.says("pain.002")
    (notice,) = bank.says("camt.054")
    await desk.hear(report.replace(b"<TxSts>ACCP", b"<TxSts>RJCT", 1))
    assert "line 1 is REJECTED already: it cannot be PAID" in await desk.refused(notice)
    assert (await desk.outcomes(batch))[0] == ("acc-1", "REJECTED", "NO_REASON")


@pytest.mark.parametrize("desk", ["nacha-ppd"], indirect=True)
async def test_what_the_ach_returns_is_given_back_and_goes_out_again(
    desk: Desk, bank: Bank
) -> None:
    batch = await desk.settle()
    late = {"days": 2, "reason": "R03", "end_to_end_id": "000001-00000004"}
    ach_bank(bank, behaviour="return-later", parameters=late)
    bank.take(await desk.send(batch))
    bank.until("2026-04-02")
    (returned,) = bank.says("nacha.return")
    assert await desk.hear(returned) == ("SENT", {"REJECTED": 1}, 1)
    assert await desk.outcomes(batch) == [("acc-2", "REJECTED", "R02")]
    assert (await desk.hear(returned))[2] == 0
    _, paid = await settlement.pay_batch(
        desk.settings, batch, by="Dee", reference="WIRE-1", on=APRIL_3
    )
    assert paid == 3
    bank.until("2026-04-08")
    (later,) = bank.says("nacha.return")
    assert await desk.hear(later) == ("ANSWERED", {"REJECTED": 1}, 1)
    assert await owed(desk.books) == {"member": -1300, "bank": 1300}
    await desk.readdress("acc-2", "acc-3")
    again = await desk.settle()
    rows = await desk.books.connection.fetch(
        "SELECT account_id, original_batch, original_line FROM settlement_line "
        "WHERE batch = $1 ORDER BY line", again,
    )  # fmt: skip
    assert [tuple(row) for row in rows] == [("acc-2", batch, 3), ("acc-3", batch, 4)]
    await desk.send(again)
    _, paid = await settlement.pay_batch(
        desk.settings, again, by="Dee", reference="WIRE-2", on=date(2026, 4, 9)
    )
    assert paid == 2
    assert await broken(desk.books, desk.folder, desk.settings) == []
    tied = await reconciled(
        desk.books, desk.folder, partner="first-bank", period="2026-04", on=date(2026, 4, 30)
    )
    (sheet,) = tied.seen.sheets
    assert sheet.ties
    assert {place: sheet.closing[place] for place in sheet.places} == {
        "cost": -1769, "member": 0, "clearing": 0, "bank": 1769,
    }  # fmt: skip
    assert tied.recorded.unresolved == 0
    text = returned.decode()
    wrong = {
        "another trace": ("091000010000002", "091000010000003", "original trace (7-21)"),
        "another bank": ("99999999      ", "99999998      ", "original routing (28-35)"),
        "another company": ("1234567890PPD", "1234567891PPD", "company id"),
        "a stranger's": ("000001-00000003", "SOMEBODYS-ENTRY", "is no payment of ours"),
        "an unknown batch": ("000001-00000003", "000007-00000003", "there is no first-bank-000007"),
        "an amount": ("0000000399", "0000000398", "was 399 USD"),
        "cut off": (text[-95:], "", "no multiple of 10"),
        "no return": ("799R02", "705R02", "is neither a return nor a change"),
    }  # fmt: skip
    for what, (old, new, why) in wrong.items():
        assert old in text, what
        assert why in await desk.refused(text.replace(old, new).encode()), what


@pytest.mark.parametrize("desk", ["nacha-ppd"], indirect=True)
async def test_a_change_that_the_bank_asks_for_waits_for_a_person(desk: Desk, bank: Bank) -> None:
    batch = await desk.settle()
    ach_bank(bank)
    bank.take(await desk.send(batch))
    bank.until("2026-04-03")
    (returned,) = bank.says("nacha.return")
    change = returned.decode().replace("799R02", "798C01").split("\n")
    nth = next(nth for nth, line in enumerate(change) if line.startswith("798"))
    change[nth] = change[nth][:35] + "111222333".ljust(29) + " " * 15 + change[nth][79:]
    content = "\n".join(change).encode()
    assert await desk.hear(content) == ("SENT", {"WARNED": 1}, 1)
    assert (await desk.hear(content))[2] == 0
    (asked,) = await settlement.list_waiting(desk.settings, today=APRIL_3)
    assert (asked.what, asked.about, asked.account_id) == (
        "account-change", f"{batch}/3", "acc-2",
    )  # fmt: skip
    assert "111222333" not in repr(asked)
    stored = await desk.books.connection.fetch("SELECT * FROM settlement_account_change")
    assert b"111222333" not in bytes(stored[0]["sealed"])
    bodies = await desk.books.connection.fetch("SELECT body FROM card_event")
    assert not any(b"111222333" in bytes(row["body"]) for row in bodies)

    await settlement.accept_change(desk.settings, batch, 3, by="Bo", on=APRIL_3)
    assert await settlement.list_waiting(desk.settings, today=APRIL_3) == []
    rows = await settlement.audit_rows(desk.settings, subject=None, actor=None, rows_max=99)
    told = [(r["actor"], r["action"], r["subject"], set(r["detail"])) for r in rows]
    assert told[0] == ("Bo", "payout accept", f"{batch}/3", {"account_id", "revision"})
    (imported,) = (row for row in rows if row["action"] == "payout import")
    assert (imported["actor"], imported["detail"]) == ("Ann", {"rows": 1 + len(ACH.payees)})
    await desk.books.grant("acc-2", "P9", 100, contract="cash", rule="cash", unit="USD")
    second = await desk.send(await desk.settle())
    assert b"632999999992111222333        0000000100" in second
    with pytest.raises(InvalidInput, match="no change waits"):
        await settlement.accept_change(desk.settings, batch, 3, by="Bo", on=APRIL_3)
    assert await broken(desk.books, desk.folder, desk.settings) == []
    assert await resettled(desk.books, desk.settings) == []


@pytest.mark.parametrize("desk", ["pain.001"], indirect=True)
async def test_a_bank_that_stays_silent_is_listed_and_nothing_is_sent_again(desk: Desk) -> None:
    batch = await desk.settle()
    await desk.send(batch)
    assert await settlement.list_waiting(desk.settings, today=date(2026, 4, 8)) == []
    (silent,) = await settlement.list_waiting(desk.settings, today=date(2026, 4, 9))
    assert (silent.what, silent.partner, silent.about, silent.since) == (
        "no-answer", "first-bank", batch, APRIL_3,
    )  # fmt: skip
    runs = await desk.books.connection.fetchval("SELECT count(*) FROM file_delivery")
    assert runs == 1
