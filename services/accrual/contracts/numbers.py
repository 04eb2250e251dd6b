"""Numbers and dates as a contract writes them: exact text, each checked by itself.

They stay the text that was signed until `compile` makes fractions of them. A wrong one raises
ValueError with the reason in plain words. The JSON Schema takes a number with and without quotes,
as an editor may show either.
"""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from services.kernel.rates import parse_exact

DIGITS_MAX = 14
"""Digits before the point; with a currency's decimals an amount still fits 64 bits."""
DECIMALS_MAX = 12
WHOLE_MAX = 999_999

_NUMBER = r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"
_NOT_ZERO = r"(?!0(?:\.0+)?$)"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"


def exact(text: str) -> str:
    """A plain number, zero or more."""
    before, _, _ = text.partition(".")
    short = len(text) <= DIGITS_MAX + DECIMALS_MAX + 1
    if short:
        parse_exact(text, decimals_max=DECIMALS_MAX)
    if len(before) > DIGITS_MAX:
        raise ValueError(f"has more than {DIGITS_MAX} characters before the point")
    if not short:
        raise ValueError(f"has more than {DECIMALS_MAX} characters after the point")
    return text


def positive(text: str) -> str:
    """A plain number more than zero."""
    if Fraction(exact(text)) == 0:
        raise ValueError("must be more than 0")
    return text


def percent(text: str) -> str:
    """A rate in percent, over 0 and up to 100."""
    if Fraction(positive(text)) > 100:
        raise ValueError("must be at most 100 (percent)")
    return text


def factor(text: str) -> str:
    """A part of one: from 0 on, less than 1."""
    if Fraction(exact(text)) >= 1:
        raise ValueError("must be less than 1: it is the part that is still earned past the limit")
    return text


def whole(given: Any) -> int:
    """A whole number from 0 on."""
    if not isinstance(given, str) or not re.fullmatch("0|[1-9][0-9]*", given):
        raise ValueError("must be a whole number: digits only, no sign, no leading zero")
    if len(given) > len(str(WHOLE_MAX)):
        raise ValueError(f"must be at most {WHOLE_MAX}")
    return int(given)


def counting(given: Any) -> int:
    """A whole number from 1 on."""
    number = whole(given)
    if number == 0:
        raise ValueError("must be 1 or more")
    return number


def yes(given: Any) -> bool:
    """`true`; a key that would say `false` is left out."""
    if given != "true":
        raise ValueError("must be true; leave the key out where it is not so")
    return True


def day(given: Any) -> date:
    """A date such as 2026-03-31."""
    if not isinstance(given, str) or not re.fullmatch(_DAY, given):
        raise ValueError("must be a date as YYYY-MM-DD")
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise ValueError("there is no such date") from None


def _number(**more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": ["string", "number"], "pattern": f"^{_NUMBER}$", **more})


def _integer(least: int) -> WithJsonSchema:
    pattern = "^(?:0|[1-9][0-9]*)$" if least == 0 else "^[1-9][0-9]*$"
    return WithJsonSchema(
        {"type": ["integer", "string"], "pattern": pattern, "minimum": least, "maximum": WHOLE_MAX}
    )


PERCENT_SHAPE: dict[str, Any] = {
    "type": ["string", "number"],
    "pattern": rf"^{_NOT_ZERO}(?:100(?:\.0+)?|[1-9]?[0-9](?:\.[0-9]+)?)$",
    "exclusiveMinimum": 0,
    "maximum": 100,
}
"""What JSON Schema can say of a percentage."""

Exact = Annotated[str, AfterValidator(exact), _number(minimum=0)]
Positive = Annotated[
    str,
    AfterValidator(positive),
    _number(pattern=f"^{_NOT_ZERO}{_NUMBER}$", exclusiveMinimum=0),
]
Percent = Annotated[str, AfterValidator(percent), WithJsonSchema(PERCENT_SHAPE)]
Factor = Annotated[
    str,
    AfterValidator(factor),
    _number(pattern=r"^0(?:\.[0-9]+)?$", minimum=0, exclusiveMaximum=1),
]
Whole = Annotated[int, BeforeValidator(whole), _integer(0)]
Counting = Annotated[int, BeforeValidator(counting), _integer(1)]
Yes = Annotated[bool, BeforeValidator(yes), WithJsonSchema({"const": True})]
Day = Annotated[
    date,
    BeforeValidator(day),
    WithJsonSchema({"type": "string", "pattern": f"^{_DAY}$", "format": "date"}),
]
