"""A page: one layout of fixed-width or delimited records, as milepost knows it.

A page is checked when it is read: positions without gaps, tags that tell the records apart,
totals of fields that there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from services.settlement.files.layout.dates import FORMS


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    """Letters; padded behind."""
    NUMBER = "number"
    """A number without sign; zeros in front."""
    SIGNED = "signed"
    """A number whose sign stands as the page's `signs` say."""
    MAJOR = "major"
    """Money in major units with exactly the decimals of its currency."""
    DATE = "date"
    """A day in one of `dates.FORMS`."""
    CODE = "code"
    """One of a few words, each written as the page's `codes` say."""


class Sum(NamedTuple):
    """A control total: `details`, `records`, or what is done to a detail's field."""

    verb: str
    field: str


VERBS = ("sum", "plus", "minus", "hash")
"""Signed sum · sum of those above zero · of those below, without sign · low digits of the sum."""
HEADER_VALUES = ("partner", "batch", "sequence", "through", "provider_code", "unit")
DETAIL_VALUES = (
    "line", "membership_number", "account_id", "issuer_id", "purchase", "activity_on", "contract",
    "rule", "award", "offer_code", "unit", "amount", "base", "bonus", "original_batch",
    "original_line",
)  # fmt: skip
"""What the fields of an outgoing page may be `of`, beside totals."""
SIGNS = ("overpunch", "leading", "trailing", "plain")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record. Fixed: `first` to `last`, both inclusive, from 1; else 0 and 0.

    `constant` stands there always. `source` names the value that is written, `total` a total.
    `digits` is the most that a number of a delimited file has.
    """

    name: str
    kind: Kind
    first: int = 0
    last: int = 0
    constant: str | None = None
    source: str = ""
    total: Sum | None = None
    form: str = ""
    digits: int = 18
    pattern: re.Pattern[str] | None = None
    meaning: str = ""
    optional: bool = False
    nonzero: bool = False
    codes: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, list[str]] = field(default_factory=dict)
    """Word of a code → sources of the record that must have a value then."""
    width: int = field(init=False)
    """Characters of the field; 0 in a delimited file."""

    def __post_init__(self) -> None:
        width = self.last - self.first + 1 if self.first else 0
        object.__setattr__(self, "width", width)

    @property
    def place(self) -> str:
        """How an error names the field."""
        return f"{self.name} ({self.first}-{self.last})" if self.first else self.name


@dataclass(frozen=True, slots=True)
class Page:
    """A layout. Records are header, details, trailer; each of them has a tag where there are more
    than one: `tags` gives its place in the record and what stands there.
    """

    name: str
    title: str
    direction: str
    earns: str
    by_number: bool
    ending: str
    fixed: bool
    width: int
    encoding: str
    line_end: str
    allowed: re.Pattern[str]
    delimiter: str
    quoting: str
    names: bool
    order: str
    together: tuple[tuple[str, ...], ...]
    header: tuple[Field, ...]
    detail: tuple[Field, ...]
    trailer: tuple[Field, ...]

    @property
    def records(self) -> dict[str, tuple[Field, ...]]:
        """The kinds of records that there are, in their order."""
        all_of_them = {"header": self.header, "detail": self.detail, "trailer": self.trailer}
        return {kind: fields for kind, fields in all_of_them.items() if fields}

    @property
    def begins(self) -> str:
        """The constants that every file starts with; empty where there is no header."""
        text = ""
        for found in self.header:
            if found.constant is None:
                break
            text += found.constant if self.fixed else found.constant + self.delimiter
        return text


def faults(page: Page) -> Iterator[str]:
    """What does not go together on a page."""
    for kind, fields in page.records.items():
        known = DETAIL_VALUES if kind == "detail" else HEADER_VALUES
        for found in fields:
            if found.source and found.source not in known and page.direction == "out":
                yield f"{kind}, {found.name}: there is no value {found.source!r}"
            yield from (f"{kind}, {found.name}: {why}" for why in _field_faults(found, page))
        if page.fixed:
            yield from (f"{kind}: {why}" for why in _gaps(fields, page.width))
    tags = [fields[0].constant for fields in page.records.values()]
    if len(tags) > 1 and (None in tags or len(set(tags)) < len(tags)):
        yield "every kind of record must start with a constant of its own"
    if not page.line_end and not page.fixed:
        yield "delimited records need a line end"
    sources = {found.source for found in page.detail}
    needed = (name for one in page.detail for names in one.needs.values() for name in names)
    together = (name for names in page.together for name in names)
    for name in (*([page.order] if page.order else ()), *together, *needed):
        if name not in sources:
            yield f"no field of the detail is of {name!r}"


def _field_faults(found: Field, page: Page) -> Iterator[str]:
    if sum((found.constant is not None, bool(found.source), found.total is not None)) != 1:
        yield "must be a constant, a value or a total"
    if found.kind is Kind.DATE and found.form not in FORMS:
        yield f"a date is written in one of {', '.join(FORMS)}"
    if found.kind is Kind.SIGNED and found.form not in SIGNS:
        yield f"a sign is written in one of the ways {', '.join(SIGNS)}"
    if found.width and len(found.constant or "") > found.width:
        yield f"{found.constant!r} is longer than its place"
    if len(set(found.codes.values())) < len(found.codes):
        yield "two words are written the same"
    if bool(found.first) != page.fixed:
        yield "has a position in a fixed file, and none in a delimited one"
    if found.total is not None and found.total.field:
        hashed = found.total.verb == "hash"
        counted = {one.name for one in page.detail if hashed or one.kind is not Kind.TEXT}
        if found.total.verb not in VERBS or found.total.field not in counted:
            yield f"there is no total {found.total.verb!r} of {found.total.field!r}"


def _gaps(fields: tuple[Field, ...], width: int) -> Iterator[str]:
    following = 1
    for found in fields:
        if found.first != following or found.last < found.first:
            yield f"{found.name} must start at {following}"
        following = found.last + 1
    if following != width + 1:
        yield f"ends at {following - 1}, a record has {width}"
