"""Reads a file of a page, and says everything that is wrong with it, by line and field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.settlement.files.fields import shown
from services.settlement.files.file import Checked, Findings
from services.settlement.files.layout import framing
from services.settlement.files.layout.codec import Value, decode
from services.settlement.files.layout.page import Field, Page
from services.settlement.files.layout.totals import Row, count, shortened

UNNAMED = "miles"
"""Under which a file's total stands when its layout does not name the unit."""


class Reading(NamedTuple):
    """The values of a sound file by source. `heads` and `tails` have one row, or none; the line
    of the first of `rows` is `first_line`.
    """

    heads: list[Row]
    rows: list[Row]
    tails: list[Row]
    first_line: int

    @property
    def header(self) -> Row:
        """What header and trailer say; nothing where there is none."""
        return {**(self.heads[0] if self.heads else {}), **(self.tails[0] if self.tails else {})}


@dataclass(slots=True)
class _Found:
    """Records by kind, each with its line, its values, and its totals by field name."""

    records: dict[str, list[tuple[int, Row, Row]]] = field(default_factory=dict)
    unreadable: bool = False
    unit: str = ""
    """That of the header, for details that do not name their own."""

    def of(self, kind: str) -> list[tuple[int, Row, Row]]:
        return self.records.get(kind, [])


def read(page: Page, content: bytes, file: str) -> tuple[Reading | None, Checked]:
    """What a file says, None if anything is wrong with it, and what was found."""
    reading, checked = survey(page, content, file)
    return None if checked.problems else reading, checked


def survey(page: Page, content: bytes, file: str) -> tuple[Reading, Checked]:
    """Every record that can be read, whatever is wrong with the file, and what was found.

    Nothing may be done with such records but to look for what is wrong.
    """
    found = Findings(file)
    records = framing.to_records(page, content, found)
    numbered = list(enumerate(records, 1))
    if page.names:
        place = len(page.header[:1])
        numbered = _without_names(page, numbered, place, found)
    result = _Found()
    for (line, record), kind in zip(numbered, _kinds(page, numbered, found), strict=True):
        _take(page, kind, line, record, result, found)
    rows = [row for _, row, _ in result.of("detail")]
    _check_details(page, result, found)
    _check_totals(page, result, rows, found)
    heads = [row for _, row, _ in result.of("header")]
    tails = [row for _, row, _ in result.of("trailer")]
    first_line = result.of("detail")[0][0] if rows else 0
    reading = Reading(heads, rows, tails, first_line)
    says = reading.header
    return reading, Checked(
        page.name, len(rows), _sums(rows, says), found.all(),
        sequence=_int(says.get("sequence")), batch=_text(says.get("batch")),
    )  # fmt: skip


def _without_names(
    page: Page, numbered: list[tuple[int, str]], place: int, found: Findings
) -> list[tuple[int, str]]:
    wanted = framing.names(page)
    said = numbered[place][1] if len(numbered) > place else ""
    if said != wanted:
        found.add(f"must be the column names {wanted}", line=place + 1, value=shown(said))
    return numbered[:place] + numbered[place + 1 :]


def _kinds(page: Page, numbered: Sequence[tuple[int, str]], found: Findings) -> Iterator[str]:
    """Which kind each record is, with what is wrong with their order; "" where none can be told."""
    kinds = page.records
    if len(kinds) == 1:
        yield from ("detail" for _ in numbered)
        return
    tags = {fields[0].constant: kind for kind, fields in kinds.items()}
    seen: list[str] = []
    for line, record in numbered:
        tag = framing.first_cell(page, page.detail[0], record)
        kind = tags.get(tag, "")
        expected = _expected(page, seen)
        if kind not in expected:
            wanted = " or ".join(f"`{kinds[name][0].constant}`" for name in expected)
            why = "records are doubled or out of order: " if kind else ""
            found.add(f"{why}must be {wanted or 'the end of the file'}", line=line,
                      field=page.detail[0].place, value=shown(tag.strip(" ")))  # fmt: skip
        seen.append(kind)
        yield kind
    if numbered and page.trailer and "trailer" not in seen:
        found.add("there is no trailer: the file was cut off", line=numbered[-1][0] + 1)


