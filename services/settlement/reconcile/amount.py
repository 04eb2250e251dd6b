"""Amounts as people read them, also of units that nobody knows: a changed file may name any."""

from __future__ import annotations

from services.kernel.units import exponent_of, major
from services.settlement.files.fields import shown


def decimals(unit: str) -> int:
    """Digits behind the point; 0 for what is no unit."""
    try:
        return exponent_of(unit)
    except ValueError:
        return 0


def number(amount: int, unit: str) -> str:
    """In major units; what is no unit is counted in ones."""
    return major(amount, unit) if decimals(unit) else str(amount)


def words(amount: int, unit: str) -> str:
    """The amount with its unit."""
    return f"{number(amount, unit)} {shown(unit)}" if unit else number(amount, unit)
