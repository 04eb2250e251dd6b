"""Fields of files: each says what may stand in it, and refuses anything else. Nothing is cut off,
nothing is padded by surprise, and no cell of ours can be read as a formula.
"""

from __future__ import annotations

import re
from datetime import date

from services.kernel.card import mask_card_numbers

SHOWN_MAX = 60

TEXT = r"[A-Za-z0-9_][A-Za-z0-9 ._:/#-]{0,127}"
"""Names and ids: they start with a letter, a digit or an underscore, so no sheet computes them."""
COUNT = r"0|[1-9][0-9]{0,8}"
LINE = r"[1-9][0-9]{0,8}"
WHOLE = r"0|-?[1-9][0-9]{0,17}"
"""The only cell that may start with a hyphen: all of it is a number."""
MAJOR = r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,4})?"
"""An amount in major units, without a sign."""
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
UNIT = r"[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*"

_DIGITS = re.compile("[0-9]+", re.ASCII)
_PLUS, _MINUS = "{ABCDEFGHI", "}JKLMNOPQR"


class DoesNotFit(ValueError):
    """A value that its field cannot hold."""


def digits(value: int, width: int) -> str:
    """A number without sign, padded with zeros."""
    text = str(value).rjust(width, "0")
    if value < 0 or len(text) > width:
        raise DoesNotFit(f"{value} does not fit {width} digits without a sign")
    return text


def code(text: str, width: int) -> str:
    """Letters and digits, padded with blanks on the right; may be empty."""
    if len(text) > width or not re.fullmatch(r"[A-Za-z0-9]*", text, re.ASCII):
        raise DoesNotFit(f"{shown(text)!r} is not at most {width} letters and digits")
    return text.ljust(width)


def overpunched(value: int, width: int) -> str:
    """A signed number, S9: its last digit carries the sign (`{`A-I plus, `}`J-R minus)."""
    text = digits(abs(value), width)
    return text[:-1] + (_MINUS if value < 0 else _PLUS)[int(text[-1])]


def read_overpunched(text: str) -> int:
    """The number in an overpunched field; ValueError says what is wrong with it."""
    head, last = text[:-1], text[-1:]
    if head and not _DIGITS.fullmatch(head):
        raise ValueError("has other characters than digits before its last place")
    letters = _PLUS if last in _PLUS else _MINUS
    if not last or last not in letters:
        raise ValueError("does not end in an overpunched digit, one of {A-I or }J-R")
    value = int(head + str(letters.index(last)))
    if letters is _PLUS:
        return value
    if not value:
        raise ValueError("is minus zero")
    return -value


def read_date(text: str) -> date:
    """A date as `2026-03-31` or `20260331`; ValueError if there is no such day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("is no date") from None


def shown(value: str) -> str:
    """A value as an error may print it: no card number, nothing unprintable, not too long."""
    text = "".join(c if c.isprintable() else "?" for c in mask_card_numbers(value))
    return text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 1] + "…"
