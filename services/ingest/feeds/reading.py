"""Typed members of a JSON object from outside, each with the reason when it is not what it must be.

`at` is the path of the object with its final dot, so that `at + name` names the member. Null and
absent are the same.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from services.ingest.feeds.moments import instant
from services.ingest.feeds.strictjson import whole_number
from services.kernel.errors import Rejected


def member(data: dict[str, Any], name: str, at: str) -> Any:
    """The value of a member. Raises Rejected: MISSING_FIELD."""
    if data.get(name) is None:
        raise Rejected("MISSING_FIELD", at + name, "is required")
    return data[name]


def child(data: dict[str, Any], name: str, at: str) -> dict[str, Any]:
    """An object. Raises Rejected: MISSING_FIELD, WRONG_TYPE."""
    value = member(data, name, at)
    if not isinstance(value, dict):
        raise Rejected("WRONG_TYPE", at + name, "must be an object")
    return value


def text(data: dict[str, Any], name: str, at: str) -> str:
    """A text. Raises Rejected: MISSING_FIELD, WRONG_TYPE."""
    value = member(data, name, at)
    if type(value) is not str:
        raise Rejected("WRONG_TYPE", at + name, "must be a text")
    return value


def optional(data: dict[str, Any], name: str, at: str) -> str | None:
    """A text that may be absent, null or empty. Raises Rejected: WRONG_TYPE."""
    return None if data.get(name) in (None, "") else text(data, name, at)


def magnitude(data: dict[str, Any], name: str, at: str) -> int:
    """A whole number without its sign. Raises Rejected: MISSING_FIELD, WRONG_TYPE."""
    number = whole_number(member(data, name, at))
    if number is None or number == -(2**63):
        raise Rejected("WRONG_TYPE", at + name, "must be a whole number of 64 bits")
    return abs(number)


def moment(data: dict[str, Any], name: str, at: str) -> int:
    """Microseconds since the epoch. Raises Rejected: MISSING_FIELD, WRONG_TYPE, BAD_VALUE."""
    micros = instant(text(data, name, at))
    if micros is None:
        raise Rejected("BAD_VALUE", at + name, "must be an RFC 3339 instant with offset")
    return micros


def choice(known: Container[str], data: dict[str, Any], name: str, at: str) -> str:
    """One of the known texts. Raises Rejected: MISSING_FIELD, WRONG_TYPE, BAD_VALUE."""
    value = text(data, name, at)
    if value not in known:
        raise Rejected("BAD_VALUE", at + name, "is no value that this feed knows")
    return value
