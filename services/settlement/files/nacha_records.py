"""The records of a NACHA file: 94 characters each, positions from 1, both ends inclusive."""

from __future__ import annotations

import re

from services.settlement.files.layout.page import Field, Kind

RECORD = 94
LINES_IN_BLOCK = 10
ALLOWED = re.compile(r"[ -~]*")
FILLER = "9" * RECORD
HASH_DIGITS = 10
_WEIGHTS = (3, 7, 1, 3, 7, 1, 3, 7)


def _constant(name: str, first: int, last: int, text: str, meaning: str = "") -> Field:
    text = text.ljust(last - first + 1)
    said = meaning or (f"`{text.strip()}`" if text.strip() else "blank")
    return Field(name, Kind.TEXT, first, last, constant=text, meaning=said)


def _text(name: str, first: int, last: int, pattern: str = "", *, optional: bool = True) -> Field:
    matches = re.compile(pattern, re.ASCII) if pattern else None
    return Field(name, Kind.TEXT, first, last, source=name, pattern=matches, optional=optional,
                 meaning=f"of the pattern {pattern}" if pattern else "")  # fmt: skip


def _number(name: str, first: int, last: int) -> Field:
    return Field(name, Kind.NUMBER, first, last, source=name, digits=last - first + 1)


def _day(name: str, first: int, last: int) -> Field:
    return Field(name, Kind.DATE, first, last, source=name, form="YYMMDD")


FILE_HEADER = (
    _constant("record type", 1, 1, "1"),
    _constant("priority code", 2, 3, "01"),
    _constant("blank", 4, 4, ""),
    _text("destination", 5, 13, "[0-9]{9}", optional=False),
    _text("origin", 14, 23, "[A-Za-z0-9]{10}", optional=False),
    _day("creation date", 24, 29),
    _text("creation time", 30, 33, "[0-9]{4}"),
    _text("file id modifier", 34, 34, "[A-Z0-9]", optional=False),
    _constant("record size", 35, 37, "094"),
    _constant("blocking factor", 38, 39, "10"),
    _constant("format code", 40, 40, "1"),
    _text("destination name", 41, 63),
    _text("origin name", 64, 86),
    _text("reference", 87, 94),
)
BATCH_HEADER = (
    _constant("record type", 1, 1, "5"),
    _text("service class", 2, 4, "200|220|225", optional=False),
    _text("company name", 5, 20, optional=False),
    _text("discretionary", 21, 40),
    _text("company id", 41, 50, "[A-Za-z0-9]{10}", optional=False),
    _text("entry class", 51, 53, "PPD|CCD|COR", optional=False),
    _text("description", 54, 63, optional=False),
    _text("descriptive date", 64, 69),
    _day("effective date", 70, 75),
    _text("settlement date", 76, 78, "[0-9]{3}"),
    _constant("originator status", 79, 79, "1"),
    _text("odfi", 80, 87, "[0-9]{8}", optional=False),
    _number("batch number", 88, 94),
)
ENTRY = (
    _constant("record type", 1, 1, "6"),
    _text("transaction code", 2, 3, "2[1-36-8]|3[1-36-8]", optional=False),
    _text("routing number", 4, 12, "[0-9]{9}", optional=False),
    _text("account", 13, 29, optional=False),
    _number("amount", 30, 39),
    _text("individual id", 40, 54),
    _text("name", 55, 76, optional=False),
    _text("discretionary", 77, 78),
    _text("addenda", 79, 79, "[01]", optional=False),
    _text("trace", 80, 94, "[0-9]{15}", optional=False),
)
NOTE = (
    _constant("record type", 1, 1, "7"),
    _constant("addenda type", 2, 3, "05"),
    _text("text", 4, 83),
    _number("addenda number", 84, 87),
    _number("entry number", 88, 94),
)
RETURN = (
    _constant("record type", 1, 1, "7"),
    _constant("addenda type", 2, 3, "99"),
    _text("reason", 4, 6, "R[0-9]{2}", optional=False),
    _text("original trace", 7, 21, "[0-9]{15}", optional=False),
    _text("date of death", 22, 27, "[0-9]{6}"),
    _text("original routing", 28, 35, "[0-9]{8}", optional=False),
    _text("information", 36, 79),
    _text("trace", 80, 94, "[0-9]{15}", optional=False),
)
CHANGE = (
    _constant("record type", 1, 1, "7"),
    _constant("addenda type", 2, 3, "98"),
    _text("reason", 4, 6, "C[0-9]{2}", optional=False),
    _text("original trace", 7, 21, "[0-9]{15}", optional=False),
    _constant("blank", 22, 27, ""),
    _text("original routing", 28, 35, "[0-9]{8}", optional=False),
    _text("corrected data", 36, 64, optional=False),
    _constant("blank", 65, 79, ""),
    _text("trace", 80, 94, "[0-9]{15}", optional=False),
)
HEADER_TO_US = (
    *FILE_HEADER[:2],
    _text("destination", 4, 13, " [0-9]{9}|[A-Za-z0-9]{10}", optional=False),
    _text("origin", 14, 23, " [0-9]{9}|[A-Za-z0-9]{10}", optional=False),
    *FILE_HEADER[5:],
)
"""Of a file that a bank sends: it may name us by ten characters, and itself by nine digits."""
ADDENDA = {"05": NOTE, "98": CHANGE, "99": RETURN}
BATCH_CONTROL = (
    _constant("record type", 1, 1, "8"),
    _text("service class", 2, 4, "200|220|225", optional=False),
    _number("entries and addenda", 5, 10),
    _number("entry hash", 11, 20),
    _number("debits", 21, 32),
    _number("credits", 33, 44),
    _text("company id", 45, 54, "[A-Za-z0-9]{10}", optional=False),
    _constant("authentication", 55, 73, ""),
    _constant("blank", 74, 79, ""),
    _text("odfi", 80, 87, "[0-9]{8}", optional=False),
    _number("batch number", 88, 94),
)
FILE_CONTROL = (
    _constant("record type", 1, 1, "9"),
    _number("batches", 2, 7),
    _number("blocks", 8, 13),
    _number("entries and addenda", 14, 21),
    _number("entry hash", 22, 31),
    _number("debits", 32, 43),
    _number("credits", 44, 55),
    _constant("blank", 56, 94, ""),
)
RECORDS = {"1": FILE_HEADER, "5": BATCH_HEADER, "6": ENTRY, "8": BATCH_CONTROL, "9": FILE_CONTROL}


def is_routing(number: str) -> bool:
    """Whether nine digits end in their check digit."""
    if re.fullmatch("[0-9]{9}", number, re.ASCII) is None:
        return False
    weighed = sum(int(d) * weight for d, weight in zip(number[:8], _WEIGHTS, strict=True))
    return (10 - weighed % 10) % 10 == int(number[8])
