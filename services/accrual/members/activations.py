"""The activation file: UTF-8 CSV, one row per account and code."""

from __future__ import annotations

from datetime import date

from services.accrual.contracts.names import identifier
from services.accrual.members.account import Activation
from services.accrual.members.rows import AccountRows
from services.accrual.members.sheet import Sheet

HEADER = ("account_id", "code", "activated_on")
END = "withdrawn_on"
"""A column that may follow: the first day on which the activation does not count. A file that has
it replaces the ends of its activations; one without it says nothing about ends."""
WANTED = f"{','.join(HEADER)} and, if wanted, after it {END}"


def read_activations(content: bytes, *, file: str) -> AccountRows:
    """The activations of a file, each once. Raises InvalidInput with every problem of the file.

    A code is written as contracts write it: one that none could name would never count.
    """
    sheet = Sheet(file, headers=(HEADER, (*HEADER, END)), optional=frozenset({END}), wanted=WANTED)
    found: dict[tuple[str, str, date], tuple[int, Activation]] = {}
    ends = False
    for record in sheet.records(content):
        day, code = sheet.day(record, "activated_on"), record.values["code"]
        if "code" in record.sound:
            try:
                identifier(code)
            except ValueError as error:
                sheet.report(record.line, str(error), "code", code)
        ends = END in record.values
        end = sheet.day(record, END)
        if day and end and end < day:
            sheet.report(record.line, f"is before activated_on ({day})", END, str(end))
        if day is None:
            continue
        row = Activation(record.values["account_id"], code, day, withdrawn_on=end)
        at, held = found.setdefault(row.key, (record.line, row))
        if held != row:
            why = f"line {at} has another {END} for the same account, code and activated_on"
            sheet.report(record.line, why, END, record.values[END])
    sheet.done()
    return AccountRows(activations=[row for _, row in found.values()], ends=ends)
