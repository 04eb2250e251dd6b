"""Writes a file of a page: every value is checked before the first byte exists, and what was
written is read back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from services.kernel.errors import InvariantViolated
from services.settlement.files.fields import DoesNotFit
from services.settlement.files.file import Checked
from services.settlement.files.layout import framing
from services.settlement.files.layout.codec import Value, encode
from services.settlement.files.layout.page import Field, Kind, Page, Sum
from services.settlement.files.layout.reader import read
from services.settlement.files.layout.totals import Row, count, shortened


def write(page: Page, header: Row, details: Sequence[Row], *, file: str) -> tuple[bytes, Checked]:
    """The file's bytes, and what reading them back found.

    `header` has the values of header and trailer, `details` one row a record. DoesNotFit, naming
    line and field, if a value has no room; nothing is written then.
    """
    totals = count(page, details)
    rows: list[tuple[tuple[Field, ...], Row]] = [(page.header, header)] if page.header else []
    names_at = len(rows)
    rows += [(page.detail, row) for row in details]
    rows += [(page.trailer, header)] if page.trailer else []
    records = []
    for nth, (fields, row) in enumerate(rows):
        line = nth + 1 + (page.names and nth >= names_at)
        try:
            records.append(_record(page, fields, row, totals, unit_of(row, header)))
        except DoesNotFit as error:
            raise DoesNotFit(f"line {line}: {error}") from error
    if page.names:
        records.insert(names_at, framing.names(page))
    content = framing.to_bytes(page, records)
    return content, _demand_same(page, header, details, content, file)


def refusal(page: Page, row: Row) -> str | None:
    """Why no detail can be written of these values; None if one can. Missing ones are passed."""
    for field in page.detail:
        if field.source in row:
            try:
                cell = _cell(page, field, row, {}, unit_of(row, {}))
                framing.join(page, (field,), (cell,))
            except DoesNotFit as error:
                return str(error)
    return None


def unit_of(row: Row, header: Row) -> str:
    """What a record's amounts are counted in; empty where no record says."""
    return str(row.get("unit") or header.get("unit") or "")


def _record(
    page: Page, fields: Sequence[Field], row: Row, totals: Mapping[Sum, int], unit: str
) -> str:
    cells = [
        _cell(page, field, row, totals, unit) if field.constant is None else field.constant
        for field in fields
    ]
    return framing.join(page, fields, cells)


def _cell(page: Page, field: Field, row: Row, totals: Mapping[Sum, int], unit: str) -> str:
    value = row.get(field.source)
    if field.total is not None:
        value = shortened(field, totals[field.total])
    return encode(field, value, allowed=page.allowed, unit=unit)


def _demand_same(
    page: Page, header: Row, details: Sequence[Row], content: bytes, file: str
) -> Checked:
    reading, checked = read(page, content, file)
    checked.demand_sound(file)
    wanted = [
        *([_plain(page.header, header)] if page.header else []),
        *(_plain(page.detail, row) for row in details),
        *([_plain(page.trailer, header)] if page.trailer else []),
    ]
    if reading is None or wanted != [*reading.heads, *reading.rows, *reading.tails]:
        raise InvariantViolated(f"{file} does not read back as written")
    return checked


def _plain(fields: Sequence[Field], row: Row) -> dict[str, Value]:
    """The values of a record as reading gives them."""
    return {field.source: _value(field, row.get(field.source)) for field in fields if field.source}


def _value(field: Field, value: Value) -> Value:
    if value is None or value == "":
        return None
    if field.kind in (Kind.TEXT, Kind.CODE):
        return str(value)
    return value if isinstance(value, date) else int(value)
