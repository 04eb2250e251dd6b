"""A batch's file as somebody reads it who knows nothing of the batch: its lines from its bytes.

A file that was changed is read as far as it can be: the comparison names what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.settlement.batches.batch import Written
from services.settlement.files import air_miles_sheet, gl_journal, payout, sheet, statement_credit
from services.settlement.files.file import Findings
from services.settlement.files.layout import reader
from services.settlement.files.layout.codec import Value
from services.settlement.files.layout.page import Page
from services.settlement.files.layout.pages import outgoing


class FileLine(NamedTuple):
    """One record: `member` is what the layout names a member by, without zeros in front;
    `unit` is empty where the layout does not name it. Minor units, signed.
    """

    line: int
    member: str
    unit: str
    amount: int


@dataclass(frozen=True, slots=True)
class ReadBack:
    """The lines of one file, and the partner that its header names (empty if it names none)."""

    lines: tuple[FileLine, ...]
    partner: str = ""
    provider: str = ""


Reader = Callable[[bytes, str], ReadBack]


def carrier(written: Written) -> str:
    """Files of a batch with the same carrier hold its lines of one layout between them."""
    return f"{written.layout}.{written.name.rpartition('.')[2]}"


def reader_of(written: Written) -> Reader | None:
    """How the lines of a file are read back; None for journals and for payouts, which pay several
    lines at once.
    """
    if written.layout == gl_journal.LAYOUT.name or written.layout in payout.ENDINGS:
        return None
    page = outgoing().get(written.layout)
    if page is not None and written.name.endswith("." + page.ending):
        return lambda content, name: _page(page, content, name)
    return _SHEETS.get(written.layout)


def plain(member: str) -> str:
    """A member's number without zeros in front, which layouts add; other names as they are."""
    return member.lstrip("0") if member.isascii() and member.isdecimal() else member


def _page(page: Page, content: bytes, name: str) -> ReadBack:
    found, _ = reader.survey(page, content, name)
    head = found.header
    unit = _text(head.get("unit"))
    named = "membership_number" if page.by_number else "account_id"
    lines = tuple(
        FileLine(
            _int(row.get("line")),
            plain(_text(row.get(named))),
            _text(row.get("unit")) or unit,
            _amount(row),
        )
        for row in found.rows
    )
    return ReadBack(lines, _text(head.get("partner")), _text(head.get("provider_code")))


def _amount(row: Mapping[str, Value]) -> int:
    names = ("amount",) if "amount" in row else ("base", "bonus")
    return sum(_int(row.get(name)) for name in names)


def _int(value: Value) -> int:
    return value if isinstance(value, int) else 0


def _text(value: Value) -> str:
    return "" if value is None else str(value)


def _twin(content: bytes, name: str) -> ReadBack:
    records = sheet.read(air_miles_sheet.LAYOUT, content, Findings(name))
    head = records.header
    unit = head[7] if head else ""
    lines = tuple(
        FileLine(int(cells[0]), plain(cells[1]), unit, int(cells[4]) + int(cells[5]))
        for _, cells in records.details
    )
    return ReadBack(lines, head[2] if head else "", head[6] if head else "")


def _credits(content: bytes, name: str) -> ReadBack:
    found = Findings(name)
    records = sheet.read(statement_credit.LAYOUT, content, found)
    lines = tuple(_credit(cells, line, found) for line, cells in records.details)
    return ReadBack(lines, records.header[2] if records.header else "")


def _credit(cells: tuple[str, ...], line: int, found: Findings) -> FileLine:
    amount = sheet.minor_units(cells[4], cells[2], name="amount", line=line, found=found)
    sign = 1 if cells[3] == statement_credit.CREDIT else -1
    return FileLine(int(cells[0]), plain(cells[1]), cells[2], sign * amount)


_SHEETS: Mapping[str, Reader] = {
    air_miles_sheet.LAYOUT.name: _twin,
    statement_credit.LAYOUT.name: _credits,
}
