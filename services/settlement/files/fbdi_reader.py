"""Reads a GlInterface.csv of ours: cells in their places, debits equal to credits."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import Counter

from services.kernel.errors import Problem
from services.settlement.files import sheet
from services.settlement.files.fbdi import LAYOUT, MEMBER
from services.settlement.files.fbdi_columns import BY_PLACE, COLUMNS, STATISTICAL
from services.settlement.files.fields import read_date, shown
from services.settlement.files.file import Checked, Findings

JOURNAL_BYTES_MAX = 256 << 20
"""Larger than the journal of any batch: a line is of a contract and a funder, not of a member."""
_REFERENCE = re.compile(r"(.+-[0-9]{6})-([1-9][0-9]{0,8})", re.ASCII)


def read(content: bytes, file: str) -> Checked:
    """Everything that is wrong with a file, and the sum of its debits by unit."""
    found = Findings(file)
    *lines, rest = content.decode("latin-1").split("\n")
    if rest:
        found.add("the file ends inside a record: it was cut off", line=len(lines) + 1)
    if not lines:
        found.add("there is no record", line=1)
    debits: Counter[str] = Counter()
    credits: Counter[str] = Counter()
    batches: set[str] = set()
    for nth, line in enumerate(lines, 1):
        cells = _cells(line, nth, found)
        if cells is None:
            continue
        unit = _unit(cells, nth, found)
        for name, side in (("entered debit", debits), ("entered credit", credits)):
            if cells[name]:
                side[unit] += sheet.minor_units(cells[name], unit, name=name, line=nth, found=found)
        if bool(cells["entered debit"]) == bool(cells["entered credit"]):
            found.add("must have a debit or a credit, not both", line=nth, field="entered debit")
        batches.add(_batch(cells, nth, found))
    for unit in sorted({*debits, *credits}):
        if debits[unit] != credits[unit]:
            found.add(f"debits and credits of {unit} differ: lines are missing or doubled",
                      line=len(lines), field="entered debit")  # fmt: skip
    if len(batches) > 1:
        found.add("holds lines of several batches", line=1, field="batch name")
    batch = min(batches, default="")
    return Checked(
        LAYOUT, len(lines), dict(sorted(debits.items())), found.all(),
        sequence=int(batch[-6:]) if batch else None, batch=batch or None,
    )  # fmt: skip


def unzipped(archive: bytes, file: str) -> tuple[bytes | None, tuple[Problem, ...]]:
    """The journal in an archive, or why there is none to be read.

    Nothing is written anywhere, and no more is unpacked than a journal may hold.
    """
    found = Findings(file)
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as packed:
            members = packed.infolist()
            if [member.filename for member in members] != [MEMBER]:
                names = ", ".join(member.filename for member in members)
                found.add(f"must hold {MEMBER} and nothing else", line=1, value=shown(names))
                return None, found.all()
            with packed.open(MEMBER) as journal:
                content = journal.read(JOURNAL_BYTES_MAX + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        # RuntimeError: it is encrypted, or compressed in a way that zipfile does not know.
        found.add(f"is no whole archive: {error}", line=1)
        return None, found.all()
    if len(content) > JOURNAL_BYTES_MAX:
        found.add(f"unpacks to more than {JOURNAL_BYTES_MAX >> 20} MiB", line=1, field=MEMBER)
        return None, found.all()
    return content, ()


def _cells(line: str, nth: int, found: Findings) -> dict[str, str] | None:
    """The cells by column; None when one cannot be read."""
    row = line.split(",")
    if len(row) != COLUMNS:
        found.add(f"has {len(row)} cells, a record has {COLUMNS}", line=nth)
        return None
    sound = True
    for place, cell in enumerate(row, 1):
        column = BY_PLACE.get(place)
        if column is None and cell:
            found.add("must be empty", line=nth, field=f"cell {place}", value=shown(cell))
            sound = False
        elif column is not None and not column.matches.fullmatch(cell):
            found.add(f"must be {column.meaning}", line=nth, field=column.name, value=shown(cell))
            sound = False
    return {column.name: row[place - 1] for place, column in BY_PLACE.items()} if sound else None


def _unit(cells: dict[str, str], nth: int, found: Findings) -> str:
    """What the line is counted in: statistical amounts name it in a reference."""
    try:
        read_date(cells["accounting date"].replace("/", "-"))
    except ValueError as error:
        found.add(str(error), line=nth, field="accounting date", value=cells["accounting date"])
    unit = cells["reference 4"]
    if cells["currency"] not in (unit, STATISTICAL):
        found.add("is not the unit of the line", line=nth, field="currency",
                  value=cells["currency"])  # fmt: skip
    return unit


def _batch(cells: dict[str, str], nth: int, found: Findings) -> str:
    """The batch; lines are numbered, so that a doubled or displaced one is noticed."""
    named = _REFERENCE.fullmatch(cells["reconciliation reference"])
    if named is None or named[1] != cells["batch name"] or int(named[2]) != nth:
        found.add(f"must be {cells['batch name']}-{nth}: records are doubled or out of order",
                  line=nth, field="reconciliation reference",
                  value=shown(cells["reconciliation reference"]))  # fmt: skip
    return cells["batch name"]
