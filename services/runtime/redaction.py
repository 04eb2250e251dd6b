"""What a log line must never show, taken out of whatever is about to be printed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from services.kernel.card import luhn, mask_card_numbers

MASK = "[card number]"
HIDDEN = "[hidden]"
_RUN = re.compile(r"\d(?:[ -]?\d){12,}")
_SECRETS = (
    re.compile(r"(?P<keep>://[^\s:/@]*:)[^\s@]+(?=@)"),  # a password in a URL
    re.compile(r"AGE-SECRET-KEY-1[0-9A-Z]+", re.IGNORECASE),
    re.compile(
        r"(?P<keep>\b\w*(?:password|passwd|secret|token_key)\w*['\"]?\s*[=:]\s*['\"]?)[^\s'\",;&}]+",
        re.IGNORECASE,
    ),
)


def redacted(value: object) -> object:
    """The value as a log line may show it: plain JSON types without card numbers or secrets.

    Bytes become their length, since what they hold is not known.
    """
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int | Decimal):
        text = str(value)
        shown = redacted_text(text)
        return value if shown == text and isinstance(value, int) else shown
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if isinstance(value, str):
        return redacted_text(value)
    if isinstance(value, Mapping):
        return {redacted_text(str(key)): redacted(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [redacted(item) for item in value]
    return redacted_text(str(value))


def redacted_text(text: str) -> str:
    """The text with what looks like a card number, a password or a private key taken out."""
    for secret in _SECRETS:
        text = secret.sub(lambda found: (found.groupdict().get("keep") or "") + HIDDEN, text)
    return _RUN.sub(_masked_run, mask_card_numbers(text))


def _masked_run(run: re.Match[str]) -> str:
    """A run of 13 to 19 digits with a right check digit goes, whoever's prefix it has."""
    digits = "".join(str(int(c)) for c in run.group() if c.isdigit())
    if len(digits) <= 19 and luhn(digits):
        return MASK
    return mask_card_numbers(digits) if MASK in mask_card_numbers(digits) else run.group()
