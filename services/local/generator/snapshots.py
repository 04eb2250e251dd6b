"""`lithic-events`, as the second bank's processor writes them: each record is a snapshot of one
transaction, whose list of events repeats all that came before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from services.kernel.calendar import instant
from services.kernel.transaction import CardTransaction, Kind
from services.local.generator.merchants import ALPHA3

_TYPES = {
    Kind.AUTHORIZATION.value: ("AUTHORIZATION", "DEBIT"),
    Kind.PRESENTMENT.value: ("CLEARING", "DEBIT"),
    Kind.REFUND.value: ("RETURN", "CREDIT"),
    Kind.REFUND_REVERSAL.value: ("RETURN_REVERSAL", "DEBIT"),
}
_SINGLE = ("FINANCIAL_AUTHORIZATION", "DEBIT")
"""A purchase that was never authorized apart: one message authorizes and clears it."""
_ENTRY = {"IN_STORE": ("PRESENT", "CONTACTLESS"), "ONLINE": ("ELECTRONIC_ORDER", "ECOMMERCE")}
_encode = msgspec.json.Encoder().encode


def snapshot(events: Sequence[CardTransaction]) -> bytes:
    """The webhook after the last of these events of one purchase, oldest first."""
    first, latest = events[0], events[-1]
    sums = _sums(events)
    authorized = any(event.kind == Kind.AUTHORIZATION for event in events)
    return _encode(
        {
            "event_type": "card_transaction.updated",
            "token": first.lifecycle_id,
            "account_token": first.account_id,
            "card_token": first.card_token,
            "created": _moment(first),
            "updated": _moment(latest),
            "status": "SETTLED" if sums else "PENDING",
            "result": "APPROVED",
            "amount": first.billing_amount,
            "settled_amount": sums,
            "amounts": _transaction_amounts(first, sums),
            "merchant": _merchant(first),
            "merchant_currency": first.transaction_currency or first.billing_currency,
            "network": "VISA",
            "pos": _pos(first),
            "tags": {},
            "events": [_event(event, authorized=authorized) for event in events],
        }
    )


def _event(event: CardTransaction, *, authorized: bool) -> dict[str, Any]:
    single = event.kind == Kind.PRESENTMENT and not authorized
    type_, polarity = _SINGLE if single else _TYPES[event.kind]
    return {
        "token": event.event_id,
        "type": type_,
        "effective_polarity": polarity,
        "result": "APPROVED",
        "detailed_results": ["APPROVED"],
        "rule_results": [],
        "created": _moment(event),
        "amount": event.billing_amount,
        "amounts": {
            "cardholder": _converted(event.billing_amount, event.billing_currency),
            "merchant": _merchant_amount(event),
            "settlement": _converted(event.billing_amount, event.billing_currency),
        },
    }


def _sums(events: Sequence[CardTransaction]) -> int:
    """What is settled after these events."""
    signs = {Kind.PRESENTMENT.value: 1, Kind.REFUND_REVERSAL.value: 1, Kind.REFUND.value: -1}
    return sum(signs.get(event.kind, 0) * event.billing_amount for event in events)


def _transaction_amounts(first: CardTransaction, settled: int) -> dict[str, Any]:
    currency = first.billing_currency
    return {
        "cardholder": _converted(first.billing_amount, currency),
        "hold": {"amount": 0 if settled else first.billing_amount, "currency": currency},
        "merchant": _merchant_amount(first),
        "settlement": {"amount": settled, "currency": currency},
    }


def _converted(amount: int, currency: str) -> dict[str, Any]:
    return {"amount": amount, "conversion_rate": "1.000000", "currency": currency}


def _merchant_amount(event: CardTransaction) -> dict[str, Any]:
    if event.transaction_amount is None:
        return {"amount": event.billing_amount, "currency": event.billing_currency}
    return {"amount": event.transaction_amount, "currency": event.transaction_currency}


def _merchant(event: CardTransaction) -> dict[str, Any]:
    return {
        "acceptor_id": event.merchant_id,
        "acquiring_institution_id": "400001",
        "city": event.merchant_city,
        "country": ALPHA3[event.merchant_country or ""],
        "descriptor": event.merchant_name,
        "mcc": event.mcc,
        "state": "",
    }


def _pos(event: CardTransaction) -> dict[str, Any]:
    cardholder, pan = _ENTRY[event.channel or ""]
    return {
        "entry_mode": {
            "card": "PRESENT" if cardholder == "PRESENT" else "NOT_PRESENT",
            "cardholder": cardholder,
            "pan": pan,
            "pin_entered": False,
        },
        "terminal": {
            "attended": True, "card_retention_capable": False, "on_premise": True,
            "operator": "CARD_ACCEPTOR", "partial_approval_capable": False,
            "pin_capability": "NOT_CAPABLE", "type": "POS_TERMINAL",
        },
    }  # fmt: skip


def _moment(event: CardTransaction) -> str:
    return instant(event.occurred_at).isoformat().replace("+00:00", "Z")
