"""What enters the totals and what leaves them: nets, groups, bounds, funders, fees, release."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from services.accrual.contracts.payers import Fee, Funding
from services.accrual.contracts.terms import After, Best, Earn, Refunds, Release
from services.kernel.calendar import Per
from services.kernel.rates import Rounding
from services.kernel.transaction import Kind
from tests.unit.accrual.engine.conftest import Till, cap, rule, terms

TWO_PER_TEN = Earn(lambda spend: spend // 1_000, Fraction(2), "2 SKY-MILE per whole 10.00 NOK")
FLAT = Earn(lambda spend: 1 if spend else 0, Fraction(25), "25 SKY-MILE per purchase")


@pytest.mark.parametrize(
    ("policy", "left"),
    [
        (Refunds.RECOMPUTE, 9),  # 90.00
        (Refunds.NONE, 19),  # 190.00: the chargeback still counts
        (Refunds.FULL, 0),
        (Refunds.PROPORTIONAL, 9),  # 20 · 90 / 200 = 9
    ],
)
def test_the_refund_policy_chooses_the_net(policy: Refunds, left: int) -> None:
    till = Till(terms(rule(), refunds=policy))
    till.spends("P1", 200)
    till.back("P1", 100)
    till.back("P1", 10, "CHARGEBACK")
    assert till.has() == {"P1": left}


def test_a_proportional_refund_takes_its_share_of_the_reward_not_of_the_blocks() -> None:
    till = Till(terms(rule(), refunds=Refunds.PROPORTIONAL))
    till.spends("P1", 19)  # one block
    till.back("P1", 9)
    assert till.has() == {"P1": 0}  # 1 · 10 / 19, rounded down; recomputed it would be 1


def test_under_the_full_policy_a_reversed_refund_gives_all_of_it_back() -> None:
    till = Till(terms(rule(), refunds=Refunds.FULL))
    till.spends("P1", 200, lifecycle_id="L")
    till.back("P1", 50)
    assert till.has() == {"P1": 0}
    refund = till.purchase("P1").legs[1].event_id
    till.spends("X", 50, kind="REFUND_REVERSAL", original_event_id=refund, lifecycle_id="L")
    assert till.has() == {"P1": 20}


def test_kinds_that_a_contract_leaves_out_do_not_enter_its_net() -> None:
    till = Till(terms(rule(), ignored=frozenset({Kind.ADJUSTMENT_DEBIT.value})))
    till.spends("P1", 100)
    assert till.spends("D", 50, kind="ADJUSTMENT_DEBIT", original_event_id="P1") == (
        "NO_REWARD/NO_CHANGE"
    )
    assert till.has() == {"P1": 10}


@pytest.mark.parametrize(("best", "won"), [(Best.HIGHEST, "flat"), (Best.LOWEST, "twice")])
def test_the_best_rule_of_a_group_wins_by_what_it_gives(best: Best, won: str) -> None:
    rules = (
        rule(id="twice", earn=TWO_PER_TEN, group="g", best=best),
        rule(id="flat", earn=FLAT, group="g", best=best),
    )
    till = Till(terms(*rules))
    till.spends("P1", 100)  # 20 or 25
    assert [grant.rule for grant in till.purchase("P1").grants] == [won]


@pytest.mark.parametrize("best", Best)
def test_of_equals_the_first_of_the_contract_wins(best: Best) -> None:
    rules = (rule(id="one", group="g", best=best), rule(id="two", group="g", best=best))
    till = Till(terms(*rules))
    till.spends("P1", 100)
    assert [grant.rule for grant in till.purchase("P1").grants] == ["one"]


def test_a_reward_lies_between_its_least_and_its_most() -> None:
    till = Till(terms(rule(earn=PER_MILE, minimum_reward=5, maximum_reward=40)))
    for label, amount in (("P1", 1), ("P2", 300), ("P3", 500)):
        till.spends(label, amount)
    assert till.has() == {"P1": 5, "P2": 30, "P3": 40}


PER_MILE = Earn(lambda spend: spend, Fraction(1, 1_000), "0.1 SKY-MILE per 1 NOK")


def test_fixed_parts_are_paid_first_and_the_rest_is_shared() -> None:
    funding = Funding(("bank", "shop"), (Fraction(1, 3), Fraction(2, 3)), (0, 5), 0)
    assert [funding.split(granted) for granted in (0, 3, 5, 6, 20)] == [
        (0, 0), (0, 3), (0, 5), (1, 5), (5, 15),
    ]  # fmt: skip
    till = Till(terms(rule(funding=funding), rule(id="other")))
    till.spends("P1", 200)
    paid = {(line.rule, line.debit): line.amount for line in till.book.transfers}
    assert paid == {
        ("r", "reward-cost/bank"): 5, ("r", "reward-cost/shop"): 15,
        ("other", "reward-cost/first-bank"): 20,
    }  # fmt: skip


def test_a_fee_goes_with_its_grant_and_comes_back_with_it() -> None:
    fee = Fee("operator", Fraction(1, 8), "first-bank", Rounding.HALF_UP, 1)
    till = Till(terms(rule(cap(30)), fees=(fee,)))
    till.spends("P1", 200)
    till.spends("P2", 200)
    till.back("P1", 200)
    lines = [(x.debit, x.credit, x.amount, x.entry) for x in till.book.transfers]
    cost, member, party = "reward-cost/first-bank", "member/A1", "fee/operator"
    assert lines == [
        (cost, member, 20, 1), (cost, party, 3, 1),  # 2.5
        (cost, member, 10, 1), (cost, party, 1, 1),  # 1.25
        (member, cost, 20, 1), (party, cost, 3, 1),
        (cost, member, 10, 3), (cost, party, 2, 3),  # 20 in all: 2.5 less 1.25
    ]  # fmt: skip


def test_a_reward_is_released_days_after_its_period_ends() -> None:
    till = Till(
        terms(rule(), release=Release(After.CYCLE, 3, Per.BILLING_CYCLE)),
        opened_on="", closed_on="", cycle_day="10",
    )  # fmt: skip
    till.spends("P1", 100, day=10)
    till.spends("P2", 100, day=11)
    assert [line.available_on for line in till.book.transfers] == [
        date(2026, 3, 13), date(2026, 4, 13),
    ]  # fmt: skip


def test_nothing_holds_that_is_released_by_a_cycle_nobody_knows() -> None:
    till = Till(terms(rule(), release=Release(After.CYCLE, 3, Per.BILLING_CYCLE)))
    assert till.spends("P1", 100) == "NO_REWARD/NO_RULE"


def test_a_rule_is_asked_only_for_codes_that_fit_it() -> None:
    asked: list[str | None] = []

    def dining(facts: object) -> bool:
        asked.append(getattr(facts, "mcc", None))
        return asked[-1] == "5812"

    version = terms(rule(when=dining, steady=dining), rule(id="all"), merchants=frozenset())
    till = Till(version)
    for label, mcc in (("P1", "5812"), ("P2", "5411"), ("P3", "5812"), ("P4", "5411")):
        till.spends(label, 100, mcc=mcc, merchant_id=f"M-{label}")
    assert till.has("r") == {"P1": 10, "P2": 0, "P3": 10, "P4": 0}
    assert asked == ["5812", "5411"]
