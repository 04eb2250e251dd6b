"""What `explain` says: what an event was and did, and what changed its purchase later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from services.accrual.engine.decide import Decision
from services.accrual.engine.explain import Told
from services.accrual.engine.words import (
    amount_words,
    kind_words,
    moment_words,
    signed_words,
)
from services.accrual.intake import decode
from services.accrual.lifecycle.purchase import Purchase
from services.accrual.lookup.belonging import named
from services.accrual.lookup.history import History
from services.accrual.lookup.records import EventRow, LetterRow, Movement, Place
from services.kernel.identifiers import transfer_id
from services.kernel.transaction import CardTransaction, Role

Document = dict[str, Any]
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


def document(
    row: EventRow,
    event: CardTransaction,
    *,
    steps: list[Document],
    purchase: Purchase | None = None,
    told: Told | None = None,
    history: History | None = None,
    later: list[Document] | None = None,
) -> Document:
    """The whole of an explanation in the form that interfaces promise."""
    granted = [] if history is None or purchase is None else _granted(history, purchase)
    transfers = [] if history is None else _transfers(history, row)
    return {
        "issuer_id": event.issuer_id,
        "event_id": event.event_id,
        "outcome": row.outcome,
        "reason": row.reason,
        "purchase": purchase.label or None if purchase is not None else None,
        "facts": None if told is None else told.facts,
        "versions": [] if told is None else told.versions,
        "steps": steps,
        "granted": granted,
        "transfers": transfers,
        "later": later or [],
    }


def rejected(letter: LetterRow) -> Document:
    """A record that is no event; its bytes stay sealed."""
    place = f"{letter.source_topic}/{letter.source_partition}/{letter.source_offset}"
    text = (
        f"the record {place} was rejected: {letter.reason}. Its bytes are sealed; "
        f"`milepost dead-letters show` opens them for the holder of the key"
    )
    return {
        "issuer_id": None, "event_id": None, "outcome": "REJECTED", "reason": letter.reason,
        "purchase": None, "facts": None, "versions": [],
        "steps": [{"step": "outcome", "text": text}],
        "granted": [], "transfers": [], "later": [],
    }  # fmt: skip


def event_step(row: EventRow, event: CardTransaction) -> Document:
    """What the event says, and where it is recorded."""
    place = f"{row.stream} seq {row.seq}"
    if row.offset_at is not None:
        place += f", offset {row.offset_at}"
    text = (
        f"{kind_words(event.kind)} {event.event_id} of "
        f"{amount_words(event.billing_amount, event.billing_currency)} "
        f"at {moment_words(event.occurred_at)}, recorded as {place}"
    )
    return {
        "step": "event", "text": text, "kind": event.kind, "amount": event.billing_amount,
        "currency": event.billing_currency, "stream": row.stream, "seq": row.seq,
        "offset": row.offset_at, "source": row.source,
    }  # fmt: skip


def effect_steps(
    history: History, row: EventRow, own: Purchase | None, decision: Decision
) -> list[Document]:
    """What the event posted: for its own purchase, and for others whose room it moved."""
    sums: dict[tuple[Place, str, str], int] = {}
    for one in history.movements:
        if one.place == row.place:
            key = ((one.of_stream_id, one.of_purchase), one.rule, one.unit)
            sums[key] = sums.get(key, 0) + one.amount
    mine = None if own is None else (own.issuer_id, own.key)
    steps: list[Document] = []
    for (place, rule, unit), amount in sums.items():
        of = history.numbered(place)
        label = "" if of is None else of.label
        text = f"this event posted {label} {signed_words(amount, unit)} by {rule}"
        if of is not None and (of.issuer_id, of.key) != mine:
            if of.ties is not None:
                text += ": events moved by exact keys, or room"
            else:
                text += ": room freed" if amount > 0 else ": room taken"
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
    history: History, purchase: Purchase, row: EventRow, causes: Mapping[Place, EventRow]
) -> list[Document]:
    """Every change of the purchase after an event, and the events of it that changed nothing."""
    sums: dict[tuple[Place, str, str, date], int] = {}
    for one in history.granted(purchase):
        if one.seq > row.seq:
            key = (one.place, one.rule, one.unit, one.effective_on)
            sums[key] = sums.get(key, 0) + one.amount
    entries = [
        _later(history, purchase, causes[place], rule=rule, unit=unit, on=on, amount=amount)
        for (place, rule, unit, on), amount in sums.items()
    ]
    _stand(entries, history, purchase, row)
    moved = {place[1] for place, _, _, _ in sums}
    for leg in purchase.legs:
        if leg.seq > row.seq and leg.seq not in moved:
            cause = history.rows[leg.seq]
            entries.append(
                _later(history, purchase, cause, rule=None, unit=None, on=None, amount=0)
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
) -> Document:
    why = _why(history, purchase, cause, amount)
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


def _why(history: History, purchase: Purchase, cause: EventRow, amount: int) -> str:
    """What an event did to a purchase, its own or another one's."""
    if cause.role == Role.COMMAND:
        return _command(json.loads(cause.body))
    event = history.events.get(cause.seq) or decode(cause.body)
    other = history.purchase_of(cause.seq)
    name = f"{kind_words(event.kind)} {event.event_id}"
    if other is None or (other.issuer_id, other.key) == (purchase.issuer_id, purchase.key):
        return f"{name} of {amount_words(event.billing_amount, event.billing_currency)}"
    if purchase.ties is not None and other.ties is not None:
        return f"events moved by exact keys, or room ({name})"
    moved = "freed" if amount > 0 else "taken"
    did = _WENT_BACK.get(event.kind, "changed")
    return f"room {moved} when {named(other)} {did} ({name})"


def _command(inputs: Mapping[str, Any]) -> str:
    match inputs.get("command"):
        case "member-import":
            return "members were imported"
        case "contract-approve":
            return f"{inputs['contract']}/{inputs['version']} was approved"
        case "review-resolve":
            return f"{inputs['by']} linked {inputs['event']} to {inputs['linked_to']}"
        case _:
            return "decided anew on request"


def _granted(history: History, purchase: Purchase) -> list[Document]:
    sums: dict[tuple[str, int, str, str, str], int] = {}
    for part, amount in history.held(purchase).items():
        if part.party:
            continue  # a fee is no reward
        sums[part[:5]] = sums.get(part[:5], 0) + amount
    names = ("contract", "version", "rule", "funder", "unit")
    return [
        dict(zip(names, key, strict=True)) | {"amount": amount}
        for key, amount in sorted(sums.items())
        if amount
    ]


def _transfers(history: History, row: EventRow) -> list[Document]:
    found = [one for one in (*history.movements, *history.fees) if one.place == row.place]
    return [_transfer(history, one) for one in sorted(found, key=lambda one: one.leg)]


def _transfer(history: History, one: Movement) -> Document:
    of = history.numbered((one.of_stream_id, one.of_purchase))
    fee = {"party": one.party} if one.party else {}
    return {
        "transfer_id": str(transfer_id(one.stream, one.seq, one.leg)),
        "purchase": None if of is None else of.label,
        "contract": one.contract,
        "version": one.version,
        "rule": one.rule,
        "funder": one.funder,
        "unit": one.unit,
        "amount": one.amount,
        "effective_on": one.effective_on.isoformat(),
        "available_on": one.available_on.isoformat(),
        **fee,
    }
