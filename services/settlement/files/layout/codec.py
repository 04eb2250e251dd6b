"""One field: a value as its text, and back. What does not fit is refused, never cut.

Every text has one spelling: a field that reads as a value but is written otherwise is refused.
"""

from __future__ import annotations

import re
from datetime import date

from services.kernel.rates import parse_minor
from services.kernel.units import exponent_of, major
from services.settlement.files.fields import (
    DoesNotFit,
    digits,
    overpunched,
    read_overpunched,
    shown,
)
from services.settlement.files.layout import dates
from services.settlement.files.layout.page import Field, Kind

Value = str | int | date | None
FORMULA = re.compile(r"[=+\-@\t\r|%]")
"""What a spreadsheet takes for the start of a formula."""
_DIGITS = re.compile("[0-9]+", re.ASCII)


def encode(field: Field, value: Value, *, allowed: re.Pattern[str], unit: str = "") -> str:
    """The field's text, padded to its width. DoesNotFit says why there is none.

    `unit` is the currency of an amount in major units.
    """
    if field.constant is not None:
        return field.constant
    if value is None or value == "":
        if not field.optional:
            raise DoesNotFit(f"{field.name}: has no value")
        return " " * field.width
    try:
        text = _encode(field, value, allowed, unit)
    except ValueError as error:
        raise DoesNotFit(f"{field.name}: {error}") from error
    if field.width and len(text) != field.width:
        raise DoesNotFit(f"{field.name}: {shown(text)!r} does not fit {field.width} characters")
    return text


def _encode(field: Field, value: Value, allowed: re.Pattern[str], unit: str) -> str:
    if isinstance(value, date) and field.kind is Kind.DATE:
        return dates.written(value, field.form)
    if field.kind is Kind.TEXT:
        return _text(field, str(value), allowed)
    if field.kind is Kind.CODE:
        if str(value) not in field.codes:
            raise ValueError(f"{shown(str(value))!r} is none of {', '.join(field.codes)}")
        return field.codes[str(value)].ljust(field.width)
    number = _whole(value, field)
    if field.nonzero and not number:
        raise ValueError("is zero")
    if field.kind is Kind.MAJOR:
        return _limited(field, major(number, unit), number)
    return _number(field, number)


def _whole(value: Value, field: Field) -> int:
    """A number, also one that is kept as text, such as a membership number."""
    if isinstance(value, int):
        return value
    text = str(value)
    if not _DIGITS.fullmatch(text):
        limit = f" of at most {field.digits} digits"
        raise ValueError(f"{shown(text)!r} is not a number{limit}")
    return int(text)


def _text(field: Field, text: str, allowed: re.Pattern[str]) -> str:
    if not allowed.fullmatch(text) or text != text.strip(" "):
        raise ValueError(f"{shown(text)!r} has characters that the file does not allow")
    if field.pattern is not None and not field.pattern.fullmatch(text):
        raise ValueError(f"{shown(text)!r} is not {field.meaning or field.pattern.pattern}")
    if not field.width and FORMULA.match(text):
        raise ValueError(f"{shown(text)!r} begins like a formula")
    return text.ljust(field.width)


def _number(field: Field, number: int) -> str:
    if field.kind is Kind.NUMBER:
        return digits(number, field.width) if field.width else _limited(field, str(number), number)
    sign = "-" if number < 0 else "+"
    room = field.digits - bool(field.width and field.form in ("leading", "trailing"))
    if len(str(abs(number))) > room:
        raise ValueError(f"{number} does not fit {room} digits")
    match field.form:
        case "overpunch":
            return overpunched(number, room)
        case "leading":
            return sign + digits(abs(number), room)
        case "trailing":
            return digits(abs(number), room) + sign
    text = str(number)
    return text.rjust(field.width) if field.width else _limited(field, text, number)


def _limited(field: Field, text: str, number: int) -> str:
    if number < 0 and field.kind is not Kind.SIGNED:
        raise ValueError(f"{number} is below zero, and the field has no sign")
    if len(str(abs(number))) > field.digits:
        raise ValueError(f"{number} does not fit {field.digits} digits")
    return text


def decode(field: Field, text: str, *, allowed: re.Pattern[str], unit: str = "") -> Value:
    """The value in a text. ValueError says what is wrong with it."""
    if field.constant is not None:
        if text != field.constant:
            raise ValueError(f"must be {field.meaning}")
        return field.constant
    if field.optional and not text.strip(" "):
        if text != " " * field.width:
            raise ValueError("must be empty or a value")
        return None
    value = _decode(field, text, unit)
    if isinstance(value, int) and field.nonzero and not value:
        raise ValueError("is zero: such a line stands in no file")
    if field.width and (field.kind is Kind.NUMBER or field.form == "overpunch"):
        return value  # so many digits have one spelling
    try:
        again = encode(field, value, allowed=allowed, unit=unit)
    except DoesNotFit as error:
        raise ValueError(_must(field)) from error
    if again != text:
        raise ValueError(_must(field))
    return value


def _decode(field: Field, text: str, unit: str) -> Value:
    match field.kind:
        case Kind.TEXT:
            return text.rstrip(" ")
        case Kind.DATE:
            return dates.read(text, field.form)
        case Kind.CODE:
            back = {written: word for word, written in field.codes.items()}
            if text.rstrip(" ") not in back:
                raise ValueError(f"must be one of {', '.join(back)}")
            return back[text.rstrip(" ")]
        case Kind.MAJOR:
            return _decode_major(text, unit)
        case Kind.NUMBER:
            return _digits(text, field)
    match field.form:
        case "overpunch":
            return read_overpunched(text)
        case "leading":
            sign, number = text[:1], text[1:]
        case "trailing":
            sign, number = text[-1:], text[:-1]
        case _:
            text = text.lstrip(" ") if field.width else text
            sign, number = ("-", text[1:]) if text.startswith("-") else ("+", text)
    if sign not in ("+", "-"):
        raise ValueError("has no sign where one must stand")
    value = _digits(number, field)
    if sign == "-" and not value:
        raise ValueError("is minus zero")
    return -value if sign == "-" else value


def _decode_major(text: str, unit: str) -> int:
    sign = -1 if text.startswith("-") else 1
    value = parse_minor(text.removeprefix("-"), exponent=exponent_of(unit))
    if major(value, unit) != text.removeprefix("-"):
        raise ValueError(f"must have {exponent_of(unit)} decimals")
    return sign * value


def _digits(text: str, field: Field) -> int:
    if not _DIGITS.fullmatch(text) or len(text) > max(field.digits, field.width):
        raise ValueError(_must(field))
    return int(text)


def _must(field: Field) -> str:
    if field.meaning:
        return f"must be {field.meaning}"
    limit = f" of at most {field.digits} digits" if field.kind is Kind.NUMBER else ""
    return f"is no {field.kind.value}{limit} as this field is written"
