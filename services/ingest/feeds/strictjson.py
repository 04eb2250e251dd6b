"""Reads one JSON object and loses nothing: repeated keys and the text of numbers survive."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from services.kernel.card import mask_card_numbers
from services.kernel.errors import Rejected

_WHOLE = re.compile(r"-?[0-9]{1,19}")


class Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


class Members(list[tuple[str, Any]]):
    """A JSON object: its keys and values in order, repeated keys included."""

    __slots__ = ()


def whole_number(value: Any) -> int | None:
    """A JSON number that is written as a whole one of 64 bits; None for anything else."""
    if type(value) is not Number or not _WHOLE.fullmatch(value):
        return None
    number = int(value)
    return number if -(2**63) <= number < 2**63 else None


def plain(value: Any) -> Any:
    """Objects as dicts, at any depth. Of a key that comes twice the last value stays."""
    if isinstance(value, Members):
        return {key: plain(nested) for key, nested in value}
    if isinstance(value, list):
        return [plain(nested) for nested in value]
    return value


def read_object(value: bytes) -> Members:
    """The members of the one object that `value` is.

    Values are str, Number, Members, list, bool or None. Raises Rejected with NOT_UTF8, NOT_JSON
    (also for NaN and Infinity, and for nesting deeper than can be read) or NOT_AN_OBJECT.
    """
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Rejected("NOT_UTF8", None, f"byte {error.start + 1} is not UTF-8") from None
    try:
        document = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Rejected("NOT_JSON", None, f"{error.msg} at character {error.pos + 1}") from None
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise Rejected("NOT_JSON", None, why) from None
    if not isinstance(document, Members):
        raise Rejected("NOT_AN_OBJECT", None, "the record is not a JSON object")
    return document


def repeated_key(members: Members) -> str | None:
    """Where a key comes twice in one object, at any depth; None when none does."""
    for key, nested in [("", members), *_objects("", members)]:
        seen: set[str] = set()
        for name, _ in nested:
            if name in seen:
                return shown(f"{key}.{name}" if key else name)
            seen.add(name)
    return None


def texts(value: Any) -> Iterator[str]:
    """Every text, number and key inside a value, at any depth."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case Members() as members:
                for key, nested in members:
                    yield key
                    waiting.append(nested)
            case list() as items:
                waiting.extend(items)
            case _:
                pass


def shown(name: str) -> str:
    """A name from outside, fit to be printed: no card number, nothing unprintable, not long."""
    name = mask_card_numbers(name)
    if len(name) > 64:
        name = name[:63] + "…"
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _objects(path: str, members: Members) -> Iterator[tuple[str, Members]]:
    """Every object below `members` with its path."""
    waiting: list[tuple[str, Any]] = [(path, members)]
    while waiting:
        place, value = waiting.pop()
        inner: list[tuple[str, Any]] = []
        if isinstance(value, Members):
            inner = [(f"{place}.{key}" if place else key, nested) for key, nested in value]
        elif isinstance(value, list):
            inner = [(f"{place}[{index}]", nested) for index, nested in enumerate(value)]
        for found, nested in inner:
            if isinstance(nested, Members):
                yield found, nested
        waiting.extend(reversed(inner))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=Members, parse_int=Number, parse_float=Number, parse_constant=_refuse
)
