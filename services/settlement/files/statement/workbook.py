"""A statement as a workbook (XLSX): a control sheet first, then a sheet for each unit.

Every cell has its type: days are days, amounts are numbers, text is text and never a formula.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

import xlsxwriter

from services.kernel.units import exponent_of, major
from services.settlement.files.fields import DoesNotFit
from services.settlement.files.statement.document import Cell, Section, Statement

ENDING = "xlsx"
ROWS_MAX = 1_048_576 - 3
"""Rows of a sheet, less its head and its sums."""
DIGITS_MAX = 15
"""What a spreadsheet's number keeps exactly."""
TEXT_MAX = 32_767
SHEET_NAME_MAX = 31
CONTROL = ("unit", "what", "amount")


def write(statement: Statement) -> bytes:
    """The workbook's bytes. DoesNotFit if a sheet has no room, or a number no exact cell."""
    statement.demand_ties()
    for section in statement.sections:
        if len(section.rows) > ROWS_MAX:
            raise DoesNotFit(f"{len(section.rows)} rows of {section.unit} do not fit a sheet: "
                             "take csv")  # fmt: skip
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {
        "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
        "strings_to_numbers": False, "default_date_format": "yyyy-mm-dd",
    })  # fmt: skip
    made = datetime.combine(statement.last, time(), UTC)
    book.set_properties({"title": statement.title, "created": made.replace(tzinfo=None)})
    _Writer(book, statement).all()
    book.close()
    return content.getvalue()


class _Writer:
    """Writes the sheets of one workbook."""

    def __init__(self, book: Any, statement: Statement) -> None:
        self._book = book
        self._statement = statement
        self._head = book.add_format({"bold": True, "bottom": 1})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._numbers: dict[int, Any] = {}

    def all(self) -> None:
        self._control()
        for nth, section in enumerate(self._statement.sections, 1):
            self._section(nth, section)

    def _control(self) -> None:
        sheet = self._book.add_worksheet("Control")
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 44)
        sheet.set_column(2, 5, 20)
        self._texts(sheet, 0, (self._statement.title,))
        row = 1
        for name, value in self._statement.facts:
            self._texts(sheet, row, (name, value))
            row += 1
        row += 1
        self._texts(sheet, row, CONTROL, self._head)
        sheet.freeze_panes(row + 1, 0)
        for section in self._statement.sections:
            for what, amount in self._movements(section):
                row += 1
                self._texts(sheet, row, (section.unit, what))
                self._amount(sheet, row, 2, amount, section.unit)
        row = self._worth(sheet, row + 2)

    def _movements(self, section: Section) -> Iterator[tuple[str, int]]:
        if section.opening is not None:
            yield "opening", section.opening
        for name, amount in self._statement.movements(section).items():
            yield f"{self._statement.by} {name}".strip(), amount
        yield "credits", section.credits
        yield "debits", -section.debits
        if section.closing is not None:
            yield "closing", section.closing
        else:
            yield "total", section.credits - section.debits

    def _worth(self, sheet: Any, row: int) -> int:
        if not self._statement.worth:
            return row
        head = ("unit", "award", "amount", "price", "currency", "amount due")
        self._texts(sheet, row, head, self._head)
        for found in self._statement.worth:
            row += 1
            self._texts(sheet, row, (found.unit, found.award))
            self._amount(sheet, row, 2, found.amount, found.unit)
            if found.price:
                sheet.write_number(row, 3, Decimal(found.price))
                sheet.write_string(row, 4, found.currency)
                self._amount(sheet, row, 5, found.due, found.currency)
        return row

    def _section(self, nth: int, section: Section) -> None:
        name = section.unit if len(section.unit) <= SHEET_NAME_MAX else f"Unit {nth}"
        sheet = self._book.add_worksheet(name)
        columns = self._statement.columns
        self._texts(sheet, 0, (*(column.name for column in columns), "amount"), self._head)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(columns), 16)
        for row, found in enumerate(section.rows, 1):
            for at, value in enumerate(found.cells):
                self._cell(sheet, row, at, value)
            self._amount(sheet, row, len(columns), found.amount, section.unit)
        last = len(section.rows) + 1
        self._texts(sheet, last, ("total",), self._head)
        total = section.credits - section.debits
        self._amount(sheet, last, len(columns), total, section.unit)

    def _texts(self, sheet: Any, row: int, texts: tuple[str, ...], form: Any = None) -> None:
        for at, text in enumerate(texts):
            sheet.write_string(row, at, _fitting(text), form)

    def _cell(self, sheet: Any, row: int, at: int, value: Cell) -> None:
        if isinstance(value, str):
            sheet.write_string(row, at, _fitting(value))
        elif isinstance(value, int):
            sheet.write_number(row, at, value)
        elif value is not None:
            sheet.write_datetime(row, at, value, self._day)

    def _amount(self, sheet: Any, row: int, at: int, amount: int, unit: str) -> None:
        if len(str(abs(amount))) > DIGITS_MAX:
            raise DoesNotFit(
                f"{major(amount, unit)} {unit} is no number that a sheet keeps exactly"
            )
        places = exponent_of(unit)
        if places not in self._numbers:
            decimals = "." + "0" * places if places else ""
            self._numbers[places] = self._book.add_format({"num_format": f"#,##0{decimals}"})
        sheet.write_number(row, at, Decimal(major(amount, unit)), self._numbers[places])


def _fitting(text: str) -> str:
    if len(text) > TEXT_MAX:
        raise DoesNotFit(f"a text of {len(text)} characters has no room in a cell")
    return text
