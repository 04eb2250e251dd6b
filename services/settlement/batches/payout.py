"""Payouts: what the lines of a batch come to for each member, and the account that it goes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from services.settlement.batches.line import Line

CHECKING, SAVINGS = "checking", "savings"
SATURDAY = 5


class Payee(NamedTuple):
    """A member's account as the payout table has it. Never in a log or an error.

    `bank` is a routing number of nine digits, or a BIC; `account` a number, or an IBAN.
    """

    name: str
    bank: str
    account: str
    kind: str = CHECKING

    def __repr__(self) -> str:
        """Says nothing of the account."""
        return "Payee(…)"


class Payer(NamedTuple):
    """Who pays, and through which bank. `identifier` is what the bank knows the payer by."""

    name: str
    identifier: str
    bank: str
    bank_name: str
    account: str = ""

    def __repr__(self) -> str:
        """Says nothing of the account."""
        return f"Payer({self.name!r}, …)"


@dataclass(frozen=True, slots=True)
class Payouts:
    """The payout table as a partner's batch sees it. `payees` goes by account id."""

    payer: Payer
    payees: Mapping[str, Payee] = field(default_factory=dict)


class Payment(NamedTuple):
    """One payment: minor units of `currency`, above zero. `line` is the first that it pays."""

    reference: str
    line: int
    account_id: str
    currency: str
    amount: int
    payee: Payee


def reference(sequence: int, line: int) -> str:
    """How a payment is called, in 15 characters: batch and first line."""
    return f"{sequence:06d}-{line:08d}"


class Owed(NamedTuple):
    """What the lines of a member come to in one currency. Nothing is paid where it is nothing."""

    reference: str
    account_id: str
    currency: str
    amount: int
    lines: tuple[int, ...]


def owed(lines: Iterable[Line], *, sequence: int) -> list[Owed]:
    """The sums of a batch by member and currency, in the order of the lines."""
    sums: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        sums.setdefault((line.account_id, line.unit), []).append(line)
    return [
        Owed(
            reference(sequence, own[0].line), account_id, currency,
            sum(line.amount for line in own), tuple(line.line for line in own),
        )
        for (account_id, currency), own in sums.items()
    ]  # fmt: skip


def payments(lines: Iterable[Line], *, sequence: int, payouts: Payouts) -> list[Payment]:
    """A payment for each member and currency, in the order of the lines.

    Lines that cancel out pay nothing. ValueError for a sum below zero, a member without account.
    """
    found: list[Payment] = []
    for one in owed(lines, sequence=sequence):
        if not one.amount:
            continue
        payee = payouts.payees.get(one.account_id)
        if payee is None or one.amount < 0:
            why = "has no account to pay to" if payee is None else "would be charged by a payout"
            raise ValueError(f"line {one.lines[0]}: account {one.account_id} {why}")
        found.append(
            Payment(one.reference, one.lines[0], one.account_id, one.currency, one.amount, payee)
        )
    return found


def execution_day(through: date) -> date:
    """When a batch is to be paid: the next weekday after the day sealed through."""
    day = through + timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return day
