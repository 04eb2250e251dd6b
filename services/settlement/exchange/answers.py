"""What a file of a bank or partner says, before it is held against what was sent. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from services.kernel.errors import Problem
from services.settlement.batches.outcome import Told
from services.settlement.exchange import air_miles_audit
from services.settlement.files import pain
from services.settlement.files.layout.pages import outgoing

REFERENCE = re.compile(r"([0-9]{6})-([0-9]{8})", re.ASCII)
"""How our payments are called: the batch's sequence and the first line."""
ANSWER_PAGE = "mileage-answer"
OF_PARTNERS = frozenset({air_miles_audit.LAYOUT, ANSWER_PAGE})
"""Answers that name members as the lines do; those of banks may name accounts."""
BY_PAGE = frozenset(outgoing()) - air_miles_audit.ANSWERS
"""Layouts that are answered by the page `mileage-answer`."""
BY_LINE = air_miles_audit.ANSWERS | BY_PAGE
"""Layouts that a partner answers line by line: nothing is paid before."""
AWAITED = BY_LINE | {pain.LAYOUT}
"""Layouts whose silence is worth a look. A bank says of an ACH file only what comes back."""


class Placed(NamedTuple):
    """A line's outcome, and the line of the file that tells it."""

    at: int
    told: Told


class Said(NamedTuple):
    """What a bank says of one payment in line `at` of its file; minor units of `currency`.

    Without a reference it is about every payment of the batch, or of the currency, of which
    nothing else is said.
    """

    at: int
    reference: str
    outcome: str
    code: str = ""
    amount: int | None = None
    currency: str = ""
    trace: str = ""
    company: str = ""
    bank: str = ""
    corrected: str = ""

    def __repr__(self) -> str:
        """Says nothing of accounts."""
        return f"Said({self.reference!r}, {self.outcome}, {self.code!r})"


class Count(NamedTuple):
    """A number or a sum that the bank repeats of what was sent; "" is the whole file's currency."""

    at: int
    field: str
    said: str
    currency: str = ""


@dataclass(frozen=True, slots=True)
class BankAnswer:
    """Everything that a bank's file says, or everything that is wrong with it.

    `message` is the message that the whole file answers, if it answers one; `accounts` are those
    that it is about, each with its line. Nothing of a file with a problem may be used.
    """

    layout: str
    said: tuple[Said, ...] = ()
    problems: tuple[Problem, ...] = ()
    message: str = ""
    accounts: tuple[tuple[int, str], ...] = ()
    counts: tuple[Count, ...] = ()


class Change(NamedTuple):
    """The bank asks for another account from now on: `corrected` as the code says."""

    line: int
    account_id: str
    code: str
    corrected: str

    def __repr__(self) -> str:
        """Says nothing of the account."""
        return f"Change({self.line}, {self.code!r})"
