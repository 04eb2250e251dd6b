"""What running totals are worth: F(T) of each kind, in integers, never falling, F(0) = 0."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from services.accrual.contracts.earning import Form
from services.kernel.rates import Rounding, round_ratio

Worth = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Rounded:
    """How an exact reward becomes a whole number of `step` minor units."""

    step: int
    mode: Rounding

    def of(self, numerator: int, denominator: int = 1) -> int:
        """An exact number of minor units, rounded."""
        return round_ratio(numerator, denominator * self.step, self.mode) * self.step


def capped(limit: int, *, beyond: Fraction, rounded: Rounded) -> Worth:
    """A cap of reward: T up to the limit; past it the factor `beyond`, rounded."""
    if not beyond:
        return lambda total: min(total, limit)
    above, below = beyond.numerator, beyond.denominator
    return lambda total: (
        total if total <= limit else limit + rounded.of((total - limit) * above, below)
    )


def capped_spend(limit: int, *, beyond: Fraction, form: Form, rounded: Rounded) -> Worth:
    """A cap of spend: what T earns up to the limit, and the factor `beyond` of what is past it."""
    pieces, above, below = form.pieces, beyond.numerator, beyond.denominator
    numerator, denominator = form.each.numerator, form.each.denominator

    def worth(total: int) -> int:
        if total <= limit:
            return rounded.of(pieces(total) * numerator, denominator)
        counted = pieces(limit) * below + pieces(total - limit) * above
        return rounded.of(counted * numerator, denominator * below)

    return worth


def summed(form: Form, *, rounded: Rounded) -> Worth:
    """Rounding per period: the exact reward of T pieces, rounded once."""
    numerator, denominator = form.each.numerator, form.each.denominator
    return lambda total: rounded.of(total * numerator, denominator)


def marginal(steps: Sequence[tuple[int, Fraction]], *, rounded: Rounded) -> Worth:
    """Bands: each part of T at the rate of its step, (from, reward of a minor unit of spend)."""
    starts, rates, denominator = _table(steps)
    bases = [0, *starts]
    below = [0]  # what T is worth at the start of each step
    for index in range(len(starts)):
        below.append(below[-1] + (bases[index + 1] - bases[index]) * rates[index])

    def worth(total: int) -> int:
        step = bisect_right(starts, total)
        return rounded.of(below[step] + (total - bases[step]) * rates[step], denominator)

    return worth


def whole(steps: Sequence[tuple[int, Fraction]], *, rounded: Rounded) -> Worth:
    """Bands: all of T at the rate of the highest step that it reaches."""
    starts, rates, denominator = _table(steps)
    return lambda total: rounded.of(total * rates[bisect_right(starts, total)], denominator)


def _table(steps: Sequence[tuple[int, Fraction]]) -> tuple[list[int], list[int], int]:
    """Where steps start, and the rates below and from each on as numerators of one denominator."""
    denominator = lcm(*(rate.denominator for _, rate in steps))
    rates = [0, *((rate * denominator).numerator for _, rate in steps)]
    return [start for start, _ in steps], rates, denominator


def reached(steps: Sequence[tuple[int, int]]) -> Worth:
    """A threshold: the units of the highest step (reach, units) that T reaches."""
    starts = [reach for reach, _ in steps]
    units = [0, *(given for _, given in steps)]
    return lambda total: units[bisect_right(starts, total)]


def counted(every: int, units: int) -> Worth:
    """A punch card: `units` for every so many purchases."""
    return lambda total: units * (total // every)
