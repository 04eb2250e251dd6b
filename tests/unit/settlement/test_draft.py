"""Who goes into a batch now, who is held, who is carried."""

from __future__ import annotations

from datetime import date

import pytest

from services.kernel.errors import InvariantViolated
from services.settlement.batches.draft import Draft, draft
from services.settlement.batches.due import Due, gather
from services.settlement.files import catalogue
from tests.support.batches import book, due
from tests.support.settlement import cash_terms, miles_terms

SKY = book()


def drafted(*transfers: Due, numbers: dict[str, str] | None = None, **clauses: object) -> Draft:
    return draft(
        gather(transfers, book(**{"sky-visa": miles_terms(**clauses)}, cash=cash_terms())),
        numbers={"acc-1": "11111"} if numbers is None else numbers,
        by_number=catalogue.BY_NUMBER,
        refusal=catalogue.refusal,
    )


def test_due_transfers_of_a_purchase_and_rule_are_one_sum() -> None:
    (found,) = gather([due(10), due(-4, seq=2), due(3, seq=3, funder="sky-air")], SKY)
    assert found.amount == 9
    assert found.members == [(1, 1, 1), (1, 2, 1), (1, 3, 1)]
    assert {tuple(part): amount for part, amount in found.parts.items()} == {
        (1, "first-bank"): 6,
        (1, "sky-air"): 3,
    }


def test_rules_and_purchases_have_sums_of_their_own() -> None:
    found = gather([due(10), due(1, rule="dining"), due(2, of_purchase=2)], SKY)
    assert sorted(one.amount for one in found) == [1, 2, 10]


def test_facts_that_moved_leave_the_day_of_what_stands() -> None:
    april = date(2026, 4, 1)
    (moved,) = gather([due(10, governing_on=april), due(-10, governing_on=april), due(9)], SKY)
    assert (moved.amount, moved.activity_on) == (9, date(2026, 3, 5))
    (less,) = gather([due(-10, governing_on=april), due(9)], SKY)
    assert (less.amount, less.activity_on) == (-1, april)


def test_a_transfer_of_another_unit_than_its_contract_is_refused() -> None:
    with pytest.raises(InvariantViolated, match="counted in SKY-MILE"):
        gather([due(10, unit="NOK")], SKY)


def test_a_rule_that_the_version_does_not_have_is_refused() -> None:
    with pytest.raises(InvariantViolated, match="which it does not have"):
        gather([due(10, rule="unknown")], SKY)


def test_a_member_without_a_number_is_held_with_all_of_that_unit() -> None:
    found = drafted(due(10), due(-2, of_purchase=2), due(5, account_id="acc-2"))
    assert [(entry.account_id, entry.amount) for entry in found.held] == [("acc-2", 5)]
    assert "no membership number" in found.held[0].why
    assert [one.amount for one in found.ready] == [10, -2]


@pytest.mark.parametrize("number", ["1234567890123", "12-34", "0", "", "１２３"])
def test_a_number_that_the_layout_cannot_hold_holds_the_member(number: str) -> None:
    found = drafted(due(10), numbers={"acc-1": number})
    assert (len(found.ready), len(found.held)) == (0, 1)


def test_more_miles_than_a_line_holds_hold_the_member() -> None:
    found = drafted(due(10**9))
    assert "does not fit 9 digits" in found.held[0].why


def test_cash_needs_no_number_but_an_account_that_can_be_written() -> None:
    cash = {"contract": "cash", "rule": "cash", "unit": "NOK"}
    found = drafted(due(1, **cash), due(2, **cash, account_id="=cmd()"), numbers={})
    assert [one.membership_number for one in found.ready] == [""]
    assert [entry.account_id for entry in found.held] == ["=cmd()"]


def test_carry_keeps_back_the_member_below_zero_and_send_does_not() -> None:
    transfers = due(-5), due(3, of_purchase=2), due(7, account_id="acc-2")
    numbers = {"acc-1": "11111", "acc-2": "22222"}
    sent = drafted(*transfers, numbers=numbers)
    assert (len(sent.ready), sent.carried) == (3, ())
    carried = drafted(*transfers, numbers=numbers, adjustments="carry")
    assert [one.amount for one in carried.ready] == [7]
    assert [(entry.account_id, entry.amount) for entry in carried.carried] == [("acc-1", -2)]


def test_a_member_whose_sum_is_zero_is_not_carried() -> None:
    found = drafted(due(-5), due(5, of_purchase=2), adjustments="carry")
    assert (len(found.ready), found.carried) == (2, ())


def test_a_draft_without_a_line_for_a_file_is_worthless() -> None:
    assert drafted().worthless
    assert drafted(due(5), due(-5)).worthless
    assert not drafted(due(5), due(-5), due(1, of_purchase=2)).worthless
