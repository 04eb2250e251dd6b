"""statement-credit: cashback that the issuer puts on its cardholders' statements.

Amounts have no sign: `direction` says CR (the member receives) or DR (is charged back).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date

from services.kernel.units import major
from services.settlement.batches.due import Sum
from services.settlement.batches.line import Line
from services.settlement.files import sheet
from services.settlement.files.fields import COUNT, DATE, LINE, MAJOR, TEXT, shown
from services.settlement.files.file import Checked, Findings
from services.settlement.files.sheet import Column

CREDIT, DEBIT = "CR", "DR"
LAYOUT = sheet.Layout(
    "statement-credit",
    header=sheet.HEADER,
    detail=(
        Column("line", LINE, "line number of the batch"),
        Column("account_id", TEXT, "the issuer's account"),
        Column("currency", "[A-Z]{3}", "ISO 4217 code"),
        Column("direction", f"{CREDIT}|{DEBIT}", "CR, the member receives, or DR, is charged"),
        Column("amount", MAJOR, "an amount in major units, without a sign"),
        Column("activity_date", DATE, "day of the purchase"),
        Column("purchase", TEXT, "the issuer's event id of the purchase"),
        Column("original_batch", TEXT, "batch of the line that this one changes", optional=True),
        Column("original_line", LINE, "number of the line that this one changes", optional=True),
    ),
    trailer=(
        Column("currency", "[A-Z]{3}", "ISO 4217 code"),
        Column("count", COUNT, "number of details in the currency"),
        Column("credits", MAJOR, "sum of the CR details"),
        Column("debits", MAJOR, "sum of the DR details"),
    ),
)
_TEXT = re.compile(TEXT, re.ASCII)
Totals = dict[str, Counter[str]]
"""Currency → count, and sums by direction in minor units."""


def refusal(found: Sum) -> str | None:
    """Why a line cannot be written in this layout; None if it can."""
    for name, text in (("account id", found.key.account_id), ("purchase id", found.purchase)):
        if not _TEXT.fullmatch(text):
            return f"{name} {shown(text)!r} has characters that the file does not allow"
    return None


def write(
    lines: Sequence[Line], *, partner: str, batch: str, sequence: int, through: date
) -> bytes:
    """The file's bytes. DoesNotFit if a cell may not stand where it should."""
    totals: Totals = {}
    for line in lines:
        _count(totals, line.unit, _direction(line), abs(line.amount))
    return sheet.write(
        LAYOUT,
        header=(partner, batch, str(sequence), through.isoformat()),
        details=(_cells(line) for line in lines),
        trailers=[_trailer(currency, sums) for currency, sums in sorted(totals.items())],
    )


def _direction(line: Line) -> str:
    return CREDIT if line.amount > 0 else DEBIT


def _count(totals: Totals, currency: str, direction: str, amount: int) -> None:
    sums = totals.setdefault(currency, Counter())
    sums["count"] += 1
    sums[direction] += amount


def _trailer(currency: str, sums: Counter[str]) -> tuple[str, ...]:
    credits, debits = major(sums[CREDIT], currency), major(sums[DEBIT], currency)
    return (currency, str(sums["count"]), credits, debits)


def _cells(line: Line) -> tuple[str, ...]:
    return (
        str(line.line),
        line.account_id,
        line.unit,
        _direction(line),
        major(abs(line.amount), line.unit),
        line.activity_on.isoformat(),
        line.purchase,
        line.original_batch or "",
        str(line.original_line or ""),
    )


def read(content: bytes, file: str) -> Checked:
    """Everything that is wrong with a file, and its totals by currency: CR less DR."""
    found = Findings(file)
    records = sheet.read(LAYOUT, content, found)
    sheet.check_header(LAYOUT, records, found)
    sheet.check_order(records, found)
    totals: Totals = {}
    for line, cells in records.details:
        currency, direction = cells[2], cells[3]
        amount = sheet.minor_units(cells[4], currency, name="amount", line=line, found=found)
        if not amount:
            found.add("is zero: such a line stands in no file", line=line, field="amount")
        if bool(cells[7]) != bool(cells[8]):
            found.add("original_batch and original_line stand together or not at all", line=line)
        if direction == DEBIT and not cells[8]:
            found.add("a line that takes back must name its original", line=line,
                      field="original_line")  # fmt: skip
        _count(totals, currency, direction, amount)
    _check_trailers(records, totals, found)
    header = records.header
    net = {currency: sums[CREDIT] - sums[DEBIT] for currency, sums in sorted(totals.items())}
    return Checked(
        LAYOUT.name, len(records.details), net, found.all(),
        sequence=int(header[4]) if header else None, batch=header[3] if header else None,
    )  # fmt: skip


def _check_trailers(records: sheet.Records, totals: Totals, found: Findings) -> None:
    sheet.check_trailer_units(records, sorted(totals), found)
    for line, cells in records.trailers:
        if cells[0] in totals and not records.unreadable:
            counted = _trailer(cells[0], totals[cells[0]])
            sheet.compare_trailer(LAYOUT, cells, counted, line=line, found=found)
