"""`lithic-events`: the card-transaction webhooks of the issuer processor Lithic.

A record is a snapshot of one transaction; its list `events` repeats all earlier events, so a record
gives several events, and the next record gives them again. What is told of an event is therefore
taken from the event itself, or from what does not change between snapshots:

    event_id                events[].token
    lifecycle_id            token of the transaction; joins its events
    kind                    events[].type, effective_polarity and result, by the tables below
    account_id, card_token  account_token, card_token
    occurred_at             a presentment: created of the transaction, the instant of the purchase;
                            any other event: its own created
    billing_*               events[].amounts.cardholder, without sign: the kind gives the direction
    transaction_*           events[].amounts.merchant, without sign
    scheme_reference        events[].network_info.<network>: the reference of the message that it
                            follows, else its own; one of zeros only is none
    arn                     events[].network_info.acquirer.acquirer_reference_number
    merchant_*, mcc         merchant: acceptor_id, descriptor, city, country (three letters → two)
    channel                 pos.entry_mode: how the cardholder and the card number were present
    attributes              lithic.type and lithic.result, as they came

No field has the posting date, and none the card product: both are absent. The amounts, status and
authorization code of the transaction are those of the latest event, and its tags may be edited:
they are not told, or one event would have two contents. Members that the tables do not have are
refused; other fields of the webhook, also new ones, are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from services.ingest.feeds import reading
from services.ingest.feeds.countries import ALPHA2
from services.ingest.feeds.feed import Feed, Parse
from services.ingest.feeds.guard import any_card_number, refusal
from services.ingest.feeds.rules import fault
from services.ingest.feeds.strictjson import plain, read_object, repeated_key
from services.kernel.errors import Rejected
from services.kernel.transaction import CardTransaction, Channel, Kind

WEBHOOKS = frozenset({"card_transaction.updated"})
"""The webhooks of this feed. Without `event_type` a record is the transaction itself."""

STATUSES = frozenset({"DECLINED", "EXPIRED", "PENDING", "SETTLED", "VOIDED"})
"""Where the transaction stands as a whole. Its events say the same, one by one."""

KINDS: Mapping[str, Mapping[str, Kind | None]] = {
    # Approvals and holds move no money.
    "AUTHORIZATION": {"DEBIT": Kind.AUTHORIZATION, "CREDIT": Kind.AUTHORIZATION},
    "AUTHORIZATION_ADVICE": {"DEBIT": Kind.AUTHORIZATION, "CREDIT": Kind.AUTHORIZATION},
    "BALANCE_INQUIRY": {"DEBIT": Kind.AUTHORIZATION, "CREDIT": Kind.AUTHORIZATION},
    "CREDIT_AUTHORIZATION": {"DEBIT": Kind.AUTHORIZATION, "CREDIT": Kind.AUTHORIZATION},
    "CREDIT_AUTHORIZATION_ADVICE": {"DEBIT": Kind.AUTHORIZATION, "CREDIT": Kind.AUTHORIZATION},
    "AUTHORIZATION_EXPIRY": {
        "DEBIT": Kind.AUTHORIZATION_REVERSAL, "CREDIT": Kind.AUTHORIZATION_REVERSAL,
    },
    "AUTHORIZATION_REVERSAL": {
        "DEBIT": Kind.AUTHORIZATION_REVERSAL, "CREDIT": Kind.AUTHORIZATION_REVERSAL,
    },
    # A clearing may be of a purchase or of a credit that was authorized.
    "CLEARING": {"DEBIT": Kind.PRESENTMENT, "CREDIT": Kind.REFUND},
    # Single messages that authorize and clear at once.
    "FINANCIAL_AUTHORIZATION": {"DEBIT": Kind.PRESENTMENT, "CREDIT": None},
    "FINANCIAL_CREDIT_AUTHORIZATION": {"DEBIT": None, "CREDIT": Kind.REFUND},
    "RETURN": {"DEBIT": None, "CREDIT": Kind.REFUND},
    "RETURN_REVERSAL": {"DEBIT": Kind.REFUND_REVERSAL, "CREDIT": None},
    "CORRECTION_CREDIT": {"DEBIT": None, "CREDIT": Kind.ADJUSTMENT_CREDIT},
    "CORRECTION_DEBIT": {"DEBIT": Kind.ADJUSTMENT_DEBIT, "CREDIT": None},
}  # fmt: skip
"""What an approved event is, by type and polarity. None: the two contradict, it is refused."""

REQUESTS = frozenset({"FINANCIAL_AUTHORIZATION", "FINANCIAL_CREDIT_AUTHORIZATION"})
"""Types that move money and can be declined; then they are attempts, and move none.

