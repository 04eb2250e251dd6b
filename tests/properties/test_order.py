"""Law 1: amounts are functions of the set of events, whatever the order and the repeats."""

from __future__ import annotations

from hypothesis import given

from tests.support.dice import Dice, made_by
from tests.support.engine import EngineBook
from tests.support.histories import History, played
from tests.support.state import balances, nets, pure_grants
from tests.support.strategies import histories


def _two_orders(dice: Dice) -> tuple[History, History]:
    """The same events in two orders, the second with some of them repeated."""
    history = histories(dice, late_facts=False)
    once = history.once()
    other = dice.shuffled(once)
    for arrival in once:
        if dice.seldom(5):
            other.insert(dice.upto(len(other)), arrival)
    return history.facts_first(once), history.facts_first(other)


@given(made_by(_two_orders, size=3_000))
def test_order_and_repeats_change_no_net_no_total_and_no_balance(
    orders: tuple[History, History],
) -> None:
    first, second = (played(history, EngineBook()) for history in orders)
    assert nets(first) == nets(second)
    assert first.totals() == second.totals()
    assert balances(first) == balances(second)
    assert pure_grants(first) == pure_grants(second)
    assert first.waiting() == second.waiting()
