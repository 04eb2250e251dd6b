"""Card numbers exist here only as something to recognise and refuse, or as masked types.

Prefixes and lengths are those of interfaces.md (CARD_NUMBER).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

_RUN = re.compile(r"[0-9](?:[ -]?[0-9]){12,}", re.ASCII)
_SEPARATORS = re.compile(r"[ -]")
_DOUBLED = bytes.maketrans(b"0123456789", bytes([0, 2, 4, 6, 8, 1, 3, 5, 7, 9]))
_SHORTEST = b"0" * 13
_DIGITS_ALIKE = bytes(48 if 48 <= byte <= 57 else byte for byte in range(256))


@dataclass(frozen=True, slots=True, repr=False)
class CardToken:
    """A surrogate for a card number. It prints masked; `reveal()` gives the text."""

    _text: str

    def reveal(self) -> str:
        """The token itself, for a key or a column."""
        return self._text

    def __repr__(self) -> str:
        return f"CardToken(…{self._text[-4:]})"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class MaskedPan:
    """The last four digits of a card number and nothing else."""

    last4: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9]{4}", self.last4, re.ASCII):
            raise ValueError("a masked card number keeps exactly four digits")

    def __str__(self) -> str:
        return f"************{self.last4}"


def tokenize(number: str, *, key: bytes, key_version: int) -> CardToken:
    """The keyed token of a card number: HMAC-SHA-256, with the key's version in front."""
    digest = hmac.new(key, number.encode("ascii"), hashlib.sha256).hexdigest()
    return CardToken(f"t{key_version}_{digest[:40]}")


def luhn(digits: str) -> bool:
    """Whether the last digit is the right check digit of the others."""
    text = digits.encode("ascii")
    plain, doubled = text[-1::-2], text[-2::-2].translate(_DOUBLED)
    return (sum(plain) - 48 * len(plain) + sum(doubled)) % 10 == 0


def contains_card_number(text: str) -> bool:
    """Whether any window of a run of digits in `text` looks like a real card number.

    A run may have single spaces or hyphens between its digits. A window counts when it has an
    issuer's prefix, a length of that prefix and a right Luhn digit.
    """
    # Nearly every text ends here: without separators it has no 13 digits in a row.
    alike = text.encode("utf-8", "replace").translate(_DIGITS_ALIKE, b" -")
    if _SHORTEST not in alike:
        return False
    for run in _RUN.finditer(text):
        digits = _SEPARATORS.sub("", run.group())
        for start in range(len(digits) - 12):
            for length in _lengths(digits[start : start + 6]):
                window = digits[start : start + length]
                if len(window) == length and luhn(window):
                    return True
    return False


def mask_card_numbers(text: str) -> str:
    """`text` with every run of digits that holds a card number replaced by `[card number]`."""
    return _RUN.sub(
        lambda run: "[card number]" if contains_card_number(run.group()) else run.group(), text
    )


_LONG = (16, 17, 18, 19)


def _lengths(prefix: str) -> tuple[int, ...]:
    """The lengths that a number with these first six digits may have; none when no issuer's."""
    two, three, four = int(prefix[:2]), int(prefix[:3]), int(prefix[:4])
    if prefix[0] == "4":
        return (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720 or 3528 <= four <= 3589:
        return (16,)
    if two in (34, 37):
        return (15,)
    if two in (36, 38) or 300 <= three <= 305:
        return (14,)
    if four == 6011 or 644 <= three <= 649 or two == 65 or two == 62:
        return _LONG
    return ()