The other types that move money tell what has happened: one that was not approved is refused.
"""

APPROVED: Mapping[str, bool] = {
    "APPROVED": True,
    "ACCOUNT_PAUSED": False,
    "ACCOUNT_STATE_TRANSACTION_FAIL": False,
    "BANK_CONNECTION_ERROR": False,
    "BANK_NOT_VERIFIED": False,
    "CARD_CLOSED": False,
    "CARD_PAUSED": False,
    "DECLINED": False,
    "FRAUD_ADVICE": False,
    "IGNORED_TTL_EXPIRY": False,
    "INACTIVE_ACCOUNT": False,
    "INCORRECT_PIN": False,
    "INSUFFICIENT_FUNDS": False,
    "INSUFFICIENT_FUNDS_PRELOAD": False,
    "INVALID_CARD_DETAILS": False,
    "INVALID_TRANSACTION": False,
    "MERCHANT_BLACKLIST": False,
    "ORIGINAL_NOT_FOUND": False,
    "PREVIOUSLY_COMPLETED": False,
    "SINGLE_USE_RECHARGED": False,
    "SUSPECTED_FRAUD": False,
    "SWITCH_INOPERATIVE_ADVICE": False,
    "UNAUTHORIZED_MERCHANT": False,
    "UNKNOWN_HOST_TIMEOUT": False,
    "USER_TRANSACTION_LIMIT": False,
}
"""Whether an event with this result took effect."""

CARDHOLDER_PRESENCE: Mapping[str, Channel | None] = {
    "PRESENT": Channel.IN_STORE,
    "ELECTRONIC_ORDER": Channel.ONLINE,
    "MAIL_ORDER": Channel.PHONE,  # to the networks, mail and telephone orders are one thing
    "TELEPHONE_ORDER": Channel.PHONE,
    "REOCCURRING": Channel.RECURRING,
    "INSTALLMENT": Channel.RECURRING,
    "DEFERRED_BILLING": None,
    "NOT_PRESENT": None,
    "PREAUTHORIZED": None,
    "UNKNOWN": None,
}
NUMBER_ENTRY: Mapping[str, Channel | None] = {
    "ECOMMERCE": Channel.ONLINE,
    "CONTACTLESS": Channel.IN_STORE,
    "ICC": Channel.IN_STORE,
    "MAGNETIC_STRIPE": Channel.IN_STORE,
    "ERROR_MAGNETIC_STRIPE": Channel.IN_STORE,
    "AUTO_ENTRY": None,
    "BAR_CODE": None,
    "CREDENTIAL_ON_FILE": None,
    "ERROR_KEYED": None,
    "KEY_ENTERED": None,
    "MANUAL": None,
    "OCR": None,
    "SECURE_CARDLESS": None,
    "UNKNOWN": None,
    "UNSPECIFIED": None,
}
"""Where the card was used, by how its number was entered, when the cardholder's presence leaves
it open."""

_ARN = "acquirer_reference_number"
_NETWORKS = {
    "amex": ("original_transaction_id", "transaction_id"),
    "mastercard": ("original_banknet_reference_number", "banknet_reference_number"),
    "visa": ("original_transaction_id", "transaction_id"),
}
# Lithic's tokens have this form. One in a thousand holds a run of digits that passes for a card
# number, so the form itself exempts them.
_TOKEN = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def parser(feed: Feed) -> Parse:
    """The format of one feed."""

    def parse(value: bytes) -> tuple[CardTransaction | Rejected, ...]:
        try:
            members = read_object(value)
            transaction: dict[str, Any] = plain(members)
            if any_card_number(_guarded(transaction, feed.numeric_ids)):
                raise refusal()
            repeated = repeated_key(members)
            if repeated is not None:
                raise Rejected("DUPLICATE_KEY", repeated, "comes twice")
            return tuple(_events(transaction, feed))
        except Rejected as rejected:
            return (rejected,)

    return parse


def _guarded(transaction: dict[str, Any], numeric_ids: frozenset[str]) -> Iterator[Any]:
    """Everything that can become text of an event, whatever its type."""
    merchant = _dict(transaction.get("merchant"))
    found = [transaction.get("account_token"), transaction.get("card_token")]
    found += [merchant.get(name) for name in ("acceptor_id", "descriptor", "city", "country")]
    if "lifecycle_id" not in numeric_ids:
        found.append(transaction.get("token"))
    events = transaction.get("events")
    for event in events if isinstance(events, list) else []:
        network = _dict(_dict(event).get("network_info"))
        if "event_id" not in numeric_ids:
            found.append(_dict(event).get("token"))
        if "arn" not in numeric_ids:
            found.append(_dict(network.get("acquirer")).get(_ARN))
        if "scheme_reference" not in numeric_ids:
            found += [_dict(network.get(name)) for name in _NETWORKS]
    for value in found:
        if not (isinstance(value, str) and _TOKEN.fullmatch(value)):
            yield value


def _events(transaction: dict[str, Any], feed: Feed) -> Iterator[CardTransaction | Rejected]:
    """Each event by itself, so that one that is refused does not hold the others back."""
    if "event_type" in transaction:
        reading.choice(WEBHOOKS, transaction, "event_type", "")
    reading.choice(STATUSES, transaction, "status", "")
    common: dict[str, Any] = {
        "issuer_id": feed.issuer,
        "lifecycle_id": reading.text(transaction, "token", ""),
        "account_id": reading.text(transaction, "account_token", ""),
        "card_token": reading.text(transaction, "card_token", ""),
        "channel": _channel(transaction),
        **_merchant(reading.child(transaction, "merchant", "")),
    }
    purchased_at = reading.moment(transaction, "created", "")
    events = reading.member(transaction, "events", "")
    if not isinstance(events, list):
        raise Rejected("WRONG_TYPE", "events", "must be a list of objects")
    if not events:
        raise Rejected("BAD_VALUE", "events", "holds no event")
    for index, event in enumerate(events):
        at = f"events[{index}]."
        try:
            if not isinstance(event, dict):
                raise Rejected("WRONG_TYPE", at.rstrip("."), "must be an object")
            told = CardTransaction(**common, **_told(event, at, purchased_at))
            yield fault(told, issuer=feed.issuer) or told
        except Rejected as rejected:
            yield rejected


def _told(event: dict[str, Any], at: str, purchased_at: int) -> dict[str, Any]:
    """What one event tells by itself."""
    amounts = reading.child(event, "amounts", at)
    billed = reading.child(amounts, "cardholder", f"{at}amounts.")
    merchant = reading.child(amounts, "merchant", f"{at}amounts.")
    billing_amount = reading.magnitude(billed, "amount", f"{at}amounts.cardholder.")
    kind = _kind(event, at)
    if billing_amount == 0 and kind is not Kind.AUTHORIZATION_REVERSAL:
        kind = Kind.AUTHORIZATION  # what moves no money is at most an authorization
    created_at = reading.moment(event, "created", at)
    network = _dict(event.get("network_info"))
    return {
        "event_id": reading.text(event, "token", at),
        "kind": kind.value,
        "occurred_at": purchased_at if kind is Kind.PRESENTMENT else created_at,
        "billing_amount": billing_amount,
        "billing_currency": reading.text(billed, "currency", f"{at}amounts.cardholder."),
        "transaction_amount": reading.magnitude(merchant, "amount", f"{at}amounts.merchant."),
        "transaction_currency": reading.text(merchant, "currency", f"{at}amounts.merchant."),
        "scheme_reference": _reference(network, f"{at}network_info."),
        "arn": reading.optional(
            _dict(network.get("acquirer")), _ARN, f"{at}network_info.acquirer."
        ),
        "attributes": {"lithic.type": event["type"], "lithic.result": event["result"]},
    }


def _kind(event: dict[str, Any], at: str) -> Kind:
    type_ = reading.text(event, "type", at)
    if type_ not in KINDS:
        raise Rejected("UNKNOWN_KIND", f"{at}type", "is no type of this feed")
    polarity = reading.choice(KINDS[type_], event, "effective_polarity", at)
    result = reading.choice(APPROVED, event, "result", at)
    kind = KINDS[type_][polarity]
    if kind is None:
        raise Rejected("BAD_VALUE", f"{at}effective_polarity", f"{type_} is never {polarity}")
    if APPROVED[result] or kind in (Kind.AUTHORIZATION, Kind.AUTHORIZATION_REVERSAL):
        return kind
    if type_ in REQUESTS:
        return Kind.AUTHORIZATION
    raise Rejected("BAD_VALUE", f"{at}result", f"{type_} has happened and cannot be {result}")


def _channel(transaction: dict[str, Any]) -> str | None:
    """Where the card was used; absent when the webhook does not say."""
    mode = _dict(_dict(transaction.get("pos")).get("entry_mode"))
    if not mode:
        return None
    cardholder = reading.choice(CARDHOLDER_PRESENCE, mode, "cardholder", "pos.entry_mode.")
    number = reading.choice(NUMBER_ENTRY, mode, "pan", "pos.entry_mode.")
    return CARDHOLDER_PRESENCE[cardholder] or NUMBER_ENTRY[number]


def _merchant(merchant: dict[str, Any]) -> dict[str, str | None]:
    country = reading.optional(merchant, "country", "merchant.")
    if country is not None and country not in ALPHA2:
        raise Rejected("BAD_VALUE", "merchant.country", "is no country code of three letters")
    return {
        "merchant_id": reading.optional(merchant, "acceptor_id", "merchant."),
        "merchant_name": reading.optional(merchant, "descriptor", "merchant."),
        "merchant_city": reading.optional(merchant, "city", "merchant."),
        "merchant_country": None if country is None else ALPHA2[country],
        "mcc": reading.optional(merchant, "mcc", "merchant."),
    }


def _reference(network: dict[str, Any], at: str) -> str | None:
    for name, keys in _NETWORKS.items():
        for key in keys:
            reference = reading.optional(_dict(network.get(name)), key, f"{at}{name}.")
            if reference is not None and reference.strip("0"):
                return reference
    return None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
