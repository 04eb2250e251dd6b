"""What a reward is counted in: ISO 4217 money, or a unit that a programme declares.

Exponents come from the `iso4217` list; a unit such as SKY-MILE is whole (exponent 0).
"""

from __future__ import annotations

import re
from functools import cache

from iso4217 import Currency

_UNIT = re.compile(r"[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*", re.ASCII)
_DATED = {"BGN": 2, "HRK": 2}
"""Codes that have left the list while old purchases still name them."""


@cache
def currency_exponent(code: str) -> int | None:
    """Decimals of a currency; None when the code is unknown or has none (XAU)."""
    if code in _DATED:
        return _DATED[code]
    try:
        return Currency(code).exponent
    except ValueError:
        return None


def is_currency(code: str) -> bool:
    """Whether `code` is a currency that money can be counted in."""
    return currency_exponent(code) is not None


@cache
def _iso_code(code: str) -> bool:
    try:
        Currency(code)
    except ValueError:
        return code in _DATED
    return True


def is_unit(code: str) -> bool:
    """Whether `code` can name a programme's own unit: capitals, digits, hyphens; no ISO code."""
    return _UNIT.fullmatch(code) is not None and not _iso_code(code)


def exponent_of(code: str) -> int:
    """Decimals of a currency, or 0 for a programme's unit. ValueError for anything else."""
    exponent = currency_exponent(code)
    if exponent is not None:
        return exponent
    if is_unit(code):
        return 0
    raise ValueError(f"{code!r} is neither a currency with an exponent nor a unit")


def major(amount_minor: int, code: str) -> str:
    """The amount as text in major units: 1234 NOK is `12.34`, 50 SKY-MILE is `50`."""
    exponent = exponent_of(code)
    sign = "-" if amount_minor < 0 else ""
    digits = str(abs(amount_minor)).rjust(exponent + 1, "0")
    if exponent == 0:
        return sign + digits
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"
