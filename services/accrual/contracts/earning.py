"""How spend becomes reward: every form is a number of pieces of the spend, times an exact rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from services.accrual.contracts.clauses import (
    FlatEarn,
    PerBlockEarn,
    PercentEarn,
    PerUnitEarn,
)
from services.accrual.contracts.terms import Earn
from services.kernel.rates import Rounding, parse_minor, round_ratio
from services.kernel.units import exponent_of


@dataclass(frozen=True, slots=True)
class Form:
    """`pieces(e)` is a whole number for `e` minor units of spend; `each` the reward of a piece,
    in minor units of what is earned."""

    pieces: Callable[[int], int]
    each: Fraction
    text: str

    def earn(self) -> Earn:
        """The form as the engine knows it."""
        return Earn(exact=lambda spend: self.pieces(spend) * self.each, text=self.text)

    def whole(self, *, step: int, rounding: Rounding) -> Callable[[int], int]:
        """The reward rounded to a multiple of `step`, in integers: equal to rounding `exact`."""
        pieces, numerator = self.pieces, self.each.numerator
        denominator = self.each.denominator * step
        return lambda spend: round_ratio(pieces(spend) * numerator, denominator, rounding) * step


def form_of(
    clause: PercentEarn | PerUnitEarn | PerBlockEarn | FlatEarn, *, unit: str, spend: str
) -> Form:
    """The form of an `earn` clause; `unit` is what is earned, `spend` the currency of spend."""
    reward = 10 ** exponent_of(unit)
    exponent = exponent_of(spend)
    match clause:
        case PercentEarn(percent=percent):
            return Form(_spend, Fraction(Fraction(percent), 100), f"{percent} % of the spend")
        case PerUnitEarn(per_unit=per):
            each = Fraction(Fraction(per.units) * reward, 10**exponent)
            return Form(_spend, each, f"{per.units} {unit} per 1 {spend}")
        case PerBlockEarn(per_block=block):
            size = parse_minor(block.block, exponent=exponent)
            text = f"{block.units} {unit} per whole {block.block} {spend}"
            return Form(lambda e: e // size, Fraction(block.units) * reward, text)
        case FlatEarn(flat=flat):
            text = f"{flat.units} {unit} per purchase"
            return Form(lambda e: 1 if e > 0 else 0, Fraction(flat.units) * reward, text)
        case _:
            assert_never(clause)


def _spend(e: int) -> int:
    return e
