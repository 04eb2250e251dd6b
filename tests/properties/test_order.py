"""Law 1: amounts are functions of the set of events, whatever the order and the repeats."""

from __future__ import annotations

from hypothesis import given

from tests.support.dice import made_by
from tests.support.laws import order_plays_no_part
from tests.support.twins import Twins, two_orders


@given(made_by(two_orders))
def test_order_and_repeats_change_no_net_no_total_and_no_balance(orders: Twins) -> None:
    order_plays_no_part(orders)
