"""Amounts with their unit, and splits whose parts add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from services.kernel.rates import Rounding, round_exact
from services.kernel.units import exponent_of, major


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """A whole number of minor units of a currency, or of a programme's unit."""

    minor: int
    unit: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"amount must be int, not {type(self.minor).__name__}")
        exponent_of(self.unit)

    def __add__(self, other: Money) -> Money:
        self._same_unit(other)
        return Money(self.minor + other.minor, self.unit)

    def __sub__(self, other: Money) -> Money:
        self._same_unit(other)
        return Money(self.minor - other.minor, self.unit)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.unit)

    def __str__(self) -> str:
        return f"{major(self.minor, self.unit)} {self.unit}"

    def _same_unit(self, other: Money) -> None:
        if self.unit != other.unit:
            raise ValueError(f"{self.unit} and {other.unit} do not add")


def price(quantity: int, *, rate: Fraction, currency: str, rounding: Rounding) -> Money:
    """What `quantity` pieces cost at `rate` major units each."""
    return Money(round_exact(quantity * rate * 10 ** exponent_of(currency), rounding), currency)


def split(amount: int, *, shares: Sequence[Fraction], remainder: int) -> tuple[int, ...]:
    """Divide a non-negative amount: each part is floored, the part at `remainder` takes the rest.

    The parts always add up to `amount`. `shares` add up to 1.
    """
    if amount < 0:
        raise ValueError("only a non-negative amount is split; split before and after instead")
    parts = [amount * share.numerator // share.denominator for share in shares]
    parts[remainder] += amount - sum(parts)
    return tuple(parts)
