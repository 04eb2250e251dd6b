"""What a batch costs, and its journal."""

from __future__ import annotations

from fractions import Fraction

import pytest

from services.settlement.batches.batch import Flow
from services.settlement.billing.journal import journal
from services.settlement.billing.price import Granted, Kind, by_kind, due, plain
from tests.support.batches import book
from tests.support.settlement import cash_terms, miles_terms

BOOK = book(**{"sky-visa": miles_terms()}, cash=cash_terms(),
            half=miles_terms(price={"currency": "NOK", "base": "0.005"}))  # fmt: skip


def test_the_amount_due_is_rounded_once_for_each_kind_and_price() -> None:
    granted = [Granted("half", 1, "base", "SKY-MILE", 1) for _ in range(3)]
    assert by_kind(granted, BOOK) == [
        Kind("SKY-MILE", "base", 3, Fraction("0.005"), "NOK", 2)
    ]  # fmt: skip


def test_what_is_taken_back_is_credited_at_its_own_price() -> None:
    granted = [
        Granted("sky-visa", 1, "base", "SKY-MILE", 100),
        Granted("sky-visa", 1, "dining", "SKY-MILE", -50),
    ]
    kinds = by_kind(granted, BOOK)
    assert [(kind.award, kind.amount_due) for kind in kinds] == [("base", 900), ("bonus", -350)]
    assert due(kinds) == {"NOK": 550}


def test_money_has_no_price_and_nothing_is_due_for_it() -> None:
    kinds = by_kind([Granted("cash", 1, "cash", "NOK", 1234)], BOOK)
    assert kinds == [Kind("NOK", "base", 1234, None, None, None)]
    assert due(kinds) == {}


@pytest.mark.parametrize("text", ["0.09", "1", "0.0005", "12.5", "0"])
def test_a_price_is_shown_as_it_was_signed(text: str) -> None:
    assert plain(Fraction(text)) == text


def test_the_journal_balances_in_every_unit_and_names_no_member() -> None:
    flows = [
        Flow("SKY-MILE", "sky-visa", "first-bank", 60),
        Flow("SKY-MILE", "sky-visa", "first-bank", -10),
        Flow("NOK", "cash", "sky-air", 5),
    ]
    entries = journal(flows, partner="sky-air")
    assert len(entries) == 12
    for unit in ("SKY-MILE", "NOK"):
        own = [entry for entry in entries if entry.unit == unit]
        assert sum(entry.debit for entry in own) == sum(entry.credit for entry in own) > 0
    net: dict[str, int] = {}
    for entry in entries:
        net[entry.account] = net.get(entry.account, 0) + entry.debit - entry.credit
    assert net == {
        "reward-cost/first-bank": 50,
        "reward-cost/sky-air": 5,
        "member": 0,
        "partner-payable/sky-air": -50,
        "payout-clearing": -5,
    }
