"""Whether a member is still to be reached where the last line came back from."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.settlement.batches.due import gather
from services.settlement.batches.payout import Payee
from services.settlement.batches.returns import CameBack, Details, Returns
from services.settlement.exchange import came_back
from services.settlement.exchange.recognise import LAYOUTS
from tests.support.batches import book, due

A, B, C = (Payee("RAVI", "999999992", number) for number in "123")
BACK = CameBack("acc-1", "", 5, "bank-000001", 1, "R02", date(2026, 4, 3))
(SUM,) = gather([due(10)], book())


def held(*details: tuple[int, Payee]) -> bool:
    own = [Details(*one) for one in details]
    return Returns({("acc-1", ""): BACK}, {"acc-1": own}).of_payout(SUM) is not None


def test_what_came_back_is_the_account_that_the_batch_went_by() -> None:
    assert held((1, A))
    assert held((1, B), (5, A))
    assert held((1, A), (6, A))
    assert not held((1, A), (6, B))


def test_an_account_that_is_imported_anew_after_another_is_taken_as_good() -> None:
    assert not held((1, A), (6, B), (7, A))


@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from([A, B, C])), unique_by=lambda d: d[0]))
def test_a_member_is_held_exactly_while_nothing_else_is_on_file(
    details: list[tuple[int, Payee]],
) -> None:
    details.sort()
    then = [payee for revision, payee in details if revision <= 5][-1:]
    others = {payee for revision, payee in details if revision > 5} - set(then)
    assert held(*details) == (not others)


def test_other_members_and_numbers_are_not_concerned() -> None:
    assert Returns({("acc-2", ""): BACK}).of_payout(SUM) is None
    assert Returns({("acc-1", "123"): BACK}).of_number(SUM) is None
    (numbered,) = gather([due(10)], book())
    numbered.membership_number = "123"
    assert Returns({("acc-1", "123"): BACK}).of_number(numbered) is BACK
    assert Returns({("acc-1", "124"): BACK}).of_number(numbered) is None


def test_the_published_codes_are_of_answers_that_are_read() -> None:
    assert set(came_back.known()) == set(LAYOUTS)
    assert came_back.holds("nacha-return", ["R02"])
    assert not came_back.holds("nacha-return", ["R01"])
    assert not came_back.holds("nacha-return", ["R09"])
    assert not came_back.holds("pain.002", ["R02"])
    assert not came_back.holds("pain.002", ["MS03", "AM04"])
    assert not came_back.holds("another", ["R02"])
