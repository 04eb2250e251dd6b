"""The columns of GlInterface.csv that milepost writes, by their places from 1; others are empty.

Two public descriptions agree on every place; one of them was loaded.
"""

from __future__ import annotations

from services.settlement.files.fields import MAJOR, TEXT
from services.settlement.files.sheet import Column

COLUMNS = 149
STATISTICAL = "STAT"
_DAY = "[0-9]{4}/[0-9]{2}/[0-9]{2}"
_SEGMENT = "[A-Za-z0-9][A-Za-z0-9._-]{0,24}"

BY_PLACE: dict[int, Column] = {
    1: Column("status", "NEW", "`NEW`"),
    2: Column("ledger id", "[0-9]{1,18}", "the ledger's number, from the chart"),
    3: Column("accounting date", _DAY, "YYYY/MM/DD, the day sealed through"),
    4: Column("source", TEXT, "journal source, from the chart"),
    5: Column("category", TEXT, "journal category, from the chart"),
    6: Column("currency", "[A-Z]{3}|STAT", "ISO 4217 code, or `STAT` for a programme's unit"),
    7: Column("date created", _DAY, "the same day; without it the load fails"),
    8: Column("actual flag", "A", "`A`"),
    **{
        8 + number: Column(
            f"segment {number}", _SEGMENT, "of the account, from the chart", optional=number > 1
        )
        for number in range(1, 31)
    },
    39: Column("entered debit", MAJOR, "an amount in major units", optional=True),
    40: Column("entered credit", MAJOR, "an amount in major units", optional=True),
    43: Column("batch name", TEXT, "the batch's id"),
    44: Column("batch description", TEXT, "through which day it is sealed"),
    46: Column("journal name", TEXT, "batch and unit"),
    48: Column("journal reference", TEXT, "the batch's id"),
    52: Column("line description", TEXT, "what is posted"),
    53: Column("reference 1", TEXT, "contract"),
    54: Column("reference 2", TEXT, "funder"),
    55: Column("reference 3", TEXT, "account of milepost's chart"),
    56: Column("reference 4", TEXT, "unit, also of statistical amounts"),
    64: Column("conversion type", TEXT, "from the chart, for another currency", optional=True),
    65: Column("conversion date", _DAY, "the day sealed through, then", optional=True),
    67: Column("group id", "[0-9]{7,18}", "the chart's group and the batch's sequence"),
    92: Column("ledger name", TEXT, "the ledger's name, from the chart", optional=True),
    94: Column("reconciliation reference", TEXT, "batch and line of the journal"),
}
