"""A statement on paper: PDF/A-2b, set by typst with the fonts that it brings itself.

The template gets its values as data, so no text of a member or merchant can be read as markup.
"""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, date, datetime, time
from functools import cache
from importlib import resources
from typing import Literal

import typst

from services.kernel.units import major
from services.settlement.files.fields import DoesNotFit
from services.settlement.files.statement.document import Cell, Section, Statement

ENDING = "pdf"
STANDARD: Literal["a-2b"] = "a-2b"
ROWS_MAX = 20_000
"""More than anybody reads on paper: some five hundred pages."""

INSTEAD = "□"
"""Stands where a letter has no form in any font."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PROBE = b"""#set document(title: "letters", date: datetime(year: 1970, month: 1, day: 1))
#set text(font: "Libertinus Serif")
#for letter in json(bytes(sys.inputs.statement)) [#letter \\ ]
"""


def write(statement: Statement) -> bytes:
    """The document's bytes. DoesNotFit if it would be too long to print."""
    statement.demand_ties()
    rows = sum(len(section.rows) for section in statement.sections)
    if rows > ROWS_MAX:
        raise DoesNotFit(f"{rows} rows are too many to print ({ROWS_MAX}): take xlsx or csv")
    values = json.dumps(_values(statement), ensure_ascii=False)
    without = _unprintable({letter for letter in values if not letter.isascii()})
    if without:
        told = json.loads(values.translate(dict.fromkeys(map(ord, without), INSTEAD)))
        told["facts"].append(["Letters", f"{INSTEAD} stands for one that this paper lacks; "
                                         "the xlsx and csv forms have it"])  # fmt: skip
        values = json.dumps(told, ensure_ascii=False)
    return _set(_template(), values, datetime.combine(statement.last, time(), UTC))


def _set(template: bytes, values: str, made: datetime) -> bytes:
    content: bytes = typst.compile(
        template,
        format="pdf",
        ignore_system_fonts=True,
        pdf_standards=STANDARD,
        sys_inputs={"statement": values},
        timestamp=int(made.timestamp()),
    )
    return content


def _unprintable(letters: set[str]) -> set[str]:
    """Those that no font has: PDF/A refuses a document with one, and names it.

    A page with nothing but the letters is tried until it is accepted. When a letter is missing so
    are all of its script, which is the first word of their names, so that few tries are enough.
    """
    without: set[str] = set()
    while letters - without:
        tried = sorted(letters - without)
        try:
            _set(_PROBE, json.dumps(tried, ensure_ascii=False), _EPOCH)
        except typst.TypstError as error:
            missing = {one for one in tried if one in str(error)}
            if not missing:
                raise
            scripts = {_script(one) for one in missing}
            without |= {one for one in tried if _script(one) in scripts}
        else:
            break
    return without


def _script(letter: str) -> str:
    return unicodedata.name(letter, letter).partition(" ")[0]


@cache
def _template() -> bytes:
    return resources.files(__package__).joinpath("statement.typ").read_bytes()


def _values(statement: Statement) -> dict[str, object]:
    day = statement.last
    return {
        "name": statement.name,
        "title": statement.title,
        "facts": [list(fact) for fact in statement.facts],
        "dated": [day.year, day.month, day.day],
        "columns": [column.name for column in statement.columns],
        "sections": [_section(statement, section) for section in statement.sections],
        "worth": [
            [
                found.award, major(found.amount, found.unit) + " " + found.unit, found.price,
                f"{major(found.due, found.currency)} {found.currency}" if found.price else "",
            ]
            for found in statement.worth
        ],
    }  # fmt: skip


def _section(statement: Statement, section: Section) -> dict[str, object]:
    unit = section.unit
    summary = [[f"{statement.by} {name}".strip(), major(amount, unit)]
               for name, amount in statement.movements(section).items()]  # fmt: skip
    if section.opening is not None and section.closing is not None:
        summary = [["Opening", major(section.opening, unit)], *summary,
                   ["Closing", major(section.closing, unit)]]  # fmt: skip
    total = major(section.credits - section.debits, unit)
    return {
        "unit": unit,
        "summary": summary,
        "rows": [[*map(_text, row.cells), major(row.amount, unit)] for row in section.rows],
        "total": ["Total", f"{len(section.rows)} lines", total],
    }


def _text(value: Cell) -> str:
    return value.isoformat() if isinstance(value, date) else str("" if value is None else value)
