"""What a reconciliation prints: the control sheet, the comparisons, the discrepancies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from services.cli.session import Session
from services.settlement.bootstrap.reconciling import Reconciled
from services.settlement.reconcile.amount import number, words
from services.settlement.reconcile.code import MEANING, Code
from services.settlement.reconcile.control import Amounts, Sheet
from services.settlement.reconcile.coverage import IN_TRANSIT, NOT_COVERED
from services.settlement.reconcile.discrepancy import RESOLVED, Discrepancy
from services.settlement.reconcile.judge import SIDES

SHOWN_OF_ID = 10
"""Commands take the beginning of an id, as long as it is the beginning of one only."""
_WHY = {
    "LISTED": "held or carried by the latest batch",
    "SINCE": "recorded or due after the latest batch",
    "MISSING": "in no line, though the latest batch saw them",
}

_OUTSIDE = {
    NOT_COVERED: "not covered by the compare feed",
    IN_TRANSIT: "in transit between the feeds",
}


def document(done: Reconciled) -> dict[str, Any]:
    """What `--output json` prints."""
    terms, seen, recorded = done.terms, done.seen, done.recorded
    return {
        "partner": terms.partner,
        "period": terms.month.name,
        "run": recorded.run,
        "ties": not recorded.unresolved,
        "units": [
            {
                "unit": sheet.unit,
                "opening": sheet.opening,
                "movements": [one._asdict() for one in sheet.movements],
                "closing": sheet.closing,
                "difference": sheet.difference,
            }
            for sheet in seen.sheets
        ],
        "batches": [{"batch": batch, "state": state} for batch, state in seen.batches],
        "coverage": [
            {**one._asdict(), "first": one.first.isoformat(), "last": one.last.isoformat()}
            for one in seen.coverage
        ],
        "outside": [{**one._asdict(), "since": one.since.isoformat()} for one in seen.outside],
        "comparisons": [one._asdict() for one in seen.tallies],
        "waiting": [one._asdict() for one in seen.waiting],
        "answers": {"outcomes": dict(seen.outcomes), **seen.unanswered._asdict()},
        "new": recorded.new,
        "closed": recorded.gone,
        "discrepancies": [row_of(one, terms.on) for one in recorded.standing],
    }


def print_reconciled(session: Session, done: Reconciled) -> None:
    """The same for people; what is no table goes to stderr."""
    terms, seen, recorded = done.terms, done.seen, done.recorded
    for sheet in seen.sheets:
        _print_sheet(session, sheet, f"{terms.partner}, {terms.month.name}, {sheet.unit}")
    if not seen.sheets:
        session.say(f"nothing was ever granted under a contract of {terms.partner}")
    _print_tallies(session, done)
    for one in seen.waiting:
        session.say(f"due transfers: {one.transfers}, {words(one.amount, one.unit)}, "
                    f"{_WHY[one.why]}")  # fmt: skip
    if seen.outcomes:
        session.say("answers: " + ", ".join(f"{name} {count}" for name, count in seen.outcomes))
    if seen.unanswered.in_time:
        session.say(f"{seen.unanswered.in_time} lines wait for an answer, all in time")
    if recorded.standing:
        print_discrepancies(session, recorded.standing, terms.on)
    counts = f"run {recorded.run}: {recorded.new} new, {recorded.gone} gone"
    if recorded.unresolved:
        session.say(f"{counts}, {recorded.unresolved} unresolved")
    else:
        session.say(f"{counts}; everything ties"
                    + (" but what was resolved" if recorded.standing else ""))  # fmt: skip


def _print_sheet(session: Session, sheet: Sheet, title: str) -> None:
    places = sheet.places

    def cells(amounts: Amounts) -> list[str]:
        found = [number(amounts.get(place, 0), sheet.unit) for place in places]
        return [*found, number(sum(amounts.values()), sheet.unit)]

    rows: list[list[object]] = [["opening", "", *cells(sheet.opening)]]
    rows += [
        [one.kind.lower().replace("_", " "), one.transfers, *cells(one.amounts)]
        for one in sheet.movements
    ]
    rows.append(["closing", "", *cells(sheet.closing)])
    rows.append(["difference to the ledger", "", *cells(sheet.difference)])
    session.table(("", "transfers", *places, "sum"), rows, title=title)
    stands = ", ".join(
        f"{name} {words(sheet.closing.get(place, 0), sheet.unit)}"
        for place, name in (("payable", "payable"), ("clearing", "in clearing"),
                            ("bank", "at the bank"))
    )  # fmt: skip
    session.say(stands)


def _print_tallies(session: Session, done: Reconciled) -> None:
    rows = [
        [SIDES[one.check][0], one.left_rows, number(one.left_amount, one.unit),
         SIDES[one.check][1], one.right_rows, number(one.right_amount, one.unit), one.unit,
         number(one.left_amount - one.right_amount, one.unit)]
        for one in done.seen.tallies
    ]  # fmt: skip
    if rows:
        session.table(
            ("left", "rows", "amount", "right", "rows", "amount", "unit", "difference"), rows
        )
    if not done.seen.compares:
        session.say("no compare feed is recorded: the books feed stands by itself")
    month = done.terms.month.name
    for feed in done.seen.coverage:
        session.say(f"the compare feed of {feed.issuer} covers {feed.first} to {feed.last}: "
                    f"{feed.days} of {feed.of_days} days of {month}")  # fmt: skip
    for one in done.seen.outside:
        session.say(f"{_OUTSIDE[one.why]}: {one.events} of {one.issuer} since {one.since}, "
                    f"{words(one.amount, one.unit)}")  # fmt: skip


def print_discrepancies(session: Session, found: Sequence[Discrepancy], on: date) -> None:
    """One on a line, with its age on a day."""
    rows = [
        [one.id[:SHOWN_OF_ID], one.code, one.subject, words(one.amount, one.unit), one.owner,
         one.age(on), one.state, one.detail]
        for one in found
    ]  # fmt: skip
    session.table(("id", "code", "subject", "amount", "owner", "days", "state", "what"), rows)


def row_of(one: Discrepancy, on: date) -> dict[str, Any]:
    """A discrepancy as JSON has it."""
    return {
        "id": one.id, "partner": one.partner, "period": one.period, "comparison": one.check,
        "code": one.code, "meaning": MEANING[Code(one.code)].words, "subject": one.subject,
        "amount": one.amount, "unit": one.unit, "owner": one.owner,
        "first_seen": one.first_seen.isoformat(), "days": one.age(on), "state": one.state,
        "second_eyes": one.second_eyes, "resolved_by": one.who, "reason": one.reason,
        "approved_by": one.approver, "detail": one.detail,
    }  # fmt: skip


def print_one(session: Session, one: Discrepancy, on: date) -> None:
    """One discrepancy, and what is next."""
    if session.document(row_of(one, on)):
        return
    print_discrepancies(session, (one,), on)
    if one.state == RESOLVED:
        session.say(f"{one.id} is resolved")
    else:
        session.say(f"now somebody else: milepost discrepancy approve {one.id} --approver WHO")
