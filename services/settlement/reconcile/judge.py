"""From how two sides disagree to what is wrong, in codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from services.settlement.files.fields import shown
from services.settlement.reconcile.amount import words
from services.settlement.reconcile.code import Check, Code
from services.settlement.reconcile.difference import Difference, Kind
from services.settlement.reconcile.discrepancy import Found

SIDES: Mapping[Check, tuple[str, str]] = {
    Check.FEEDS: ("the compare feed", "the books"),
    Check.LEDGER: ("the ledger", "the lines"),
    Check.FILES: ("the line", "the file"),
    Check.ANSWERS: ("the lines sent", "the answers"),
}
"""What the two sides of a comparison are called, left and right."""


AMOUNT_MAX = 2**63 - 1
"""The most that is kept: a changed file may say more, and then says nonsense."""


class Tally(NamedTuple):
    """How many rows each side of a comparison has in one unit, and what they come to."""

    check: Check
    unit: str
    left_rows: int
    left_amount: int
    right_rows: int
    right_amount: int


class Waiting(NamedTuple):
    """Due transfers in no line, and why: LISTED (the latest batch holds or carries the member),
    SINCE (recorded or due after it), MISSING (it should have sealed them).
    """

    why: str
    unit: str
    transfers: int
    amount: int


class Unsealed(NamedTuple):
    """A due transfer that the latest batch should have sealed."""

    transfer: str
    issuer: str
    purchase: str
    rule: str
    unit: str
    amount: int
    available_on: date


class Unposted(NamedTuple):
    """An event of the books that is recorded as posted, and caused no transfer."""

    issuer: str
    kind: str
    event_id: str
    amount: int
    currency: str
    booked: date


class Uncaused(NamedTuple):
    """A grant or clawback that no recorded event caused."""

    transfer: str
    unit: str
    amount: int


class Unanswered(NamedTuple):
    """Sent lines that wait for an answer: in time, or for too long."""

    in_time: int
    late: int


def feeds(differences: Iterable[Difference]) -> list[Found]:
    """Left is the compare feed. Keys are (issuer, kind, what they are matched by, value, day);
    rows (amount, currency, booked on, event id, account, ARN).
    """
    return [_feed(one) for one in differences]


def _feed(one: Difference) -> Found:
    issuer, kind, by, value, day = one.key
    rows = one.left + one.right
    currencies = sorted({row[1] for row in rows})
    if not one.right_times:
        code = Code.MISSING_IN_BOOKS
    elif not one.left_times:
        code = Code.MISSING_IN_COMPARE
    elif one.kind is Kind.DOUBLED_LEFT:
        code = Code.DOUBLED_IN_COMPARE
    elif one.kind is Kind.DOUBLED_RIGHT:
        code = Code.DOUBLED_IN_BOOKS
    else:
        code = Code.CURRENCY_DIFFERS if len(currencies) > 1 else Code.AMOUNT_DIFFERS
    when = f" of {day}" if day else ""
    subject = f"{issuer} {kind} {by} {value}{when}"
    told = [f"{name} {', '.join(sorted({row[at] for row in rows if row[at]}))}"
            for name, at in (("event", 3), ("account", 4), ("arn", 5))
            if any(row[at] for row in rows)]  # fmt: skip
    said = _both(Check.FEEDS, one, amount=0, unit=1)
    if one.kind in (Kind.DOUBLED_LEFT, Kind.DOUBLED_RIGHT):
        times = f"the compare feed has it {one.left_times}×, the books {one.right_times}×"
        said = f"{times}; not paired: {said}"
    detail = f"{said}; {'; '.join(told)}"
    return Found(Check.FEEDS, code, subject, _net(one, 0), currencies[0], detail)


def ledger(differences: Iterable[Difference], partner: str) -> list[Found]:
    """Left is what the sealed transfers come to, right the lines. Keys are (batch, account,
    stream, purchase, contract, rule, unit); rows (amount, partner, count, purchase's name).
    """
    return [found for one in differences for found in _sealed(one, partner)]


def _sealed(one: Difference, partner: str) -> list[Found]:
    batch, account, stream, number, contract, rule, unit = one.key
    (left,), (right,) = one.left or ((),), one.right or ((),)
    purchase = (right or left)[3] or f"{stream}/{number}"
    subject = f"{batch} {account} {purchase} {contract} {rule}"
    amount = _net(one, 0)
    detail = _both(Check.LEDGER, one, amount=0, fixed=unit)
    if not right:
        return [Found(Check.LEDGER, Code.MISSING_LINE, subject, amount, unit, detail)]
    if not left:
        return [Found(Check.LEDGER, Code.MISSING_IN_LEDGER, subject, amount, unit, detail)]
    found = []
    if left[1] != right[1]:
        why = f"a contract of {left[1]} in a batch of {partner}"
        found.append(Found(Check.LEDGER, Code.WRONG_PARTNER, subject, left[0], unit, why))
    if amount:
        times = right[2]
        doubled = times > 1 and right[0] == left[0] * times
        code = Code.DOUBLED_LINE if doubled else Code.AMOUNT_DIFFERS
        found.append(Found(Check.LEDGER, code, subject, amount, unit, detail))
    return found


def causes(unposted: Iterable[Unposted], uncaused: Iterable[Uncaused]) -> list[Found]:
    """The books feed beside the ledger: every posted event moved something, and every grant was
    caused by a recorded event.
    """
    found = [
        Found(Check.LEDGER, Code.MISSING_IN_LEDGER,
              f"{row.issuer} {row.kind} event_id {row.event_id}", row.amount, row.currency,
              "recorded as posted, and no transfer names it")
        for row in unposted
    ]  # fmt: skip
    return found + [
        Found(Check.LEDGER, Code.UNCAUSED, f"transfer {row.transfer}", row.amount, row.unit,
              "the event that it names is not recorded")
        for row in uncaused
    ]  # fmt: skip


def unsealed(rows: Iterable[Unsealed], batch: str) -> list[Found]:
    """Due transfers that stand in no line and on no list of the latest batch."""
    return [
        Found(
            Check.LEDGER, Code.MISSING_LINE,
            f"transfer {row.transfer} {row.issuer} {row.purchase} {row.rule}", row.amount,
            row.unit, f"due on {row.available_on}, in no line, and {batch} holds nobody for it",
        )
        for row in rows
    ]  # fmt: skip


def files(differences: Iterable[Difference]) -> list[Found]:
    """Left are the lines, right the files. Keys are (batch, carrier, line); rows (member, unit,
    amount, file).
    """
    return [found for one in differences for found in _filed(one)]


def _filed(one: Difference) -> list[Found]:
    batch, carrier, line = one.key
    subject = f"{batch} line {line} in {carrier}"
    unit = (one.left or one.right)[0][1]
    amount, detail = _net(one, 2), _both(Check.FILES, one, amount=2, unit=1)
    if not one.right_times:
        return [Found(Check.FILES, Code.MISSING_LINE, subject, amount, unit, detail)]
    if not one.left_times:
        return [Found(Check.FILES, Code.UNKNOWN_LINE, subject, amount, unit, detail)]
    if one.kind is not Kind.DIFFERS:
        times = f"the file has it {one.right_times} times"
        return [Found(Check.FILES, Code.DOUBLED_LINE, subject, amount, unit, times)]
    left, right = one.left[0], one.right[0]
    found = []
    if left[0] != right[0]:
        why = f"the line is {shown(left[0])}'s, the file says {shown(right[0])}"
        found.append(Found(Check.FILES, Code.WRONG_MEMBER, subject, left[2], unit, why))
    if left[1] != right[1]:
        found.append(Found(Check.FILES, Code.WRONG_UNIT, subject, left[2], unit, detail))
    elif left[2] != right[2]:
        found.append(Found(Check.FILES, Code.AMOUNT_DIFFERS, subject, amount, unit, detail))
    return found


def answers(
    differences: Iterable[Difference],
    *,
    sent: Mapping[str, date],
    answering: frozenset[str],
    days: int,
    on: date,
) -> tuple[list[Found], Unanswered]:
    """Left are the lines of batches that were sent, right what was definitely answered. Keys are
    (batch, line); rows (unit, amount, layout). A line is late `days` after its batch was sent.
    """
    found, in_time = [], 0
    for one in differences:
        batch, line = one.key
        unit, amount, layout = (one.left or one.right)[0]
        subject = f"{batch} line {line}"
        if not one.left:
            why = "answered, and not among the lines that were sent"
            found.append(Found(Check.ANSWERS, Code.ANSWERED_NOT_SENT, subject, 0, unit, why))
        elif layout in answering:
            if (on - sent[batch]).days > days:
                why = f"sent on {sent[batch]}, an answer takes {days} days"
                found.append(Found(Check.ANSWERS, Code.NOT_ANSWERED, subject, amount, unit, why))
            else:
                in_time += 1
    return found, Unanswered(in_time, sum(one.code is Code.NOT_ANSWERED for one in found))


def answered_twice(rows: Iterable[Sequence[object]]) -> list[Found]:
    """Lines that were answered more than once: (batch, line, unit, amount, what was said)."""
    return [
        Found(Check.ANSWERS, Code.ANSWERED_TWICE, f"{batch} line {line}", int(str(amount)),
              str(unit), f"the partner said {said}")
        for batch, line, unit, amount, said in rows
    ]  # fmt: skip


def _net(one: Difference, at: int) -> int:
    left: int = sum(row[at] for row in one.left)
    right: int = sum(row[at] for row in one.right)
    return max(-AMOUNT_MAX, min(left - right, AMOUNT_MAX))


def _both(check: Check, one: Difference, *, amount: int, unit: int = 0, fixed: str = "") -> str:
    """What each side says of what does not agree."""
    said = []
    for name, rows in zip(SIDES[check], (one.left, one.right), strict=True):
        amounts = " and ".join(words(row[amount], fixed or row[unit]) for row in rows)
        said.append(f"{name}: {amounts or 'nothing'}")
    return ", ".join(said)
