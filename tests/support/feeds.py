"""Feeds and records of every format, of which a test names only what it is about."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from lithic.types import Transaction

from services.ingest.adapters.schemas import load_schemas
from services.ingest.feeds.encoding import FRAME, encode_as_given
from services.ingest.feeds.feed import Feed, Parse
from services.ingest.feeds.formats import parser
from services.kernel.errors import Rejected
from services.kernel.transaction import CardTransaction, Role
from tests.support import builders

_LINE: dict[str, Any] = {
    "event_id": "e1",
    "issuer_id": "first-bank",
    "kind": "PRESENTMENT",
    "account_id": "a1",
    "card_token": "t1",
    "occurred_at": "2026-03-05T12:00:00+01:00",
    "billing_amount": 12300,
    "billing_currency": "NOK",
}


def feed(format_: str = "milepost-json", *, numeric_ids: tuple[str, ...] = ()) -> Feed:
    """A books feed of first-bank."""
    return Feed(
        "first-bank", "first-bank", Role.BOOKS, "card-feed.first-bank", format_,
        frozenset(numeric_ids),
    )  # fmt: skip


def parse_with(feed_: Feed) -> Parse:
    """The parser of a feed, with the schemas of the house."""
    return parser(feed_, load_schemas())


def fields(**changes: Any) -> dict[str, Any]:
    """A valid record of milepost-json as a dict; a change to `...` leaves the field out."""
    return {name: value for name, value in (_LINE | changes).items() if value is not ...}


def line(**changes: Any) -> bytes:
    """A valid record of milepost-json."""
    return json.dumps(fields(**changes), ensure_ascii=False).encode()


def frame(event_id: str = "e1", **changes: Any) -> bytes:
    """A record of milepost-avro, with whatever values it is given."""
    return FRAME + encode_as_given(builders.event(event_id, **changes))


def only(outcomes: tuple[CardTransaction | Rejected, ...]) -> CardTransaction | Rejected:
    """The one outcome of a record."""
    (outcome,) = outcomes
    return outcome


def token(number: int, kind: int = 0) -> str:
    """A token as Lithic makes them."""
    return f"{kind:08x}-aaaa-4aaa-8aaa-{number:012x}"


def lithic_event(number: int = 1, **changes: Any) -> dict[str, Any]:
    """One event of a Lithic transaction: a clearing of 123.00 NOK, paid as 10.50 EUR."""
    amount, currency = changes.pop("amount", 12300), changes.pop("currency", "NOK")
    sides = {
        "cardholder": {"amount": amount, "conversion_rate": "11.71", "currency": currency},
        "merchant": {"amount": 1050 if amount else 0, "currency": "EUR"},
        "settlement": {"amount": amount, "conversion_rate": "11.71", "currency": currency},
    }
    return {
        "token": token(number, 1),
        "amount": amount,
        "amounts": sides,
        "created": "2026-03-07T03:00:00Z",
        "detailed_results": ["APPROVED"],
        "effective_polarity": "DEBIT",
        "network_info": None,
        "result": "APPROVED",
        "rule_results": [],
        "type": "CLEARING",
    } | changes


def lithic_snapshot(*events: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A Lithic transaction with these events, checked by Lithic's own model, as it is streamed."""
    amount = {"amount": 12300, "currency": "NOK"}
    document = {
        "token": token(1),
        "account_token": token(17, 2),
        "acquirer_fee": None,
        "acquirer_reference_number": None,
        "amount": 12300,
        "amounts": {
            "cardholder": {**amount, "conversion_rate": "11.71"},
            "hold": amount,
            "merchant": {"amount": 1050, "currency": "EUR"},
            "settlement": amount,
        },
        "authorization_amount": 12300,
        "authorization_code": "071234",
        "avs": None,
        "card_token": token(17, 3),
        "cardholder_authentication": None,
        "created": "2026-03-05T11:00:00.637Z",
        "financial_account_token": None,
        "merchant": {
            "acceptor_id": "174030075991",
            "acquiring_institution_id": "191231",
            "city": "LYON",
            "country": "FRA",
            "descriptor": "CAFE DE LA GARE",
            "mcc": "5812",
            "state": "",
        },
        "merchant_amount": 1050,
        "merchant_authorization_amount": 1050,
        "merchant_currency": "EUR",
        "network": "VISA",
        "network_risk_score": None,
        "pos": {
            "entry_mode": {
                "card": "PRESENT",
                "cardholder": "PRESENT",
                "pan": "CONTACTLESS",
                "pin_entered": False,
            },
            "terminal": {
                "attended": True,
                "card_retention_capable": False,
                "on_premise": True,
                "operator": "CARD_ACCEPTOR",
                "partial_approval_capable": False,
                "pin_capability": "CAPABLE",
                "type": "POS_TERMINAL",
                "acceptor_terminal_id": None,
            },
        },
        "result": "APPROVED",
        "settled_amount": 12300,
        "status": "SETTLED",
        "tags": {},
        "token_info": None,
        "updated": "2026-03-07T03:00:01Z",
        "events": list(events),
    } | changes
    Transaction.model_validate(document, strict=False)
    return document


def webhook(*events: dict[str, Any], **changes: Any) -> bytes:
    """The same as bytes of the topic, written by Lithic's own model."""
    model = Transaction.model_validate(lithic_snapshot(*events, **changes))
    text = json.loads(model.to_json(exclude_unset=False))
    return json.dumps({**text, "event_type": "card_transaction.updated"}).encode()


def card_numbers(count: int, seed: int) -> Iterator[str]:
    """Numbers as real cards have them: every issuer's prefix and length, a right check digit."""
    dice = random.Random(seed)
    shapes = [
        *(("4", length) for length in (13, 16, 19)),
        *((str(prefix), 16) for prefix in (51, 52, 53, 54, 55, 2221, 2345, 2699, 2720)),
        *((str(prefix), 15) for prefix in (34, 37)),
        *((str(prefix), 14) for prefix in (36, 38, 300, 303, 305)),
        *(
            (prefix, size)
            for prefix in ("6011", "644", "649", "65", "62")
            for size in range(16, 20)
        ),
        *((str(prefix), 16) for prefix in (3528, 3550, 3589)),
    ]
    for _ in range(count):
        prefix, length = dice.choice(shapes)
        digits = prefix + "".join(dice.choices("0123456789", k=length - len(prefix) - 1))
        total = 0
        for place, digit in enumerate(reversed(digits)):
            doubled = int(digit) * (2 if place % 2 == 0 else 1)
            total += doubled - 9 if doubled > 9 else doubled
        yield digits + str(-total % 10)


def written(number: str, dice: random.Random) -> str:
    """A card number as people write it: plain, or in groups of four."""
    groups = [number[start : start + 4] for start in range(0, len(number), 4)]
    return dice.choice([number, " ".join(groups), "-".join(groups)])


def micros(text: str) -> int:
    """Microseconds since the epoch, counted independently of the code under test."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment - builders.EPOCH) // timedelta(microseconds=1)
