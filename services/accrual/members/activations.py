"""The activation file: UTF-8 CSV, one row per account and code."""

from __future__ import annotations

from services.accrual.contracts.names import identifier
from services.accrual.members.account import Activation
from services.accrual.members.rows import AccountRows
from services.accrual.members.sheet import Sheet

HEADER = ("account_id", "code", "activated_on")


def read_activations(content: bytes, *, file: str) -> AccountRows:
    """The activations of a file, each once. Raises InvalidInput with every problem of the file.

    A code is written as contracts write it: one that none could name would never count.
    """
    sheet = Sheet(file, headers=(HEADER,), optional=frozenset(), wanted=",".join(HEADER))
    found: dict[Activation, None] = {}
    for record in sheet.records(content):
        day, code = sheet.day(record, "activated_on"), record.values["code"]
        if "code" in record.sound:
            try:
                identifier(code)
            except ValueError as error:
                sheet.report(record.line, str(error), "code", code)
        if day is not None:
            found[Activation(record.values["account_id"], code, day)] = None
    sheet.done()
    return AccountRows(activations=list(found))
