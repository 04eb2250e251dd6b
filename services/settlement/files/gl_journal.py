"""gl-journal: the journal of a batch, dated by the day sealed through, with control totals.

Debits and credits have a column each, so no amount needs a sign.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from services.kernel.units import major
from services.settlement.billing.journal import JournalEntry
from services.settlement.files import sheet
from services.settlement.files.fields import COUNT, DATE, LINE, MAJOR, TEXT, UNIT
from services.settlement.files.file import Checked, Findings
from services.settlement.files.sheet import Column

LAYOUT = sheet.Layout(
    "gl-journal",
    header=sheet.HEADER,
    detail=(
        Column("line", LINE, "number of the journal line"),
        Column("accounting_date", DATE, "the day sealed through"),
        Column("account", TEXT, "account of the chart; `member` stands for all members"),
        Column("unit", UNIT, "ISO 4217 code or unit"),
        Column("debit", MAJOR, "an amount in major units", optional=True),
        Column("credit", MAJOR, "an amount in major units", optional=True),
        Column("contract", TEXT, "contract that the rewards come from"),
        Column("funder", TEXT, "who pays for them"),
        Column("text", TEXT, "what is posted"),
    ),
    trailer=(
        Column("unit", UNIT, "ISO 4217 code or unit"),
        Column("count", COUNT, "number of details in the unit"),
        Column("debits", MAJOR, "sum of the debits"),
        Column("credits", MAJOR, "sum of the credits, equal to the debits"),
    ),
)
Totals = dict[str, Counter[str]]
"""Unit → count, debits and credits in minor units."""


def write(
    entries: Sequence[JournalEntry], *, partner: str, batch: str, sequence: int, through: date
) -> bytes:
    """The file's bytes. DoesNotFit if a cell may not stand where it should."""
    totals: Totals = {}
    for entry in entries:
        _count(totals, entry.unit, entry.debit, entry.credit)
    return sheet.write(
        LAYOUT,
        header=(partner, batch, str(sequence), through.isoformat()),
        details=(_cells(entry, nth, through) for nth, entry in enumerate(entries, 1)),
        trailers=[_trailer(unit, sums) for unit, sums in sorted(totals.items())],
    )


def _count(totals: Totals, unit: str, debit: int, credit: int) -> None:
    sums = totals.setdefault(unit, Counter())
    sums["count"] += 1
    sums["debits"] += debit
    sums["credits"] += credit


def _trailer(unit: str, sums: Counter[str]) -> tuple[str, ...]:
    return (unit, str(sums["count"]), major(sums["debits"], unit), major(sums["credits"], unit))


def _cells(entry: JournalEntry, line: int, through: date) -> tuple[str, ...]:
    return (
        str(line),
        through.isoformat(),
        entry.account,
        entry.unit,
        major(entry.debit, entry.unit) if entry.debit else "",
        major(entry.credit, entry.unit) if entry.credit else "",
        entry.contract,
        entry.funder,
        entry.text,
    )


def read(content: bytes, file: str) -> Checked:
    """Everything that is wrong with a file, and the sum of its debits by unit."""
    found = Findings(file)
    records = sheet.read(LAYOUT, content, found)
    sheet.check_header(LAYOUT, records, found)
    sheet.check_order(records, found)
    header = records.header
    totals: Totals = {}
    for line, cells in records.details:
        unit, debit, credit = cells[3], cells[4], cells[5]
        if bool(debit) == bool(credit):
            found.add("must have a debit or a credit, not both", line=line, field="debit")
        if header and cells[1] != header[5]:
            found.add(f"must be {header[5]}, the day sealed through", line=line,
                      field="accounting_date", value=cells[1])  # fmt: skip
        amounts = [
            sheet.minor_units(text, unit, name=name, line=line, found=found) if text else 0
            for name, text in (("debit", debit), ("credit", credit))
        ]
        _count(totals, unit, *amounts)
    _check_trailers(records, totals, found)
    return Checked(
        LAYOUT.name, len(records.details),
        {unit: sums["debits"] for unit, sums in sorted(totals.items())}, found.all(),
        sequence=int(header[4]) if header else None, batch=header[3] if header else None,
    )  # fmt: skip


def _check_trailers(records: sheet.Records, totals: Totals, found: Findings) -> None:
    sheet.check_trailer_units(records, sorted(totals), found)
    for line, cells in records.trailers:
        if cells[0] not in totals or records.unreadable:
            continue
        sums = totals[cells[0]]
        sheet.compare_trailer(LAYOUT, cells, _trailer(cells[0], sums), line=line, found=found)
        if sums["debits"] != sums["credits"]:
            found.add(f"debits and credits of {cells[0]} differ", line=line, field="debits",
                      value=cells[2])  # fmt: skip
