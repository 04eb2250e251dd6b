"""Control totals: what a header or a trailer says of the details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.settlement.files.layout.codec import Value
from services.settlement.files.layout.page import Field, Page, Sum

Row = Mapping[str, Value]
"""Source → value, of one record."""


def count(page: Page, details: Sequence[Row]) -> dict[Sum, int]:
    """Every total that the page's header or trailer has. The hash is whole: `shortened` cuts it."""
    wanted = {found.total for fields in (page.header, page.trailer) for found in fields}
    sources = {found.name: found for found in page.detail}
    return {
        total: _count(page, total, sources.get(total.field), details)
        for total in wanted
        if total is not None
    }


def _count(page: Page, total: Sum, of: Field | None, details: Sequence[Row]) -> int:
    if of is None:
        others = sum((bool(page.header), bool(page.trailer), page.names))
        return len(details) + (others if total.verb == "records" else 0)
    values = (row.get(of.source) for row in details)
    if total.verb == "hash":
        return sum(_digits(value) for value in values)
    numbers = [int(value) for value in values if isinstance(value, int | str)]
    match total.verb:
        case "plus":
            return sum(number for number in numbers if number > 0)
        case "minus":
            return -sum(number for number in numbers if number < 0)
    return sum(numbers)


def shortened(field: Field, number: int) -> int:
    """A total as its field holds it: of a hash the low digits, all of any other."""
    if field.total is not None and field.total.verb == "hash":
        return int(number % 10**field.digits)
    return number


def _digits(value: Value) -> int:
    """The digits of a number or a text, read as one number."""
    return int("".join(letter for letter in str(value or "") if letter in DIGITS) or "0")


DIGITS = "0123456789"
