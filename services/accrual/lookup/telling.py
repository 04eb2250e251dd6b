"""What `explain` says of an event: what it was, which purchase it belongs to, what it posted."""

from __future__ import annotations

from typing import Any

from services.accrual.engine.explain import Told
from services.accrual.engine.words import amount_words, kind_words, moment_words
from services.accrual.lifecycle.purchase import Purchase
from services.accrual.lookup.history import History
from services.accrual.lookup.records import EventRow, LetterRow, Movement
from services.kernel.identifiers import transfer_id
from services.kernel.transaction import CardTransaction

Document = dict[str, Any]


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