def _expected(page: Page, seen: Sequence[str]) -> list[str]:
    if page.header and not seen:
        return ["header"]
    if seen and seen[-1] == "trailer":
        return []
    return ["detail", "trailer"] if page.trailer else ["detail"]


def _take(page: Page, kind: str, line: int, record: str, result: _Found, found: Findings) -> None:
    fields = page.records.get(kind)
    values = _values(page, fields, line, record, result.unit, found) if fields else None
    if values is None or fields is None:
        result.unreadable = True
        return
    row = {one.source: value for one, value in zip(fields, values, strict=True) if one.source}
    totals = {one.name: value for one, value in zip(fields, values, strict=True) if one.total}
    if kind == "header":
        result.unit = _text(row.get("unit")) or ""
    result.records.setdefault(kind, []).append((line, row, totals))


def _values(
    page: Page, fields: Sequence[Field], line: int, record: str, unit: str, found: Findings
) -> list[Value] | None:
    """The values of one record; None when one cannot be read."""
    try:
        cells = framing.cut(page, fields, record)
    except ValueError as error:
        found.add(str(error), line=line)
        return None
    at_unit = next((nth for nth, one in enumerate(fields) if one.source == "unit"), None)
    unit = cells[at_unit].strip(" ") if at_unit is not None else unit
    values: list[Value] = []
    sound = True
    for one, cell in zip(fields, cells, strict=True):
        if cell == one.constant:
            values.append(cell)
            continue
        try:
            values.append(decode(one, cell, allowed=page.allowed, unit=unit))
        except ValueError as error:
            sound = False
            found.add(str(error), line=line, field=one.place, value=shown(cell.strip(" ")))
    return values if sound else None


def _check_details(page: Page, result: _Found, found: Findings) -> None:
    before = 0
    backs = "original_line" in {one.source for one in page.detail}
    order = next((one.name for one in page.detail if one.source == page.order), "")
    for line, row, _ in result.of("detail"):
        number = _int(row.get(page.order)) if page.order else None
        if number is not None:
            if number <= before:
                found.add(f"must be above {before}, that of the record before: records are "
                          "doubled or out of order", line=line, field=order,
                          value=str(number))  # fmt: skip
            before = max(before, number)
        _check_needs(page, line, row, found)
        for names in page.together:
            if len({row[name] is None for name in names}) > 1:
                found.add(f"{' and '.join(names)} stand together or not at all", line=line)
        if backs and (_int(row.get("amount")) or 0) < 0 and row["original_line"] is None:
            found.add("a line that takes back must name its original", line=line,
                      field="original_line")  # fmt: skip


def _check_needs(page: Page, line: int, row: Row, found: Findings) -> None:
    for one in page.detail:
        word = row.get(one.source)
        for name in one.needs.get(str(word), ()) if one.needs else ():
            if row.get(name) is None:
                found.add(f"is required with {one.codes[str(word)]}", line=line, field=name)


def _check_totals(page: Page, result: _Found, rows: Sequence[Row], found: Findings) -> None:
    if result.unreadable:
        return
    counted = count(page, rows)
    for kind in ("header", "trailer"):
        for line, _, said in result.of(kind):
            for one in page.records[kind]:
                if one.total is None:
                    continue
                comes_to = shortened(one, counted[one.total])
                if said[one.name] != comes_to:
                    found.add(f"the {kind} says {said[one.name]}, the records come to {comes_to}",
                              line=line, field=one.name, value=str(said[one.name]))  # fmt: skip


def _sums(rows: Sequence[Row], header: Row) -> Mapping[str, int]:
    """Amounts by unit. Base and bonus apart make an amount together."""
    sums: dict[str, int] = {}
    for row in rows:
        unit = _text(row.get("unit")) or _text(header.get("unit")) or UNNAMED
        parts = ("amount",) if "amount" in row else ("base", "bonus")
        amount = sum(_int(row.get(name)) or 0 for name in parts)
        sums[unit] = sums.get(unit, 0) + amount
    return dict(sorted(sums.items()))


def _int(value: Value) -> int | None:
    return value if isinstance(value, int) else None


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None
