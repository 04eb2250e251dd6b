"""`milepost-json`: one canonical transaction a record, as a JSON object.

    {"event_id": "e1", "issuer_id": "first-bank", "kind": "PRESENTMENT", "account_id": "a1",
     "card_token": "t1", "occurred_at": "2026-03-05T12:00:00+01:00", "posted_on": "2026-03-06",
     "billing_amount": 12300, "billing_currency": "NOK", "mcc": "5812"}

Every name is one of `FIELDS`. A field marked `?` in the interface may be absent or null; the four
parts of the billing amount and the attributes may be absent. Amounts are whole numbers of 64 bits.

Two ways give the same events. The quick one reads the record straight into a typed event and
gives up at the first doubt; the exact one reads it again and names the first reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from services.ingest.feeds.feed import Feed, Parse
from services.ingest.feeds.guard import event_guard, members_guard, refusal
from services.ingest.feeds.moments import day, instant
from services.ingest.feeds.rules import (
    ID_LENGTH_MAX,
    INT64_MAX,
    PARTS,
    amounts_fit,
    fault,
    is_country,
    is_mcc,
    known_currency,
)
from services.ingest.feeds.strictjson import (
    Members,
    read_object,
    repeated_key,
    shown,
    whole_number,
)
from services.kernel.errors import Rejected
from services.kernel.transaction import FIELDS, CardTransaction

REQUIRED = ("event_id", "issuer_id", "kind", "account_id", "card_token", "occurred_at",
            "billing_amount", "billing_currency")  # fmt: skip
_LONGS = ("billing_amount", "transaction_amount", *PARTS)
_NEVER_NULL = frozenset({*REQUIRED, *PARTS, "attributes"})
_KNOWN = frozenset(FIELDS)


def parser(feed: Feed) -> Parse:
    """The format of one feed."""
    quick, exact = _quick_reader(feed), _exact_reader(feed)

    def parse(value: bytes) -> tuple[CardTransaction | Rejected, ...]:
        event = quick(value)
        if event is not None:
            return (event,)
        try:
            return (exact(value),)
        except Rejected as rejected:
            return (rejected,)

    return parse


# ── the quick way ───────────────────────────────────────────────────────────────────────────────


class _Instant(int):
    """Microseconds since the epoch, written as RFC 3339."""


class _Day(int):
    """Days since the epoch, written as an ISO date."""


_Id = Annotated[str, Meta(min_length=1, max_length=ID_LENGTH_MAX)]
_Amount = Annotated[int, Meta(ge=0, le=INT64_MAX)]
_Kind = Literal[
    "AUTHORIZATION", "AUTHORIZATION_REVERSAL", "PRESENTMENT", "PRESENTMENT_REVERSAL", "REFUND",
    "REFUND_REVERSAL", "CHARGEBACK", "CHARGEBACK_REVERSAL", "ADJUSTMENT_CREDIT",
    "ADJUSTMENT_DEBIT",
]  # fmt: skip


class _Line(CardTransaction, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event with the limits that the decoder itself can hold it to."""

    event_id: _Id
    issuer_id: _Id
    kind: _Kind
    lifecycle_id: _Id | None = None
    original_event_id: _Id | None = None
    scheme_reference: _Id | None = None
    arn: _Id | None = None
    authorization_code: _Id | None = None
    account_id: _Id
    card_token: _Id
    card_product: _Id | None = None
    occurred_at: _Instant
    posted_on: _Day | None = None
    billing_amount: _Amount
    transaction_amount: _Amount | None = None
    cash_amount: _Amount = 0
    tip_amount: _Amount = 0
    fee_amount: _Amount = 0
    tax_amount: _Amount = 0
    merchant_id: _Id | None = None
    channel: Literal["IN_STORE", "ONLINE", "PHONE", "RECURRING"] | None = None


