"""The CSV twin of air-miles-rewards: the same lines and totals, with what the 250 bytes have no
room for – the day of the purchase, base and bonus apart, and the line that an adjustment changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from services.settlement.batches.line import Line
from services.settlement.files import sheet
from services.settlement.files.fields import COUNT, DATE, LINE, TEXT, UNIT, WHOLE
from services.settlement.files.file import Checked, Findings
from services.settlement.files.sheet import Column

LAYOUT = sheet.Layout(
    "air-miles-rewards",
    header=(
        *sheet.HEADER,
        Column("provider", "[A-Za-z0-9]{4}", "provider code of the contract"),
        Column("unit", UNIT, "unit that is counted"),
    ),
    detail=(
        Column("line", LINE, "line number of the batch, the sponsor reference of its twin"),
        Column("membership_number", "[0-9]{1,11}", "membership number"),
        Column("activity_date", DATE, "day of the purchase"),
        Column("offer_code", "[A-Za-z0-9]{1,8}", "offer code of the rule", optional=True),
        Column("base", WHOLE, "base miles, a whole number"),
        Column("bonus", WHOLE, "bonus miles, a whole number"),
        Column("original_batch", TEXT, "batch of the line that this one changes", optional=True),
        Column("original_line", LINE, "number of the line that this one changes", optional=True),
    ),
    trailer=(
        Column("count", COUNT, "number of details"),
        Column("base", WHOLE, "sum of the base miles"),
        Column("bonus", WHOLE, "sum of the bonus miles"),
    ),
)


class Row(NamedTuple):
    """One line with its offer code."""

    line: Line
    offer_code: str


def write(
    rows: Sequence[Row],
    *,
    partner: str,
    batch: str,
    sequence: int,
    through: date,
    provider: str,
    unit: str,
) -> bytes:
    """The file's bytes. DoesNotFit if a cell may not stand where it should."""
    base = sum(row.line.amount for row in rows if row.line.award == "base")
    bonus = sum(row.line.amount for row in rows) - base
    return sheet.write(
        LAYOUT,
        header=(partner, batch, str(sequence), through.isoformat(), provider, unit),
        details=(_cells(row) for row in rows),
        trailers=[(str(len(rows)), str(base), str(bonus))],
    )


def _cells(row: Row) -> tuple[str, ...]:
    line = row.line
    base = line.amount if line.award == "base" else 0
    return (
        str(line.line),
        line.membership_number,
        line.activity_on.isoformat(),
        row.offer_code,
        str(base),
        str(line.amount - base),
        line.original_batch or "",
        str(line.original_line or ""),
    )


def read(content: bytes, file: str) -> Checked:
    """Everything that is wrong with a file, and its totals by unit."""
    found = Findings(file)
    records = sheet.read(LAYOUT, content, found)
    sheet.check_header(LAYOUT, records, found)
    sheet.check_order(records, found)
    base = bonus = 0
    for line, cells in records.details:
        base += int(cells[4])
        bonus += int(cells[5])
        _check_detail(cells, line, found)
    counted = (str(len(records.details)), str(base), str(bonus))
    for nth, (line, cells) in enumerate(records.trailers):
        if nth:
            found.add("a second trailer", line=line)
        if not records.unreadable:
            sheet.compare_trailer(LAYOUT, cells, counted, line=line, found=found)
    header = records.header
    return Checked(
        LAYOUT.name, len(records.details), {header[7]: base + bonus} if header else {}, found.all(),
        sequence=int(header[4]) if header else None, batch=header[3] if header else None,
    )  # fmt: skip


def _check_detail(cells: tuple[str, ...], line: int, found: Findings) -> None:
    if cells[4] == cells[5] == "0":
        found.add("base and bonus are both zero: such a line stands in no file", line=line)
    if bool(cells[6]) != bool(cells[7]):
        found.add("original_batch and original_line stand together or not at all", line=line)
    if "-" in (cells[4][0], cells[5][0]) and not cells[7]:
        found.add("a line that takes back must name its original", line=line,
                  field="original_line")  # fmt: skip
