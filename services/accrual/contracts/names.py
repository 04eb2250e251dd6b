"""Names and codes as a contract writes them, each checked by itself.

A wrong one raises ValueError with the reason in plain words.
"""

from __future__ import annotations

import re
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, WithJsonSchema

from services.kernel.units import currency_exponent, is_currency, is_unit

FORMAT = "1"
"""The version of the contract language."""

_IDENTIFIER = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00"
_FROM = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_MCC = "[0-9]{4}(?:-[0-9]{4})?"
_BRAND = r"[^*\s][^*]*\*?"
_ZONE = "[A-Z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*"


def _is(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text, re.ASCII) is not None


def identifier(text: str) -> str:
    """A name that also fits into file names and account names."""
    if not _is(_IDENTIFIER, text):
        raise ValueError(
            "must be 1 to 64 letters, digits, dots, hyphens or underscores, "
            "with a letter or digit in front"
        )
    return text


def name(text: str) -> str:
    """A code of someone else's, compared letter for letter."""
    if not text or text != text.strip() or not text.isprintable() or len(text) > 128:
        raise ValueError("must be 1 to 128 printable characters without blanks around them")
    return text


def brand(text: str) -> str:
    """A merchant's name, or its beginning with `*` for any ending: `SKY AIR*`."""
    name(text)
    if not _is(_BRAND, text):
        raise ValueError("`*` may stand once, at the end, behind the beginning of a name")
    return text


def mcc(text: str) -> str:
    """A merchant category code, or a range of them: `5812`, `5812-5814`."""
    if not _is(_MCC, text):
        raise ValueError("must be a code of four digits, or a range such as 5812-5814")
    first, _, last = text.partition("-")
    if last and last < first:
        raise ValueError("a range must go upwards")
    return text


def country(text: str) -> str:
    """An ISO 3166 alpha-2 code."""
    if not _is(r"[A-Z]{2}", text):
        raise ValueError("must be a country code of two capitals (ISO 3166 alpha-2)")
    return text


def money(text: str) -> str:
    """An ISO 4217 currency with decimals of its own."""
    if not is_currency(text):
        raise ValueError("must be an ISO 4217 currency code that money is counted in, such as NOK")
    return text


def unit(text: str) -> str:
    """What is earned: a currency, or a unit that the programme declares."""
    if currency_exponent(text) is None and not is_unit(text):
        raise ValueError(
            "must be an ISO 4217 currency that has an exponent, or a unit: "
            "capitals, digits and hyphens, such as SKY-MILE"
        )
    return text


def zone(text: str) -> str:
    """A time zone of the IANA database, the same on every machine."""
    try:
        if _is(_ZONE, text):
            ZoneInfo(text)
            return text
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise ValueError("there is no such time zone; it must be one such as Europe/Oslo")


def day_end(text: str) -> str:
    """When the business day ends, local: `22:30`, or `24:00` for midnight."""
    if not _is(_CLOCK, text):
        raise ValueError('must be a time of day as HH:MM, at most "24:00"')
    if text == "00:00":
        raise ValueError('a day that ends at its start holds nothing; midnight is "24:00"')
    return text


def time_from(text: str) -> str:
    """A time of day from which something holds: `11:00`."""
    if not _is(_FROM, text):
        raise ValueError("must be a time of day as HH:MM, at most 23:59")
    return text


def time_to(text: str) -> str:
    """A time of day until which something holds, exclusive: `14:00`, or `24:00`."""
    if not _is(_CLOCK, text):
        raise ValueError('must be a time of day as HH:MM, at most "24:00"')
    return text


def format_version(text: str) -> str:
    """The version of the contract language that a file is written in: 1."""
    if text != FORMAT:
        raise ValueError(
            f"this milepost reads format {FORMAT} only: write the terms with the keys of format "
            f'{FORMAT} (docs/contracts.md), then `format: "{FORMAT}"`, or leave the key out'
        )
    return text


def provider_code(text: str) -> str:
    """The sponsor's code in a mile file."""
    if not _is(r"[A-Za-z0-9]{4}", text):
        raise ValueError("must be exactly four letters or digits")
    return text


def offer_code(text: str) -> str:
    """An offer's code in a mile file."""
    if not _is(r"[A-Za-z0-9]{1,8}", text):
        raise ValueError("must be 1 to 8 letters or digits")
    return text


def _text(pattern: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$", **more})


Identifier = Annotated[str, AfterValidator(identifier), _text(_IDENTIFIER)]
Name = Annotated[
    str,
    AfterValidator(name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 128}),
]
Brand = Annotated[
    str,
    AfterValidator(brand),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 128, "pattern": f"^{_BRAND}$"}),
]
Mcc = Annotated[
    str,
    AfterValidator(mcc),
    WithJsonSchema(
        {"type": ["string", "integer"], "pattern": f"^{_MCC}$", "minimum": 1000, "maximum": 9999}
    ),
]
Country = Annotated[str, AfterValidator(country), _text("[A-Z]{2}")]
Money = Annotated[str, AfterValidator(money), _text("[A-Z]{3}")]
Unit = Annotated[str, AfterValidator(unit), _text("[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*")]
Zone = Annotated[str, AfterValidator(zone), _text(_ZONE)]
DayEnd = Annotated[str, AfterValidator(day_end), _text(_CLOCK)]
TimeFrom = Annotated[str, AfterValidator(time_from), _text(_FROM)]
TimeTo = Annotated[str, AfterValidator(time_to), _text(_CLOCK)]
Format = Annotated[
    str, AfterValidator(format_version), WithJsonSchema({"enum": [FORMAT, int(FORMAT)]})
]
ProviderCode = Annotated[str, AfterValidator(provider_code), _text("[A-Za-z0-9]{4}")]
OfferCode = Annotated[str, AfterValidator(offer_code), _text("[A-Za-z0-9]{1,8}")]
