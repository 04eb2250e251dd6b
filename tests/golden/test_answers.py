"""What a bank of somebody else's (mock-bank) answered to the published payouts, as we read it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.settlement.batches.outcome import ACCEPTED, PAID, REJECTED
from services.settlement.exchange import bank_statement, nacha_return, status_report
from services.settlement.exchange.answers import BankAnswer
from services.settlement.files.xml import parse

FOLDER = Path(__file__).parent
OURS = re.compile("first-bank-[0-9]{6}")
ONE, TWO = "000003-00000001", "000003-00000003"


def read(name: str) -> BankAnswer:
    if name.endswith(".ach"):
        return nacha_return.read((FOLDER / "settlement" / name).read_bytes(), name)
    root = parse((FOLDER / "answers" / name).read_bytes())
    if ".002" in name:
        return status_report.read(root, name)
    return bank_statement.read(root, name, ours=OURS)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("first-bank-nacha-return-000003.ach", [(TWO, REJECTED, "R02")]),
        ("first-bank-pain.002-000003.xml", [(ONE, ACCEPTED, ""), (TWO, REJECTED, "AC04")]),
        ("first-bank-camt.054-000003.xml", [(ONE, PAID, "")]),
        ("first-bank-camt.054-000003-return.xml", [(ONE, REJECTED, "AC04")]),
        ("first-bank-camt.053-000003.xml", [(ONE, PAID, "")]),
    ],
)
def test_a_bank_s_own_words_are_understood(name: str, said: list[tuple[str, str, str]]) -> None:
    answer = read(name)
    assert answer.problems == ()
    assert [(one.reference, one.outcome, one.code) for one in answer.said] == said
