"""Who pays for a reward, and what the programme takes for it: parts that add up, exact fees."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from services.kernel.money import split
from services.kernel.rates import Rounding, round_ratio


@dataclass(frozen=True, slots=True)
class Funding:
    """The funders of a grant. `fixed` are minor units of the unit, paid first in the list's order;
    `shares` add up to 1 and divide the rest; the funder at `remainder` takes what rounding leaves.
    """

    funders: tuple[str, ...]
    shares: tuple[Fraction, ...]
    fixed: tuple[int, ...]
    remainder: int

    def split(self, granted: int) -> tuple[int, ...]:
        """The parts of a grant, by funder; they add up to it."""
        if len(self.funders) == 1:
            return (granted,)
        if not any(self.fixed):
            return split(granted, shares=self.shares, remainder=self.remainder)
        first: list[int] = []
        rest = granted
        for most in self.fixed:
            first.append(min(most, rest))
            rest -= first[-1]
        shared = split(rest, shares=self.shares, remainder=self.remainder)
        return tuple(paid + part for paid, part in zip(first, shared, strict=True))


@dataclass(frozen=True, slots=True)
class Fee:
    """A commission on the reward: `funder` pays `party` its `share` of every grant, rounded to
    `step` minor units of the unit."""

    party: str
    share: Fraction
    funder: str
    rounding: Rounding
    step: int

    def of(self, granted: int) -> int:
        """The fee for a grant."""
        share = self.share
        return (
            round_ratio(granted * share.numerator, share.denominator * self.step, self.rounding)
            * self.step
        )
