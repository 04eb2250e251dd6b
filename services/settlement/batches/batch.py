"""A sealed batch as it is read back: what its files are written from, today and in ten years."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from services.settlement.batches.draft import Entry
from services.settlement.batches.line import Line
from services.settlement.batches.payout import Payouts
from services.settlement.batches.terms import PartnerTerms, TermsBook

SEALED, APPROVED, SENT, ANSWERED = "SEALED", "APPROVED", "SENT", "ANSWERED"
WITHDRAWN = "WITHDRAWN"
"""Where a batch stands. Each state is a row of its own; the batch never changes."""


class Head(NamedTuple):
    """The last link of the audit chain: its number and its hash (hex)."""

    nth: int
    link: str


@dataclass(frozen=True, slots=True)
class Header:
    """One row of `settlement_batch`, with its approval when there is one."""

    batch: str
    partner: str
    sequence: int
    revision: int
    through: date
    sealed_by: str
    stream_id: int
    seq: int
    last_seq: int
    vector: Mapping[str, int]
    facts: int
    totals: Mapping[str, int]
    held: tuple[Entry, ...]
    carried: tuple[Entry, ...]
    approver: str | None
    approved_on: date | None
    later: str | None = None
    """SENT, ANSWERED or WITHDRAWN, once it is."""

    @property
    def state(self) -> str:
        """SEALED, or APPROVED once a second person has said so, or what came after that."""
        return self.later or (SEALED if self.approver is None else APPROVED)


class Flow(NamedTuple):
    """What one funder gave for the rewards of a batch under one contract (minor units), or, below
    zero, what was taken back: the two are not netted.
    """

    unit: str
    contract: str
    funder: str
    amount: int


class Written(NamedTuple):
    """One row of `settlement_file`: what a file of the batch is. `records` counts its details."""

    name: str
    layout: str
    bytes: int
    sha256: str
    records: int
    totals: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A batch with its lines in file order; sums of nothing are left out."""

    header: Header
    lines: tuple[Line, ...]
    flows: tuple[Flow, ...]
    terms: TermsBook
    payouts: Payouts | None = None
    """Where members are paid, as the payout table stood at the batch's facts; None without one."""

    def terms_of(self, line: Line) -> PartnerTerms:
        """The clauses that name the line's file and codes."""
        return self.terms[line.contract, line.version]
