"""From the YAML file that declares a layout to its page.

A page with a fault is a fault of milepost: ValueError, with everything that is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import yaml

from services.settlement.files.layout.page import Field, Kind, Page, Sum
from services.settlement.files.layout.page import faults as faults_of


class _Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str
    at: str = ""
    constant: str | None = msgspec.field(name="is", default=None)
    of: str = ""
    type: Kind = Kind.TEXT
    form: str = ""
    digits: int = 0
    pattern: str = ""
    meaning: str = ""
    optional: bool = False
    nonzero: bool = False
    codes: dict[str, str] = {}
    needs: dict[str, list[str]] = {}


class _Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    layout: str
    title: str
    direction: Literal["out", "in"]
    earns: Literal["units", "money"] = "units"
    member: Literal["number", "account"] = "number"
    ending: str
    form: Literal["fixed", "delimited"]
    width: int = 0
    encoding: Literal["ascii", "latin-1", "cp500"] = "ascii"
    line_end: Literal["LF", "CR", "CRLF", "NONE"] = "LF"
    allowed: str = "A-Za-z0-9 ._:/#-"
    delimiter: str = ","
    quoting: Literal["never", "needed", "text"] = "never"
    names: bool = False
    order: str = ""
    together: list[list[str]] = []
    header: list[_Field] = []
    detail: list[_Field]
    trailer: list[_Field] = []


_LINE_ENDS = {"LF": "\n", "CR": "\r", "CRLF": "\r\n", "NONE": ""}


def read_page(text: str) -> Page:
    """The page that a YAML document says. ValueError says all that is wrong, a line for each."""
    try:
        node = yaml.compose(text, Loader=yaml.CBaseLoader)
        document: Any = yaml.load(text, Loader=yaml.CBaseLoader)
        raw = msgspec.convert(document, _Page, strict=False)
    except (msgspec.ValidationError, yaml.YAMLError) as error:
        raise ValueError(" ".join(str(error).split())) from error
    faults = [*_doubled(node), *_unreadable(raw)]
    page = None if faults else _page(raw)
    if page is None or (faults := list(faults_of(page))):
        raise ValueError("\n".join(f"{raw.layout}: {why}" for why in faults))
    return page


def _unreadable(raw: _Page) -> Iterator[str]:
    """Positions and patterns that are none: without them there is no page to judge."""
    if (why := _no_pattern(f"[{raw.allowed}]*")) is not None:
        yield f"allowed: {raw.allowed!r} is no list of characters: {why}"
    kinds = {"header": raw.header, "detail": raw.detail, "trailer": raw.trailer}
    for kind, fields in kinds.items():
        for one in fields:
            if one.at and not re.fullmatch("[1-9][0-9]{0,8}(-[1-9][0-9]{0,8})?", one.at, re.ASCII):
                yield f"{kind}, {one.name}: {one.at!r} is no position such as 7 or 7-12"
            if (why := _no_pattern(one.pattern)) is not None:
                yield f"{kind}, {one.name}: {one.pattern!r} is no pattern: {why}"


def _no_pattern(text: str) -> str | None:
    try:
        re.compile(text, re.ASCII)
    except re.error as error:
        return str(error)
    return None


def _page(raw: _Page) -> Page:
    return Page(
        name=raw.layout, title=raw.title, direction=raw.direction, earns=raw.earns,
        by_number=raw.member == "number", ending=raw.ending, fixed=raw.form == "fixed",
        width=raw.width, encoding=raw.encoding, line_end=_LINE_ENDS[raw.line_end],
        allowed=re.compile(f"[{raw.allowed}]*", re.ASCII if raw.encoding == "ascii" else 0),
        delimiter=raw.delimiter, quoting=raw.quoting, names=raw.names, order=raw.order,
        together=tuple(tuple(names) for names in raw.together),
        header=_fields(raw.header), detail=_fields(raw.detail), trailer=_fields(raw.trailer),
    )  # fmt: skip


def _fields(raw: list[_Field]) -> tuple[Field, ...]:
    return tuple(_field(found) for found in raw)


def _field(raw: _Field) -> Field:
    first, _, last = raw.at.partition("-")
    verb, _, of = raw.of.partition(" of ")
    total = Sum(verb, of) if of or raw.of in ("details", "records") else None
    start, end = (int(first), int(last or first)) if first else (0, 0)
    constant = raw.constant
    if constant is not None and start:
        constant = constant.ljust(end - start + 1)
    return Field(
        name=raw.name, kind=raw.type, first=start, last=end, constant=constant,
        source="" if total else raw.of, total=total, form=raw.form,
        digits=raw.digits or (end - start + 1 if start else 18),
        pattern=re.compile(raw.pattern, re.ASCII) if raw.pattern else None,
        meaning=raw.meaning or _shown(constant), optional=raw.optional, nonzero=raw.nonzero,
        codes=raw.codes, needs=raw.needs,
    )  # fmt: skip


def _shown(constant: str | None) -> str:
    if constant is None:
        return ""
    return f"`{constant.strip(' ')}`" if constant.strip(" ") else "blank"


def _doubled(node: Any) -> Iterator[str]:
    """Keys that a mapping has twice: YAML would keep the last one and say nothing."""
    values = node.value if isinstance(node.value, list) else []
    if isinstance(node, yaml.MappingNode):
        seen = set[str]()
        for key, _ in values:
            if key.value in seen:
                yield f"line {key.start_mark.line + 1}: {key.value} stands there twice"
            seen.add(key.value)
        values = [value for _, value in values]
    for value in values:
        yield from _doubled(value)
