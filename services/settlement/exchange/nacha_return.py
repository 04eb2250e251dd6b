"""What an ACH bank sends back: returns, and notifications of change. Pure.

A return gives the money back and names why (R01 …). A notification of change was paid, and asks
for another account from now on (C01 …).
"""

from __future__ import annotations

from services.settlement.batches.outcome import REJECTED, WARNED
from services.settlement.exchange.answers import REFERENCE, BankAnswer, Said
from services.settlement.files import nacha, nacha_reader
from services.settlement.files.fields import shown
from services.settlement.files.file import Findings

LAYOUT = "nacha-return"


def begins(content: bytes) -> bool:
    """Whether this is a NACHA file."""
    return content[:3] == b"101" and content[34:37] == b"094"


def read(content: bytes, file: str) -> BankAnswer:
    """Every return and change of a file."""
    entries, checked = nacha_reader.read(content, file)
    found = Findings(file)
    if not checked.problems and not entries:
        found.add("returns nothing", line=1)
    said = [_said(entry, found) for entry in entries] if not checked.problems else []
    problems = (*checked.problems, *found.all())
    return BankAnswer(
        LAYOUT,
        said=() if problems else tuple(one for one in said if one is not None),
        problems=problems,
    )


def _said(entry: nacha_reader.Entry, found: Findings) -> Said | None:
    if not entry.reason:
        found.add("is neither a return nor a change: no addenda 99 or 98 follows", line=entry.line)
        return None
    if not REFERENCE.fullmatch(entry.reference):
        found.add("is no payment of ours", line=entry.line, field="individual id (40-54)",
                  value=shown(entry.reference))  # fmt: skip
        return None
    back = entry.reason.startswith("R")
    return Said(
        at=entry.line,
        reference=entry.reference,
        outcome=REJECTED if back else WARNED,
        code=entry.reason,
        # A notification moves no money: its entry may be of nothing.
        amount=entry.amount if back or entry.amount else None,
        currency=nacha.CURRENCY,
        trace=entry.trace,
        company=entry.company,
        bank=entry.bank,
        corrected=entry.corrected,
    )