def _moment(kind: type, value: Any) -> Any:
    if type(value) is not str:
        raise ValueError
    micros_or_days = instant(value) if kind is _Instant else day(value)
    if micros_or_days is None:
        raise ValueError
    return kind(micros_or_days)


_decode = msgspec.json.Decoder(_Line, dec_hook=_moment).decode
# What was written, member by member: absent members stay absent, so that nothing is written back
# but what came, and a key that came twice shows as quotes that are missing.
_Written = msgspec.defstruct(
    "_Written", [(name, Any, msgspec.field(default=msgspec.UNSET)) for name in FIELDS]
)
_decode_written = msgspec.json.Decoder(_Written).decode
_encode_written = msgspec.json.Encoder().encode


def _quick_reader(feed: Feed) -> Callable[[bytes], CardTransaction | None]:
    issuer, carries_card_number = feed.issuer, event_guard(feed.numeric_ids)

    def read(value: bytes) -> CardTransaction | None:
        # Escapes can hide anything; DEL and the C1 controls (C2 80 … C2 9F) are not stored.
        if b"\\" in value or b"\x7f" in value or (b"\xc2" in value and not value.isascii()):
            return None
        try:
            line = _decode(value)
            written = _encode_written(_decode_written(value))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        if (
            written.count(b'"') != value.count(b'"')
            or line.issuer_id != issuer
            or not known_currency(line.billing_currency)
            or not amounts_fit(line)
            or not _absent_or(known_currency, line.transaction_currency)
            or not _absent_or(is_mcc, line.mcc)
            or not _absent_or(is_country, line.merchant_country)
            or carries_card_number(line)
        ):
            return None
        return line

    return read


def _absent_or(holds: Callable[[str], bool], text: str | None) -> bool:
    return text is None or holds(text)


# ── the exact way ───────────────────────────────────────────────────────────────────────────────


def _exact_reader(feed: Feed) -> Callable[[bytes], CardTransaction]:
    carrier_of_card_number = members_guard(feed.numeric_ids)

    def read(value: bytes) -> CardTransaction:
        members = read_object(value)
        carrier = carrier_of_card_number(members)
        if carrier is not None:
            raise refusal(carrier)
        repeated = repeated_key(members)
        if repeated is not None:
            raise Rejected("DUPLICATE_KEY", repeated, "comes twice")
        event = _typed(members)
        wrong = fault(event, issuer=feed.issuer)
        if wrong is not None:
            raise wrong
        return event

    return read


def _typed(members: Members) -> CardTransaction:
    """The event, with every value of its type. Raises Rejected: UNKNOWN_FIELD to BAD_VALUE."""
    given = dict(members)
    for name in given:
        if name not in _KNOWN:
            raise Rejected("UNKNOWN_FIELD", shown(name), "is no field of a transaction")
    for name in REQUIRED:
        if name not in given:
            raise Rejected("MISSING_FIELD", name, "is required")
    values: dict[str, Any] = {
        name: _value(name, given[name])
        for name in FIELDS
        if name in given and not (given[name] is None and name not in _NEVER_NULL)
    }
    for name, read, what in (
        ("occurred_at", instant, "an RFC 3339 instant with offset, between 1970 and 2999"),
        ("posted_on", day, "an ISO date, between 1970 and 2999"),
    ):
        if name in values:
            values[name] = read(values[name])
            if values[name] is None:
                raise Rejected("BAD_VALUE", name, f"must be {what}")
    return CardTransaction(**values)


def _value(name: str, value: Any) -> Any:
    if name in _LONGS:
        number = whole_number(value)
        if number is None:
            raise Rejected("WRONG_TYPE", name, "must be a whole number of 64 bits")
        return number
    if name == "attributes":
        if type(value) is not Members or any(type(text) is not str for _, text in value):
            raise Rejected("WRONG_TYPE", name, "must be an object of texts")
        return dict(value)
    if type(value) is not str:
        raise Rejected("WRONG_TYPE", name, "must be a text")
    return value
