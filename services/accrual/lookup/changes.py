"""What an event did to purchases, its own and others, and what changed a purchase later."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from services.accrual.contracts.book import Book
from services.accrual.contracts.terms import Kind
from services.accrual.engine.decide import Decision
from services.accrual.engine.words import amount_words, kind_words, signed_words
from services.accrual.intake import decode
from services.accrual.lifecycle.purchase import Purchase
from services.accrual.lookup.belonging import named
from services.accrual.lookup.history import History
from services.accrual.lookup.records import EventRow, Movement, Place
from services.accrual.lookup.telling import Document
from services.kernel.transaction import Role

_WENT_BACK = {
    "REFUND": "was refunded",
    "CHARGEBACK": "was charged back",
    "PRESENTMENT_REVERSAL": "was reversed",
    "ADJUSTMENT_CREDIT": "was credited",
    "PRESENTMENT": "was presented",
    "REFUND_REVERSAL": "got its refund reversed",
    "CHARGEBACK_REVERSAL": "got its chargeback reversed",
    "ADJUSTMENT_DEBIT": "was debited",
}
_BY_KEYS = "events moved by exact keys, or room"
_ROOM = (Kind.CAP, Kind.SPEND)
"""Totals that have room."""


def effect_steps(
    history: History, row: EventRow, own: Purchase | None, decision: Decision, book: Book
) -> list[Document]:
    """What the event posted: for its own purchase, and for others whose room it moved."""
    found: dict[tuple[Place, str, str], list[Movement]] = {}
    for one in history.movements:
        if one.place == row.place:
            key = ((one.of_stream_id, one.of_purchase), one.rule, one.unit)
            found.setdefault(key, []).append(one)
    mine = None if own is None else (own.issuer_id, own.key)
    steps: list[Document] = []
    for (place, rule, unit), parts in found.items():
        of, amount = history.numbered(place), sum(one.amount for one in parts)
        label = "" if of is None else of.label
        text = f"this event posted {label} {signed_words(amount, unit)} by {rule}"
        if of is not None and (of.issuer_id, of.key) != mine:
            text += f": {_BY_KEYS if of.ties is not None else _moved(parts, book)}"
        steps.append(
            {"step": "posted", "text": text, "purchase": label, "rule": rule, "unit": unit,
             "amount": amount}
        )  # fmt: skip
    if not steps:
        reason = "" if decision.reason is None else f": {decision.reason}"
        text = f"this event posted nothing ({decision.outcome}{reason})"
        steps.append({"step": "outcome", "text": text})
    return steps


def settled_steps(
    history: History, purchase: Purchase, causes: Mapping[Place, EventRow]
) -> list[Document]:
    """What sealed batches moved on to the partner."""
    place = (purchase.stream_id, purchase.number)
    sums: dict[tuple[Place, str, date], int] = {}
    for one in history.movements:
        if one.settles and (one.of_stream_id, one.of_purchase) == place:
            key = (one.place, one.unit, one.effective_on)
            sums[key] = sums.get(key, 0) - one.amount
    steps: list[Document] = []
    for (cause, unit, day), amount in sums.items():
        row = causes.get(cause)
        batch = None if row is None else json.loads(row.body).get("batch")
        text = f"{signed_words(amount, unit)} settled in {batch}, through {day}"
        steps.append(
            {"step": "settled", "text": text, "batch": batch, "unit": unit, "amount": amount}
        )
    return steps


def later(
    history: History, purchase: Purchase, row: EventRow, causes: Mapping[Place, EventRow],
    book: Book,
) -> list[Document]:  # fmt: skip
    """Every change of the purchase after an event, and the events of it that changed nothing."""
    found: dict[tuple[Place, str, str, date], list[Movement]] = {}
    for one in history.granted(purchase):
        if one.seq > row.seq:
            key = (one.place, one.rule, one.unit, one.effective_on)
            found.setdefault(key, []).append(one)
    entries = [
        _later(
            history, purchase, causes[place], rule=rule, unit=unit, on=on,
            amount=sum(one.amount for one in parts), moved=_moved(parts, book),
        )
        for (place, rule, unit, on), parts in found.items()
    ]  # fmt: skip
    _stand(entries, history, purchase, row)
    moved = {place[1] for place, _, _, _ in found}
    for leg in purchase.legs:
        if leg.seq > row.seq and leg.seq not in moved:
            cause = history.rows[leg.seq]
            entries.append(
                _later(history, purchase, cause, rule=None, unit=None, on=None, amount=0, moved="")
            )
    return sorted(entries, key=lambda entry: entry["seq"])


def _stand(entries: list[Document], history: History, purchase: Purchase, row: EventRow) -> None:
    """Say of each change what the purchase has after it, in its unit."""
    has: dict[str, int] = {}
    for one in history.granted(purchase):
        if one.seq <= row.seq:
            has[one.unit] = has.get(one.unit, 0) + one.amount
    for entry in sorted(entries, key=lambda entry: entry["seq"]):
        unit = entry["unit"]
        has[unit] = entry["standing"] = has.get(unit, 0) + entry["amount"]


def _later(
    history: History,
    purchase: Purchase,
    cause: EventRow,
    *,
    rule: str | None,
    unit: str | None,
    on: date | None,
    amount: int,
    moved: str,
) -> Document:
    why = _why(history, purchase, cause, moved)
    said = "no change" if unit is None else f"{signed_words(amount, unit)} by {rule}"
    event = None if cause.role == Role.COMMAND else history.events.get(cause.seq)
    return {
        "stream": cause.stream,
        "seq": cause.seq,
        "event_id": None if event is None else event.event_id,
        "kind": None if event is None else event.kind,
        "effective_on": None if on is None else on.isoformat(),
        "rule": rule,
        "unit": unit,
        "amount": amount,
        "text": f"{said}: {why}",
    }


def _moved(parts: Iterable[Movement], book: Book) -> str:
    """What another purchase's event did to a running total of the rule that moved."""
    parts = list(parts)
    kinds = {
        total.kind
        for contract, version, rule in {(one.contract, one.version, one.rule) for one in parts}
        for total in book.totals(contract, version, rule)
    }
    if not kinds.issubset(_ROOM):
        return "what was counted before it changed"
    return "room freed" if sum(one.amount for one in parts) > 0 else "room taken"


def _why(history: History, purchase: Purchase, cause: EventRow, moved: str) -> str:
    """What an event did to a purchase, its own or another one's."""
    if cause.role == Role.COMMAND:
        return command_words(json.loads(cause.body))
    event = history.events.get(cause.seq) or decode(cause.body)
    other = history.purchase_of(cause.seq)
    name = f"{kind_words(event.kind)} {event.event_id}"
    if other is None or (other.issuer_id, other.key) == (purchase.issuer_id, purchase.key):
        return f"{name} of {amount_words(event.billing_amount, event.billing_currency)}"
    if purchase.ties is not None and other.ties is not None:
        return f"{_BY_KEYS} ({name})"
    did = _WENT_BACK.get(event.kind, "changed")
    return f"{moved} when {named(other)} {did} ({name})"


def command_words(inputs: Mapping[str, Any]) -> str:
    """What a recorded command did, by its inputs."""
    match inputs.get("command"):
        case "member-import":
            return "members were imported"
        case "activation-import":
            return "activations were imported"
        case "contract-approve":
            return f"{inputs['contract']}/{inputs['version']} was approved"
        case "review-resolve":
            return f"{inputs['by']} linked {inputs['event']} to {inputs['linked_to']}"
        case _:
            return "decided anew on request"
