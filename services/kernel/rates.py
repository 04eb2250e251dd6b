"""Exact numbers: parsing them from text, and the four ways to round them.

Nothing here is a float, nothing rounds by itself: `Rounding` is always an argument.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from fractions import Fraction

_PLAIN = re.compile(r"(?:0|[1-9][0-9]*)(?:\.([0-9]+))?", re.ASCII)


class Rounding(StrEnum):
    """How an exact amount becomes a whole number of smallest pieces."""

    __hash__ = str.__hash__  # an enum's own is a function of Python, and every reward is rounded

    DOWN = "down"
    """Towards zero."""
    UP = "up"
    """Away from zero."""
    HALF_UP = "half_up"
    """To the nearest; a half goes away from zero."""
    HALF_EVEN = "half_even"
    """To the nearest; a half goes to the even neighbour."""


def parse_exact(text: str, *, decimals_max: int | None = None) -> Fraction:
    """The exact value of a plain decimal text such as `12`, `0.09` or `10.00`.

    Raises ValueError, naming what is wrong, for signs, exponents, NaN, blanks, leading zeros,
    and for more decimals than `decimals_max`.
    """
    found = _PLAIN.fullmatch(text)
    if found is None:
        raise ValueError("not a plain number: digits, at most one point, no sign or exponent")
    decimals = len(found.group(1) or "")
    if decimals_max is not None and decimals > decimals_max:
        raise ValueError(f"has {decimals} decimals, at most {decimals_max} are allowed")
    return Fraction(text)


def parse_minor(text: str, *, exponent: int) -> int:
    """The number of minor units in a text in major units: `10.00` with exponent 2 is 1000."""
    scale: int = 10**exponent
    return (parse_exact(text, decimals_max=exponent) * scale).numerator


def round_ratio(numerator: int, denominator: int, rounding: Rounding) -> int:
    """`numerator / denominator` as a whole number. The denominator is positive."""
    if denominator <= 0:
        raise ValueError("the denominator must be positive")
    return _ROUND[rounding](numerator, denominator)


def rounder(rounding: Rounding) -> Callable[[int, int], int]:
    """`round_ratio` with the rounding chosen beforehand; the denominator must be positive."""
    return _ROUND[rounding]


def round_exact(value: Fraction, rounding: Rounding) -> int:
    """An exact value as a whole number."""
    return _ROUND[rounding](value.numerator, value.denominator)


def _down(numerator: int, denominator: int) -> int:
    return numerator // denominator if numerator >= 0 else -(-numerator // denominator)


def _up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator) if numerator >= 0 else numerator // denominator


def _half_up(numerator: int, denominator: int) -> int:
    if numerator < 0:
        return -_half_up(-numerator, denominator)
    return (2 * numerator + denominator) // (2 * denominator)


def _half_even(numerator: int, denominator: int) -> int:
    whole, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and whole % 2):
        return whole + 1
    return whole


_ROUND: dict[Rounding, Callable[[int, int], int]] = {
    Rounding.DOWN: _down,
    Rounding.UP: _up,
    Rounding.HALF_UP: _half_up,
    Rounding.HALF_EVEN: _half_even,
}
