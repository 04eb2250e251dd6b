"""What is due: transfers that no line holds yet, gathered into the sums that may become lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from services.kernel.errors import InvariantViolated
from services.settlement.batches.terms import PartnerTerms, TermsBook


class Due(NamedTuple):
    """One due transfer, signed from the member's side (minor units)."""

    stream_id: int
    seq: int
    leg: int
    account_id: str
    issuer_id: str
    of_stream_id: int
    of_purchase: int
    purchase: str
    contract: str
    version: int
    rule: str
    funder: str
    unit: str
    amount: int
    governing_on: date
    old_batch: str | None = None
    """The line that it gives back: of a batch that was withdrawn, or rejected by the partner."""
    old_line: int | None = None


class LineKey(NamedTuple):
    """What one line is about. The purchase goes by its place in the record, which never changes;
    the contract and the award follow from the rule unless a later version says otherwise.
    """

    account_id: str
    of_stream_id: int
    of_purchase: int
    contract: str
    rule: str
    award: str
    unit: str


class Part(NamedTuple):
    """Who paid under which version: the ledger ties by it, also within one line."""

    version: int
    funder: str


@dataclass(slots=True)
class Sum:
    """The due transfers of one line, and what they come to."""

    key: LineKey
    issuer_id: str
    purchase: str
    terms: PartnerTerms
    """Of the highest version among the transfers."""
    members: list[tuple[int, int, int]] = field(default_factory=list)
    """(stream, seq, leg)"""
    parts: dict[Part, int] = field(default_factory=dict)
    dates: dict[date, int] = field(default_factory=dict)
    """Governing date → amount"""
    amount: int = 0
    replaces: set[tuple[str, int]] = field(default_factory=set)
    """(batch, line) of the void lines that it takes the place of."""
    membership_number: str = ""
    """The partner's number of the member; empty where the layout goes by account."""

    def add(self, due: Due) -> None:
        """Count one more transfer."""
        part = Part(due.version, due.funder)
        self.members.append((due.stream_id, due.seq, due.leg))
        self.parts[part] = self.parts.get(part, 0) + due.amount
        self.dates[due.governing_on] = self.dates.get(due.governing_on, 0) + due.amount
        self.amount += due.amount
        if due.old_batch is not None and due.old_line is not None:
            self.replaces.add((due.old_batch, due.old_line))

    @property
    def activity_on(self) -> date:
        """The day of the purchase: the last governing date whose own sum has the line's sign.

        (Facts that moved leave an amount taken back on the old date and one given on the new.)
        """
        sign = (self.amount > 0) - (self.amount < 0)
        return max(day for day, amount in self.dates.items() if amount * sign > 0 or not sign)


def gather(due: Iterable[Due], terms: TermsBook) -> list[Sum]:
    """The sums of the due transfers by line, in no particular order."""
    sums: dict[LineKey, Sum] = {}
    for transfer in due:
        signed = terms[transfer.contract, transfer.version]
        if signed.unit != transfer.unit:
            raise InvariantViolated(
                f"a transfer of {transfer.unit} under {signed.contract}/{signed.version}, "
                f"which is counted in {signed.unit}"
            )
        key = LineKey(
            transfer.account_id, transfer.of_stream_id, transfer.of_purchase, transfer.contract,
            transfer.rule, signed.award(transfer.rule), transfer.unit,
        )  # fmt: skip
        found = sums.get(key)
        if found is None:
            found = sums[key] = Sum(key, transfer.issuer_id, transfer.purchase, signed)
        elif signed.version > found.terms.version:
            found.terms = signed
        found.add(transfer)
    return list(sums.values())
