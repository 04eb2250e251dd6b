"""Lines: their order, their numbers, and the earlier lines that they change."""

from __future__ import annotations

import random

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from services.kernel.errors import InvariantViolated
from services.settlement.batches.due import Sum, gather
from services.settlement.batches.line import Earlier
from services.settlement.batches.number import Numbered, given, number
from services.settlement.batches.posting import events, post
from tests.support.batches import book, due
from tests.support.settlement import MARCH_END

BOOK = book()


def summed(*amounts: int) -> list[Sum]:
    """One sum of each amount, of purchases 1, 2, 3 …"""
    return gather(
        [due(amount, of_purchase=nth, purchase=f"P{nth}", seq=nth)
         for nth, amount in enumerate(amounts, 1)],
        BOOK,
    )  # fmt: skip


def earlier_lines(numbered: list[Numbered], sequence: int) -> list[Earlier]:
    """What the next batch reads of this one."""
    return [
        Earlier(
            f"sky-air-{sequence:06d}", sequence, line.line, line.account_id, line.of_stream_id,
            line.of_purchase, line.contract, line.rule, line.award, line.unit, line.amount,
            line.original_batch, line.original_line,
        )
        for found in numbered
        for line in found.lines
        if line.line >= 1
    ]  # fmt: skip


def test_lines_are_ordered_by_business_keys_whatever_order_they_were_recorded_in() -> None:
    transfers = [
        due(1, seq=9, account_id="b", purchase="P1"),
        due(2, seq=1, account_id="a", purchase="P2", of_purchase=2),
        due(3, seq=5, account_id="a", purchase="P10", of_purchase=3, rule="dining"),
        due(4, seq=7, account_id="a", purchase="P10", of_purchase=3),
    ]
    orders = []
    for seed in range(5):
        random.Random(seed).shuffle(transfers)
        sums = gather(transfers, BOOK)
        for found in sums:
            found.membership_number = {"a": "2", "b": "1"}[found.key.account_id]
        orders.append([line for found in number(sums, earlier={}) for line in found.lines])
    assert [(line.line, line.amount) for line in orders[0]] == [(1, 1), (2, 4), (3, 3), (4, 2)]
    assert all(order == orders[0] for order in orders)


def test_sums_of_nothing_count_downwards_from_zero() -> None:
    sums = gather([due(1), due(-1), due(2, of_purchase=2), due(3, of_purchase=3),
                   due(-3, of_purchase=3)], BOOK)  # fmt: skip
    lines = [line.line for found in number(sums, earlier={}) for line in found.lines]
    assert sorted(lines) == [-1, 0, 1]


def test_taking_back_what_was_never_given_is_a_violation() -> None:
    with pytest.raises(InvariantViolated, match="5 more than was ever settled"):
        number(summed(-5), earlier={})


@over(st.lists(st.integers(-30, 30), min_size=1, max_size=12))
def test_no_line_is_ever_taken_below_zero(changes: list[int]) -> None:
    history: list[Earlier] = []
    settled = 0
    for sequence, change in enumerate(changes, 1):
        change = max(change, -settled)  # what was granted is never negative
        if not change:
            continue
        numbered = number(summed(change), earlier=given(history))
        lines = [line for found in numbered for line in found.lines]
        assert sum(line.amount for line in lines) == change
        history += earlier_lines(numbered, sequence)
        settled += change
        left = {(line.batch, line.line): line.amount for line in history if line.amount > 0}
        for line in history:
            if line.amount < 0:
                assert line.original_batch is not None
                assert line.original_line is not None
                left[line.original_batch, line.original_line] += line.amount
        assert all(amount >= 0 for amount in left.values())
        assert sum(left.values()) == settled


def test_a_later_gift_names_the_first_line_and_a_later_claim_the_latest() -> None:
    history: list[Earlier] = []
    named = []
    for sequence, change in enumerate([10, 5, -7, 1], 1):
        numbered = number(summed(change), earlier=given(history))
        history += earlier_lines(numbered, sequence)
        named.append([(line.amount, line.original_batch) for line in numbered[0].lines])
    first, second = "sky-air-000001", "sky-air-000002"
    assert named == [[(10, None)], [(5, first)], [(-5, second), (-2, first)], [(1, first)]]


def test_a_batch_is_cut_into_events_and_no_sum_is_divided() -> None:
    history = [line for sequence in (1, 2, 3)
               for line in earlier_lines(number(summed(1), earlier={}), sequence)]  # fmt: skip
    numbered = number(summed(-3, 4, 5, 6), earlier=given(history))
    assert [len(found.lines) for found in numbered] == [3, 1, 1, 1]
    cut = events(numbered, lines_max=2)
    assert [[len(found.lines) for found in event] for event in cut] == [[3], [1, 1], [1]]


def test_each_version_and_funder_is_posted_by_itself_and_the_negative_ones_back() -> None:
    sums = gather([due(6), due(4, funder="sky-air"), due(-1, funder="sky-air")], BOOK)
    sums += gather([due(-2, of_purchase=2, funder="sky-air"), due(2, of_purchase=2)], BOOK)
    numbered = number(sums, earlier={})
    transfers = post(numbered, stream_id=9, seq=4, partner="sky-air", through=MARCH_END)
    assert [(t.leg, t.entry, t.debit, t.credit, t.amount) for t in transfers] == [
        (1, 1, "member/acc-1", "partner-payable/sky-air", 6),
        (2, 1, "member/acc-1", "partner-payable/sky-air", 3),
        (3, 3, "member/acc-1", "partner-payable/sky-air", 2),
        (4, 3, "partner-payable/sky-air", "member/acc-1", 2),
    ]
    assert {(t.effective_on, t.available_on, t.governing_on) for t in transfers} == {
        (MARCH_END, MARCH_END, MARCH_END)
    }
