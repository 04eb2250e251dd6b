"""The frame of milepost's CSV files: header, column names, details, trailers.

    H,statement-credit,1,first-bank,first-bank-000001,1,2026-03-31
    record,line,account_id,currency,…
    D,1,acc-1,NOK,…
    T,NOK,…

ASCII, one LF after each record, commas between cells, no quotes: no cell can hold a comma.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from services.kernel.rates import parse_minor
from services.kernel.units import exponent_of, major
from services.settlement.batches.line import batch_id
from services.settlement.files.fields import DATE, LINE, TEXT, DoesNotFit, read_date, shown
from services.settlement.files.file import Findings


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what may stand in it, as a pattern and in words. An optional one may be empty."""

    name: str
    pattern: str
    meaning: str
    optional: bool = False
    matches: re.Pattern[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        pattern = f"(?:{self.pattern})" + ("?" if self.optional else "")
        object.__setattr__(self, "matches", re.compile(pattern, re.ASCII))


@dataclass(frozen=True, slots=True)
class Layout:
    """A published CSV layout. Every record starts with its type, which is not listed here."""

    name: str
    header: tuple[Column, ...]
    detail: tuple[Column, ...]
    trailer: tuple[Column, ...]
    version: str = "1"


@dataclass(slots=True)
class Records:
    """The cells of a file that could be read, each record with its line number."""

    header: tuple[str, ...] | None = None
    details: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    trailers: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    unreadable: bool = False
    """Whether a detail could not be read, so that sums would mislead."""


HEADER: tuple[Column, ...] = (
    Column("layout", TEXT, "name of the layout"),
    Column("layout_version", "[1-9][0-9]*", "version of the layout"),
    Column("partner", TEXT, "whom the batch is settled with"),
    Column("batch", TEXT, "the batch's id"),
    Column("sequence", LINE, "the batch's sequence, from 1 without gaps"),
    Column("through", DATE, "the day sealed through"),
)
"""What every header starts with."""


def write(
    layout: Layout,
    *,
    header: Sequence[str],
    details: Iterable[Sequence[str]],
    trailers: Iterable[Sequence[str]],
) -> bytes:
    """The file's bytes. `header` starts with the partner.

    DoesNotFit, naming line and column, if a cell may not stand where it should; nothing is
    written then.
    """
    records = [_cells("H", layout.header, (layout.name, layout.version, *header), 1)]
    records.append(",".join(("record", *(column.name for column in layout.detail))))
    records += [_cells("D", layout.detail, cells, nth) for nth, cells in enumerate(details, 3)]
    last = len(records)
    records += [
        _cells("T", layout.trailer, cells, nth) for nth, cells in enumerate(trailers, last + 1)
    ]
    return "".join(record + "\n" for record in records).encode("ascii")


def _cells(kind: str, columns: Sequence[Column], cells: Sequence[str], line: int) -> str:
    for column, cell in zip(columns, cells, strict=True):
        if not column.matches.fullmatch(cell):
            raise DoesNotFit(f"line {line}: {column.name}: {shown(cell)!r} is not {column.meaning}")
    return ",".join((kind, *cells))


def read(layout: Layout, content: bytes, found: Findings) -> Records:
    """The records of a file, with what is wrong with its frame and cells noted in `found`."""
    *lines, rest = content.decode("latin-1").split("\n")
    if rest:
        found.add("the file ends inside a record: it was cut off, or the last LF is missing",
                  line=len(lines) + 1)  # fmt: skip
    records = Records()
    names = ",".join(("record", *(column.name for column in layout.detail)))
    for line, text in enumerate(lines, 1):
        kind, *cells = text.split(",")
        if line == 1:
            records.header = _record("H", kind, cells, layout.header, line, found)
        elif line == 2:
            if text != names:
                found.add(f"must be the column names {names}", line=2, value=shown(text))
        elif kind == "T":
            trailer = _record("T", kind, cells, layout.trailer, line, found)
            if trailer is not None:
                records.trailers.append((line, trailer))
        else:
            if records.trailers:
                found.add("a detail after a trailer: records are out of order", line=line)
            detail = _record("D", kind, cells, layout.detail, line, found)
            if detail is None:
                records.unreadable = True
            else:
                records.details.append((line, detail))
    if not records.trailers:
        found.add("there is no trailer: the file was cut off", line=len(lines) + 1)
    return records


def _record(
    wanted: str, kind: str, cells: list[str], columns: Sequence[Column], line: int, found: Findings
) -> tuple[str, ...] | None:
    """The cells of one record; None when it cannot be read."""
    if kind != wanted:
        found.add(f"must be {wanted}", line=line, field="record", value=shown(kind))
        return None
    if len(cells) != len(columns):
        why = f"has {len(cells) + 1} cells, a record {wanted} has {len(columns) + 1}"
        found.add(why, line=line)
        return None
    sound = True
    for column, cell in zip(columns, cells, strict=True):
        if not column.matches.fullmatch(cell):
            found.add(f"must be {column.meaning}", line=line, field=column.name, value=shown(cell))
            sound = False
        elif column.pattern == DATE and cell:
            sound &= _is_date(column.name, cell, line, found)
    return tuple(cells) if sound else None


def _is_date(name: str, cell: str, line: int, found: Findings) -> bool:
    try:
        read_date(cell)
    except ValueError as error:
        found.add(str(error), line=line, field=name, value=cell)
        return False
    return True


def check_header(layout: Layout, records: Records, found: Findings) -> None:
    """The version is known, and the batch is named after partner and sequence."""
    if records.header is None:
        return
    _, version, partner, batch, sequence, *_ = records.header
    if version != layout.version:
        found.add(f"only version {layout.version} of {layout.name} is known", line=1,
                  field="layout_version", value=version)  # fmt: skip
    if batch != batch_id(partner, int(sequence)):
        found.add(f"must be {batch_id(partner, int(sequence))}, from partner and sequence", line=1,
                  field="batch", value=batch)  # fmt: skip


def minor_units(text: str, unit: str, *, name: str, line: int, found: Findings) -> int:
    """An amount in major units as minor units; it has exactly the decimals of its unit."""
    try:
        exponent = exponent_of(unit)
        minor = parse_minor(text, exponent=exponent)
    except ValueError as error:
        found.add(str(error), line=line, field=name, value=shown(text))
        return 0
    if major(minor, unit) != text:
        found.add(f"must have {exponent} decimals", line=line, field=name, value=shown(text))
    return minor


def check_order(records: Records, found: Findings) -> None:
    """Details are numbered upwards in their first cell; a repeat or a step back is noted."""
    before = 0
    for line, cells in records.details:
        number = int(cells[0])
        if number <= before:
            found.add(f"must be above {before}, that of the record before: records are doubled or "
                      "out of order", line=line, field="line", value=cells[0])  # fmt: skip
        before = number


def check_trailer_units(records: Records, units: Sequence[str], found: Findings) -> None:
    """There is one trailer for each unit of the details, in order."""
    said = [cells[0] for _, cells in records.trailers]
    if records.trailers and not records.unreadable and said != list(units):
        found.add(f"there must be one trailer for each of {', '.join(units) or 'nothing'}, in this "
                  "order", line=records.trailers[0][0], value=shown(", ".join(said)))  # fmt: skip


def compare_trailer(
    layout: Layout, said: Sequence[str], counted: Sequence[str], *, line: int, found: Findings
) -> None:
    """Note each cell of a trailer that is not what the details come to."""
    for column, one, other in zip(layout.trailer, said, counted, strict=True):
        if one != other:
            found.add(f"the trailer says {one}, the details come to {other}", line=line,
                      field=column.name, value=one)  # fmt: skip
