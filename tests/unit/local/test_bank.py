"""The simulated bank: its answers are read by the readers of the house, payment by payment."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.local import bank
from services.local.generator.accounts import BANK, iban
from services.settlement.batches.outcome import ACCEPTED, PAID, REJECTED
from services.settlement.batches.payout import Payee, Payer, Payment
from services.settlement.exchange import bank_statement, status_report
from services.settlement.files import pain
from services.settlement.files.xml import parse
from tests.support.settlement import APRIL_END, MARCH_END

NAME = "first-bank-pain.001-000001.xml"
OURS = re.compile(r"first-bank-[0-9]{6}", re.ASCII)


def _sent(payments: int) -> bytes:
    payer = Payer("First Bank", "", "FIRSNOKK", "", iban(999_999))
    paid = [
        Payment(f"000001-{nth:08d}", nth, f"acc-{nth}", "NOK", 100 * nth,
                Payee("Kari Aas", "FIRSNOKK", iban(nth)))
        for nth in range(1, payments + 1)
    ]  # fmt: skip
    return pain.write(
        paid, payer=payer, batch="first-bank-000001", sequence=1, through=MARCH_END,
        pays_on=APRIL_END,
    )  # fmt: skip


def test_it_refuses_one_payment_pays_the_others_and_returns_one() -> None:
    answers = dict(bank.reply(NAME, _sent(6)))
    status, booked, returns = (answers[name] for name in bank.answer_names(NAME))
    report = status_report.read(parse(status), "status.xml")
    assert (report.problems, report.message) == ((), "first-bank-000001")
    assert [one.outcome for one in report.said] == [
        ACCEPTED, ACCEPTED, REJECTED, ACCEPTED, ACCEPTED, ACCEPTED,
    ]  # fmt: skip
    paid = bank_statement.read(parse(booked), "booked.xml", ours=OURS)
    assert paid.problems == ()
    assert [one.reference[-1] for one in paid.said if one.outcome == PAID] == list("12456")
    back = bank_statement.read(parse(returns), "returns.xml", ours=OURS)
    assert back.problems == ()
    assert [(one.reference[-1], one.outcome, one.code, one.amount) for one in back.said] == [
        ("5", REJECTED, "MS03", 500)
    ]


def test_a_short_file_is_paid_whole() -> None:
    answers = dict(bank.reply(NAME, _sent(2)))
    assert set(answers) == set(bank.answer_names(NAME)[:2])


@pytest.mark.parametrize("name", ["first-bank-gl-journal-000001.csv", "x.manifest.json"])
def test_it_answers_payments_only(name: str) -> None:
    assert list(bank.reply(name, b"x")) == []


@given(st.integers(0, 999_999))
def test_every_made_up_account_is_an_iban_and_another_one_at_the_next_bank(number: int) -> None:
    assert pain.is_iban(iban(number))
    assert iban(number) != iban(number, bank=BANK + 3)
