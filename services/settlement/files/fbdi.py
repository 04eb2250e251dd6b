"""gl-fbdi: a batch's journal for Oracle's general ledger, `GlInterface.csv` of the file-based data
import. No header: a line is 149 cells, told by their positions.

Programme units are booked in Oracle's statistical currency STAT.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date

from services.kernel.errors import InvalidInput, Problem
from services.kernel.units import is_currency, major
from services.settlement.billing.chart import Chart
from services.settlement.billing.journal import JournalEntry
from services.settlement.files.fbdi_columns import BY_PLACE, COLUMNS, STATISTICAL
from services.settlement.files.fields import DoesNotFit, shown

LAYOUT = "gl-fbdi"
MEMBER = "GlInterface.csv"
"""What the file must be called inside the archive."""


def write(
    entries: Sequence[JournalEntry], *, chart: Chart, batch: str, sequence: int, through: date
) -> bytes:
    """The file's bytes. InvalidInput names the accounts that the chart does not have.

    DoesNotFit, naming line and column, if a value may not stand where it should.
    """
    unknown = sorted({entry.account for entry in entries if chart.of(entry.account) is None})
    if unknown:
        why = "has no segments in the chart"
        raise InvalidInput([Problem(why, field=account, file="the chart") for account in unknown])
    lines = []
    for nth, entry in enumerate(entries, 1):
        cells = dict(_cells(entry, nth, chart, batch, sequence, through))
        lines.append(_line(cells, nth))
    return "".join(line + "\n" for line in lines).encode("ascii")


def _cells(
    entry: JournalEntry, nth: int, chart: Chart, batch: str, sequence: int, through: date
) -> Iterator[tuple[str, str]]:
    day = f"{through:%Y/%m/%d}"
    money = is_currency(entry.unit)
    yield from (("status", "NEW"), ("ledger id", chart.ledger), ("accounting date", day))
    yield from (("source", chart.source), ("category", chart.category))
    yield "currency", entry.unit if money else STATISTICAL
    yield from (("date created", day), ("actual flag", "A"))
    for number, segment in enumerate(chart.of(entry.account) or (), 1):
        yield f"segment {number}", segment
    side = "entered debit" if entry.debit else "entered credit"
    yield side, major(entry.debit or entry.credit, entry.unit)
    yield from (("batch name", batch), ("batch description", f"through {through.isoformat()}"))
    yield from (("journal name", f"{batch} {entry.unit}"), ("journal reference", batch))
    yield from (("line description", entry.text), ("reference 1", entry.contract))
    yield from (("reference 2", entry.funder), ("reference 3", entry.account))
    yield "reference 4", entry.unit
    if money and entry.unit != chart.currency:
        yield from (("conversion type", chart.conversion), ("conversion date", day))
    yield "group id", f"{chart.group}{sequence:06d}"
    yield from (("ledger name", chart.ledger_name), ("reconciliation reference", f"{batch}-{nth}"))


def _line(cells: dict[str, str], nth: int) -> str:
    row = [""] * COLUMNS
    for place, column in BY_PLACE.items():
        text = cells.get(column.name, "")
        if not column.matches.fullmatch(text):
            raise DoesNotFit(f"line {nth}: {column.name}: {shown(text)!r} is not {column.meaning}")
        row[place - 1] = text
    return ",".join(row)


def zipped(content: bytes) -> bytes:
    """The archive that is uploaded; the same bytes for the same content."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        named = zipfile.ZipInfo(MEMBER, date_time=(1980, 1, 1, 0, 0, 0))
        named.compress_type = zipfile.ZIP_STORED
        file.writestr(named, content)
    return archive.getvalue()
