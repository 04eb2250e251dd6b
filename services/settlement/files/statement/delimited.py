"""statement: a statement as CSV, and its reader.

    H,statement,1,sky-air-000011,2026-03-01,2026-03-31
    record,unit,line,…,credit,debit
    D,SKY-MILE,1,…,125,
    T,SKY-MILE,4,1000000155,10

UTF-8, one LF after each record. Text that a spreadsheet would take for a formula has an apostrophe
in front. No amount has a sign: credits and debits have a column each.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date

from services.kernel.units import major
from services.settlement.files.fields import read_date, shown
from services.settlement.files.file import Checked, Findings
from services.settlement.files.layout.codec import FORMULA
from services.settlement.files.sheet import minor_units
from services.settlement.files.statement.document import Cell, Section, Statement

LAYOUT = "statement"
VERSION = "1"
CARRIED = {"O": "opening", "C": "closing"}
_SIDES = ("credit", "debit")
_TRAILER, _HEADER = 5, 6
"""How many cells those records have."""


def write(statement: Statement) -> bytes:
    """The file's bytes."""
    statement.demand_ties()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(_records(statement))
    return text.getvalue().encode()


def _records(statement: Statement) -> Iterator[Sequence[str]]:
    first, last = statement.first.isoformat(), statement.last.isoformat()
    yield ("H", LAYOUT, VERSION, safe(statement.name), first, last)
    yield ("record", "unit", *(column.name for column in statement.columns), *_SIDES)
    blank = [""] * len(statement.columns)
    for section in statement.sections:
        if section.opening is not None:
            yield ("O", section.unit, *blank, *_sides(section.opening, section))
        for row in section.rows:
            yield ("D", section.unit, *map(_cell, row.cells), *_sides(row.amount, section))
        if section.closing is not None:
            yield ("C", section.unit, *blank, *_sides(section.closing, section))
        sums = (major(section.credits, section.unit), major(section.debits, section.unit))
        yield ("T", section.unit, str(len(section.rows)), *sums)


def _sides(amount: int, section: Section) -> tuple[str, str]:
    text = major(abs(amount), section.unit)
    return ("", text) if amount < 0 else (text, "")


def _cell(value: Cell) -> str:
    if isinstance(value, str):
        return safe(value)
    return value.isoformat() if isinstance(value, date) else str(value or "")


def safe(text: str) -> str:
    """A text that no spreadsheet computes, on one line."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return f"'{plain}" if FORMULA.match(plain) else plain


class _Sums:
    """What was read of one unit."""

    def __init__(self) -> None:
        self.count = 0
        self.credits = 0
        self.debits = 0
        self.carried: dict[str, int] = {}
        self.trailed = False


def read(content: bytes, file: str) -> Checked:
    """Everything that is wrong with a file, and the signed sum of its rows by unit."""
    found = Findings(file)
    if content and not content.endswith(b"\n"):
        found.add("the file ends inside a record: it was cut off", line=content.count(b"\n") + 1)
    try:
        text = content.decode()
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        found.add(f"is no CSV in UTF-8: {error}", line=1)
        return Checked(LAYOUT, problems=found.all())
    columns = _head(rows, found)
    sums: dict[str, _Sums] = {}
    for line, cells in enumerate(rows[2:], 3):
        _take(cells, columns, sums, line, found)
    for unit, of in sums.items():
        if not of.trailed:
            found.add(f"there is no trailer of {shown(unit)}: the file was cut off", line=len(rows))
    if not rows[2:]:
        found.add("there is no record of a unit: the file was cut off", line=len(rows) or 1)
    net = {unit: of.credits - of.debits for unit, of in sorted(sums.items())}
    return Checked(LAYOUT, sum(of.count for of in sums.values()), net, found.all())


def _head(rows: list[list[str]], found: Findings) -> list[str]:
    """The columns, from the first two records."""
    header = rows[0] if rows else []
    if len(header) != _HEADER or header[:3] != ["H", LAYOUT, VERSION]:
        found.add(f"must be H, {LAYOUT}, {VERSION}, name, first and last day", line=1)
    for day in header[4:_HEADER]:
        _check_day(day, "first or last day", 1, found)
    columns = rows[1] if len(rows) > 1 else []
    if columns[:2] != ["record", "unit"] or tuple(columns[-2:]) != _SIDES:
        found.add("must be the column names: record, unit, …, credit, debit", line=2)
    return columns


def _take(
    cells: list[str], columns: list[str], sums: dict[str, _Sums], line: int, found: Findings
) -> None:
    kind, unit = cells[0] if cells else "", cells[1] if len(cells) > 1 else ""
    width = _TRAILER if kind == "T" else len(columns)
    if kind not in ("O", "D", "C", "T") or len(cells) != width:
        found.add("is no record of a statement, or has too few or too many cells", line=line,
                  field="record", value=shown(kind))  # fmt: skip
        return
    own = sums.setdefault(unit, _Sums())
    if own.trailed:
        found.add("stands behind the trailer of its unit: records are doubled or out of order",
                  line=line, field="unit", value=shown(unit))  # fmt: skip
        return
    credit, debit = (_amount(text, unit, line, found) for text in cells[-2:])
    if kind == "T":
        _compare(own, cells, credit, debit, line, found)
        return
    if bool(cells[-2]) == bool(cells[-1]):
        found.add("must have a credit or a debit, not both", line=line, field="credit")
    if kind in CARRIED:
        if kind in own.carried or (kind == "O" and own.count):
            found.add(f"the {CARRIED[kind]} balance is doubled or out of order", line=line)
        own.carried[kind] = credit - debit
        return
    if "C" in own.carried:
        found.add("a row behind the closing balance: records are out of order", line=line)
    for name, cell in zip(columns, cells, strict=True):
        if name == "date":
            _check_day(cell, name, line, found)
        elif FORMULA.match(cell):
            found.add("begins like a formula", line=line, field=name, value=shown(cell))
    own.count += 1
    own.credits += credit
    own.debits += debit


def _compare(
    own: _Sums, cells: list[str], credit: int, debit: int, line: int, found: Findings
) -> None:
    own.trailed = True
    if (cells[2], credit, debit) != (str(own.count), own.credits, own.debits):
        found.add("the trailer says otherwise than the rows come to", line=line, field="count",
                  value=shown(",".join(cells[2:])))  # fmt: skip
    if set(own.carried) not in (set(), {"O", "C"}):
        found.add("opening and closing balance stand together or not at all", line=line)
    elif own.carried and own.carried["O"] + credit - debit != own.carried["C"]:
        found.add("opening and rows are not the closing balance", line=line)


def _amount(text: str, unit: str, line: int, found: Findings) -> int:
    return minor_units(text, unit, name="amount", line=line, found=found) if text else 0


def _check_day(text: str, name: str, line: int, found: Findings) -> None:
    try:
        read_date(text)
    except ValueError as error:
        found.add(str(error), line=line, field=name, value=shown(text))
