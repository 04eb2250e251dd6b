"""What a command says that it changed."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

from services.accrual.ledger import chart
from services.accrual.ledger.transfer import Transfer
from services.accrual.reconsider import Difference

COST = chart.reward_cost("first-bank")
DAY = date(2026, 3, 2)


def moved(debit: str, credit: str, amount: int, purchase: int) -> Transfer:
    return Transfer(
        1, 9, 1, 1, "A1", 1, purchase, "sky-visa", 1, "base", "first-bank", "SKY-MILE", debit,
        credit, amount, DAY, DAY, DAY,
    )  # fmt: skip


def test_a_fee_is_neither_granted_nor_taken_back() -> None:
    member, fee = chart.member("A1"), chart.fee("processor")
    found: Any = SimpleNamespace(
        transfers=[
            moved(COST, member, 7, 1), moved(COST, fee, 2, 1),
            moved(member, COST, 4, 2), moved(fee, COST, 1, 2),
        ]
    )  # fmt: skip
    difference = Difference()
    difference.absorb(found)
    assert difference.granted == {"SKY-MILE": 7}
    assert difference.taken_back == {"SKY-MILE": 4}
    assert difference.purchases == {(1, 1), (1, 2)}
