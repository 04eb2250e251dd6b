"""Holds what a bank says against the payments that were sent to it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.kernel.rates import parse_exact
from services.settlement.batches.follow import Following
from services.settlement.batches.outcome import (
    ACCEPTED,
    PAID,
    REJECTED,
    UNKNOWN,
    WARNED,
    Told,
)
from services.settlement.batches.payout import Owed, owed
from services.settlement.exchange import came_back, nacha_return
from services.settlement.exchange.answers import BankAnswer, Change, Placed, Said
from services.settlement.files import nacha_reader, pain, payout
from services.settlement.files.fields import shown
from services.settlement.files.file import File, Findings
from services.settlement.files.pain import plain_sum
from services.settlement.files.xml import parse

NETTED = "NETTED"
"""The code of lines that cancel out: they stand in no payment, and go the way of the others."""


class _Sent(NamedTuple):
    """A payment of the batch as it went out."""

    owed: Owed
    trace: str = ""
    company: str = ""
    bank: str = ""


@dataclass(slots=True)
class Matched:
    """What the bank says of lines, in rounds: a line is told once in each."""

    rounds: list[list[Placed]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


def match(
    answer: BankAnswer, standing: Following, sent: Sequence[File], found: Findings
) -> Matched:
    """The lines that an answer is about. What does not fit what was sent is noted in `found`."""
    ach = answer.layout == nacha_return.LAYOUT
    files = [file for file in sent if (file.layout == pain.LAYOUT) != ach]
    paid, nothing = _sent(standing, files)
    matched = Matched()
    named: dict[str, int] = {}
    for one in _singly(answer.said, paid, found):
        payment = paid[one.reference]
        if not _fits(one, payment, ach, found):
            continue
        nth = named[one.reference] = named.get(one.reference, -1) + 1
        _add(matched, nth, one, payment.owed, back=came_back.holds(answer.layout, [one.code]))
        if one.corrected:
            matched.changes.append(
                Change(payment.owed.lines[0], payment.owed.account_id, one.code, one.corrected)
            )
    _add_rest(answer, paid, named, matched)
    _check_counts(answer, paid, found)
    _check_accounts(answer, files, found)
    _add_nothing(nothing, matched)
    return matched


def _sent(standing: Following, files: Sequence[File]) -> tuple[dict[str, _Sent], list[Owed]]:
    """Payments by reference, and what came to nothing."""
    layouts = {file.layout for file in files}
    lines = [line for number, line in sorted(standing.lines.items())
             if number >= 1 and standing.layout_of(line) in layouts]  # fmt: skip
    entries = {
        entry.reference: entry
        for file in files if file.layout in payout.ENDINGS and file.layout != pain.LAYOUT
        for entry in nacha_reader.read(file.content, file.name)[0]
    }  # fmt: skip
    paid: dict[str, _Sent] = {}
    nothing: list[Owed] = []
    for layout in sorted(layouts):
        own = [line for line in lines if standing.layout_of(line) == layout]
        for one in owed(own, sequence=standing.header.sequence):
            entry = entries.get(one.reference)
            if not one.amount:
                nothing.append(one)
            elif entry is None:
                paid[one.reference] = _Sent(one)
            else:
                paid[one.reference] = _Sent(one, entry.trace, entry.company, entry.bank)
    return paid, nothing


def _singly(said: Sequence[Said], paid: Mapping[str, _Sent], found: Findings) -> Iterator[Said]:
    """What is said of one payment that was sent; the same said twice counts once."""
    heard: dict[tuple[str, str], Said] = {}
    for one in said:
        if not one.reference:
            continue
        if one.reference not in paid:
            found.add("is no payment that was sent", line=one.at, field="reference",
                      value=shown(one.reference))  # fmt: skip
            continue
        before = heard.get((one.reference, one.outcome))
        if before is None:
            heard[one.reference, one.outcome] = one
            yield one
        elif before._replace(at=0, trace="") != one._replace(at=0, trace=""):
            found.add(f"says otherwise than line {before.at} of the same payment", line=one.at,
                      field="reference", value=shown(one.reference))  # fmt: skip


def _fits(one: Said, payment: _Sent, ach: bool, found: Findings) -> bool:
    wanted = payment.owed
    if one.amount is not None and (one.amount, one.currency) != (wanted.amount, wanted.currency):
        found.add(f"says {one.amount} {shown(one.currency)} in minor units, the payment "
                  f"{one.reference} was {wanted.amount} {wanted.currency}", line=one.at,
                  field="amount", value=str(one.amount))  # fmt: skip
        return False
    if one.amount is None and one.currency and one.currency != wanted.currency:
        found.add(f"was paid in {wanted.currency}", line=one.at, field="OrgnlPmtInfId",
                  value=shown(one.currency))  # fmt: skip
        return False
    if not ach:
        return True
    for name, told, was in (
        ("original trace (7-21)", one.trace, payment.trace),
        ("company id (41-50)", one.company, payment.company),
        ("original routing (28-35)", one.bank, payment.bank),
    ):
        if told != was:
            why = f"is not that of {one.reference} as it was sent"
            found.add(why, line=one.at, field=name, value=shown(told))
            return False
    return True


def _add(matched: Matched, nth: int, one: Said, payment: Owed, *, back: bool = False) -> None:
    while len(matched.rounds) <= nth:
        matched.rounds.append([])
    for line in payment.lines:
        code = one.code if one.outcome not in (ACCEPTED, PAID, UNKNOWN) else ""
        told = Told(line, one.outcome, code, came_back=back and one.outcome == REJECTED)
        matched.rounds[nth].append(Placed(one.at, told))


def _add_rest(
    answer: BankAnswer, paid: Mapping[str, _Sent], named: Mapping[str, int], matched: Matched
) -> None:
    """What is said of a currency, or else of everything, for payments that are not named."""
    wide = {one.currency: one for one in answer.said if not one.reference}
    for reference, payment in paid.items():
        one = wide.get(payment.owed.currency, wide.get(""))
        if reference not in named and one is not None:
            _add(matched, 0, one, payment.owed)


def _add_nothing(nothing: Sequence[Owed], matched: Matched) -> None:
    outcomes = {placed.told.outcome for found in matched.rounds for placed in found}
    outcome = PAID if PAID in outcomes else ACCEPTED if outcomes & {ACCEPTED, WARNED} else None
    if outcome is None or not nothing:
        return
    at = matched.rounds[0][0].at
    for one in nothing:
        for line in one.lines:
            matched.rounds[0].append(Placed(at, Told(line, outcome, NETTED)))


def _check_counts(answer: BankAnswer, paid: Mapping[str, _Sent], found: Findings) -> None:
    """Numbers and sums that the bank repeats are those of what was sent."""
    for count in answer.counts:
        own = [payment.owed for payment in paid.values()
               if count.currency in ("", payment.owed.currency)]  # fmt: skip
        comes_to = str(len(own))
        if count.field.endswith("CtrlSum"):
            comes_to = plain_sum((one.amount, one.currency) for one in own)
        try:
            same = parse_exact(count.said) == parse_exact(comes_to)
        except ValueError:
            same = False
        if not same:
            found.add(f"says {shown(count.said)}, what was sent comes to {comes_to}",
                      line=count.at, field=count.field, value=shown(count.said))  # fmt: skip


def _check_accounts(answer: BankAnswer, files: Sequence[File], found: Findings) -> None:
    """A statement is of the account that pays; no error shows it."""
    ours = {
        information.said("DbtrAcct/Id/IBAN")
        for file in files if file.layout == pain.LAYOUT
        for information in parse(file.content).all("CstmrCdtTrfInitn/PmtInf")
    }  # fmt: skip
    for at, account in answer.accounts:
        if account not in ours:
            found.add("is not the account that the payments were made from", line=at,
                      field="Acct/Id/IBAN")  # fmt: skip
