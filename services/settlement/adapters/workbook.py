"""The control sheet and the discrepancies as an XLSX workbook.

Cells are typed: text is text, also where it begins like a formula, and amounts are numbers with
the decimals of their unit. The bytes hang on what is in it and on nothing else.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from services.settlement.adapters.file_drop import store_whole, told
from services.settlement.discrepancies import Recorded
from services.settlement.reconcile.amount import decimals, number
from services.settlement.reconcile.code import MEANING, Code
from services.settlement.reconcile.control import Amounts, Sheet
from services.settlement.reconcile.judge import SIDES
from services.settlement.reconciliation import Reconciliation, Terms

EXACT_MAX = 10**15
"""A spreadsheet holds 15 digits: larger amounts stand as text, so that none is rounded."""


class _Money:
    """An amount of a unit, in minor units."""

    def __init__(self, amount: int, unit: str) -> None:
        self.amount = amount
        self.unit = unit


Cell = str | int | date | _Money


def write_workbook(path: Path, terms: Terms, seen: Reconciliation, recorded: Recorded) -> None:
    """Write the workbook; a file of that name is replaced, whole or not at all."""
    content = workbook(terms, seen, recorded)
    with told(path):
        path.unlink(missing_ok=True)
    store_whole(path, content)


def workbook(terms: Terms, seen: Reconciliation, recorded: Recorded) -> bytes:
    """The workbook's bytes."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
         "strings_to_numbers": False},
    )  # fmt: skip
    title = f"Reconciliation of {terms.partner}, {terms.month.name}"
    made = datetime.combine(terms.on, time(), UTC).replace(tzinfo=None)
    book.set_properties({"title": title, "author": terms.by, "created": made})
    formats = _Formats(book)
    _sheet(book, formats, "Control", ("unit", "row", "transfers", "place", "amount"),
           [row for sheet in seen.sheets for row in _control(sheet)])  # fmt: skip
    _sheet(
        book, formats, "Comparisons",
        ("comparison", "unit", "left", "rows", "amount", "right", "rows right", "amount right",
         "difference"),
        [
            (str(one.check), one.unit, SIDES[one.check][0], one.left_rows,
             _Money(one.left_amount, one.unit), SIDES[one.check][1], one.right_rows,
             _Money(one.right_amount, one.unit),
             _Money(one.left_amount - one.right_amount, one.unit))
            for one in seen.tallies
        ],
    )  # fmt: skip
    _sheet(
        book, formats, "Coverage",
        ("issuer", "what", "first", "last", "days", "of days", "events", "amount", "unit"),
        [
            (one.issuer, "covered by the compare feed", one.first, one.last, one.days, one.of_days,
             "", "", "")
            for one in seen.coverage
        ] + [
            (one.issuer, one.why, one.since, "", "", "", one.events,
             _Money(one.amount, one.unit), one.unit)
            for one in seen.outside
        ],
    )  # fmt: skip
    _sheet(
        book, formats, "Discrepancies",
        ("id", "comparison", "code", "meaning", "subject", "amount", "unit", "owner", "first seen",
         "days", "state", "resolved by", "reason", "approved by", "detail"),
        [
            (one.id, one.check, one.code, MEANING[Code(one.code)].words, one.subject,
             _Money(one.amount, one.unit), one.unit, one.owner, one.first_seen, one.age(terms.on),
             one.state, one.who or "", one.reason or "", one.approver or "", one.detail)
            for one in recorded.standing
        ],
    )  # fmt: skip
    book.close()
    return buffer.getvalue()


def _control(sheet: Sheet) -> list[tuple[Cell, ...]]:
    rows: list[tuple[str, int | str, Amounts]] = [("opening", "", sheet.opening)]
    rows += [(one.kind, one.transfers, one.amounts) for one in sheet.movements]
    rows += [("closing", "", sheet.closing), ("difference to the ledger", "", sheet.difference)]
    return [
        (sheet.unit, name, count, place, _Money(amounts.get(place, 0), sheet.unit))
        for name, count, amounts in rows
        for place in sheet.places
    ]


class _Formats:
    """Number formats, made once each."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._by_decimals: dict[int, Format] = {}
        self.head = book.add_format({"bold": True, "bottom": 1})
        self.text = book.add_format({"num_format": "@"})
        self.day = book.add_format({"num_format": "yyyy-mm-dd"})
        self.whole = book.add_format({"num_format": "#,##0"})

    def decimals(self, places: int) -> Format:
        """Digits in groups of three, and so many behind the point."""
        if places not in self._by_decimals:
            text = "#,##0" + ("." + "0" * places if places else "")
            self._by_decimals[places] = self._book.add_format({"num_format": text})
        return self._by_decimals[places]


def _sheet(
    book: Workbook, formats: _Formats, name: str, columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
) -> None:  # fmt: skip
    page: Worksheet = book.add_worksheet(name)
    page.freeze_panes(1, 0)
    for at, column in enumerate(columns):
        page.write_string(0, at, column, formats.head)
        widest = max([len(column), *(len(_shown(row[at])) for row in rows[:1000])])
        page.set_column(at, at, min(widest + 2, 60))
    for nth, row in enumerate(rows, 1):
        for at, cell in enumerate(row):
            _write(page, nth, at, cell, formats)
    if rows:
        page.autofilter(0, 0, len(rows), len(columns) - 1)


def _write(page: Worksheet, row: int, column: int, cell: Cell, formats: _Formats) -> None:
    if isinstance(cell, _Money):
        text = _shown(cell)
        if abs(cell.amount) >= EXACT_MAX:
            page.write_string(row, column, text, formats.text)
            return
        page.write_number(row, column, Decimal(text), formats.decimals(decimals(cell.unit)))
    elif isinstance(cell, date):
        page.write_datetime(row, column, datetime.combine(cell, time()), formats.day)
    elif isinstance(cell, int):
        page.write_number(row, column, cell, formats.whole)
    else:
        page.write_string(row, column, cell, formats.text)


def _shown(cell: Cell) -> str:
    if isinstance(cell, _Money):
        return number(cell.amount, cell.unit)
    return str(cell)
