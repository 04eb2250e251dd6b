"""How spend becomes reward: every form is a number of pieces of the spend, times an exact rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from services.accrual.contracts.clauses import (
    AnyEarn,
    FlatEarn,
    PerBlockEarn,
    PercentEarn,
    PerUnitEarn,
)
from services.accrual.contracts.terms import Earn
from services.kernel.rates import Rounding, parse_minor, rounder
from services.kernel.units import exponent_of


@dataclass(frozen=True, slots=True)
class Form:
    """`pieces(e)` is a whole number for `e` minor units of spend; `each` the reward of a piece,
    in minor units of what is earned. `by` says in what the pieces are counted: minor units of
    spend, blocks of so many of them, purchases."""

    pieces: Callable[[int], int]
    each: Fraction
    text: str
    by: str

    def earn(self) -> Earn:
        """The form as the engine knows it."""
        return Earn(pieces=self.pieces, each=self.each, text=self.text)

    def whole(self, *, step: int, rounding: Rounding) -> Callable[[int], int]:
        """The reward rounded to a multiple of `step`, in integers: equal to rounding `exact`."""
        pieces, numerator = self.pieces, self.each.numerator
        denominator, rounded = self.each.denominator * step, rounder(rounding)
        if denominator == 1:
            return lambda spend: pieces(spend) * numerator
        return lambda spend: rounded(pieces(spend) * numerator, denominator) * step


def form_of(clause: AnyEarn, *, unit: str, spend: str) -> Form:
    """The form of an `earn` clause; `unit` is what is earned, `spend` the currency of spend."""
    reward = 10 ** exponent_of(unit)
    exponent = exponent_of(spend)
    match clause:
        case PercentEarn(percent=percent):
            each = Fraction(Fraction(percent), 100)
            return Form(_spend, each, f"{percent} % of the spend", "spend")
        case PerUnitEarn(per_unit=per):
            each = Fraction(Fraction(per.units) * reward, 10**exponent)
            return Form(_spend, each, f"{per.units} {unit} per 1 {spend}", "spend")
        case PerBlockEarn(per_block=block):
            size = parse_minor(block.block, exponent=exponent)
            text = f"{block.units} {unit} per whole {block.block} {spend}"
            each = Fraction(block.units) * reward
            return Form(lambda e: e // size, each, text, f"block of {size}")
        case FlatEarn(flat=flat):
            text = f"{flat.units} {unit} per purchase"
            each = Fraction(flat.units) * reward
            return Form(lambda e: 1 if e > 0 else 0, each, text, "purchase")
        case _:
            assert_never(clause)


def _spend(e: int) -> int:
    return e
