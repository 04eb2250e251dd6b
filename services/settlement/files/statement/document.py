"""A statement before it has a form: sections of rows, each counted in one unit, and what they are
worth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from services.kernel.errors import InvariantViolated

Cell = str | int | date | None
DATE, TEXT, NUMBER = "date", "text", "number"


class Column(NamedTuple):
    """One column of the rows: a day, a text, or a number that counts nothing, such as a line's."""

    name: str
    kind: str


class Row(NamedTuple):
    """One line of a section; `amount` is signed, in minor units of the section."""

    cells: tuple[Cell, ...]
    amount: int


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one unit. Opening and closing are None where there is no balance to carry."""

    unit: str
    rows: tuple[Row, ...]
    opening: int | None = None
    closing: int | None = None

    @property
    def credits(self) -> int:
        """The sum of the amounts above zero."""
        return sum(row.amount for row in self.rows if row.amount > 0)

    @property
    def debits(self) -> int:
        """The sum of the amounts below zero, without sign."""
        return -sum(row.amount for row in self.rows if row.amount < 0)


class Worth(NamedTuple):
    """What the units of one award are charged at: minor units, the price as the contract has it."""

    unit: str
    award: str
    amount: int
    price: str
    currency: str
    due: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of an account, or of a batch. `by` is the column that movements are added up by
    on the control sheet. `last` dates every byte that carries a date.
    """

    name: str
    title: str
    facts: tuple[tuple[str, str], ...]
    first: date
    last: date
    columns: tuple[Column, ...]
    by: str
    sections: tuple[Section, ...]
    worth: tuple[Worth, ...] = ()

    def demand_ties(self) -> None:
        """Raise InvariantViolated if opening and rows are not the closing balance."""
        for section in self.sections:
            if section.opening is None or section.closing is None:
                continue
            if section.opening + section.credits - section.debits != section.closing:
                raise InvariantViolated(f"{self.name}: the rows of {section.unit} do not tie")

    def movements(self, section: Section) -> Mapping[str, int]:
        """The rows' amounts, added up by kind, in the order of the kinds."""
        at = [column.name for column in self.columns].index(self.by)
        sums: Counter[str] = Counter()
        for row in section.rows:
            sums[str(row.cells[at] or "")] += row.amount
        return dict(sorted(sums.items()))
