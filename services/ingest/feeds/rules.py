"""What every event must be, whatever format it came in: BAD_VALUE to WRONG_ISSUER, in that order.

Types have been checked before. Of several faults the first is reported: by reason, then by field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from services.ingest.feeds.moments import LAST_DAY, LAST_MICROS
from services.kernel.errors import Rejected
from services.kernel.transaction import CardTransaction, Channel, Kind
from services.kernel.units import is_currency

ID_LENGTH_MAX = 256
"""Characters of an id: a longer one does not fit the indexes it ends in."""
INT64_MAX = 2**63 - 1

PARTS = ("cash_amount", "tip_amount", "fee_amount", "tax_amount")
_IDS = ("event_id", "issuer_id", "lifecycle_id", "original_event_id", "scheme_reference", "arn",
        "authorization_code", "account_id", "card_token", "card_product",
        "merchant_id")  # fmt: skip
_TEXTS = (*_IDS, "merchant_name", "merchant_city")
_ZERO_ALLOWED = frozenset({Kind.AUTHORIZATION, Kind.AUTHORIZATION_REVERSAL})
_KINDS = frozenset(kind.value for kind in Kind)
_CHANNELS = frozenset(channel.value for channel in Channel)
_MCC = re.compile(r"[0-9]{4}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")
# Control characters (PostgreSQL cannot keep U+0000), and halves of surrogate pairs.
_UNSTORABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def fault(event: CardTransaction, *, issuer: str) -> Rejected | None:
    """The first thing wrong with an event of `issuer`; None when it is valid."""
    for field, why in _bad_values(event):
        return Rejected("BAD_VALUE", field, why)
    if event.kind not in _KINDS:
        return Rejected("UNKNOWN_KIND", "kind", "is none of the kinds")
    for field in ("billing_currency", "transaction_currency"):
        code = getattr(event, field)
        if code is not None and not known_currency(code):
            return Rejected("UNKNOWN_CURRENCY", field, "is no ISO 4217 currency with minor units")
    if event.issuer_id != issuer:
        return Rejected("WRONG_ISSUER", "issuer_id", "is not the issuer of this feed")
    return None


def amounts_fit(event: CardTransaction) -> bool:
    """Whether the amounts are what an event of this kind may carry.

    The billing amount is positive, or 0 for an authorization and its reversal, which move no
    money; its parts are at least 0 and together at most as large. The amount at the merchant is
    at least 0 and stands with its currency or not at all.
    """
    return not any(_bad_amounts(event))


@lru_cache(maxsize=4096)
def known_currency(code: str) -> bool:
    """Whether money can be counted in `code`; its three capitals are looked at first."""
    return _CURRENCY.fullmatch(code) is not None and is_currency(code)


@lru_cache(maxsize=16_384)
def is_mcc(text: str) -> bool:
    """Four digits."""
    return _MCC.fullmatch(text) is not None


@lru_cache(maxsize=1024)
def is_country(text: str) -> bool:
    """Two capitals, as ISO 3166 alpha-2 has them."""
    return _COUNTRY.fullmatch(text) is not None


def _bad_values(event: CardTransaction) -> Iterator[tuple[str, str]]:
    for field in _TEXTS:
        text = getattr(event, field)
        if text is not None and _UNSTORABLE.search(text):
            yield field, "holds a control character or half a surrogate pair"
    for field in _IDS:
        text = getattr(event, field)
        if text is not None and not 0 < len(text) <= ID_LENGTH_MAX:
            yield field, f"must have 1 to {ID_LENGTH_MAX} characters"
    if not 0 <= event.occurred_at <= LAST_MICROS:
        yield "occurred_at", "must lie between 1970 and 2999"
    if event.posted_on is not None and not 0 <= event.posted_on <= LAST_DAY:
        yield "posted_on", "must lie between 1970 and 2999"
    yield from _bad_amounts(event)
    if event.merchant_country is not None and not is_country(event.merchant_country):
        yield "merchant_country", "must be two capitals (ISO 3166 alpha-2)"
    if event.mcc is not None and not is_mcc(event.mcc):
        yield "mcc", "must be four digits"
    if event.channel is not None and event.channel not in _CHANNELS:
        yield "channel", f"must be one of {', '.join(sorted(_CHANNELS))}"
    for key, text in event.attributes.items():
        if _UNSTORABLE.search(key) or _UNSTORABLE.search(text):
            yield "attributes", "hold a control character or half a surrogate pair"


def _bad_amounts(event: CardTransaction) -> Iterator[tuple[str, str]]:
    billing = event.billing_amount
    if billing < 0 or (billing == 0 and event.kind not in _ZERO_ALLOWED):
        yield "billing_amount", "must be positive (0 only for authorizations)"
    if (event.transaction_amount is None) != (event.transaction_currency is None):
        yield "transaction_amount", "needs its currency, and the currency its amount"
    elif event.transaction_amount is not None and event.transaction_amount < 0:
        yield "transaction_amount", "must be at least 0"
    cash, tip = event.cash_amount, event.tip_amount
    fee, tax = event.fee_amount, event.tax_amount
    if cash < 0 or tip < 0 or fee < 0 or tax < 0:
        field = next(name for name in PARTS if getattr(event, name) < 0)
        yield field, "must be at least 0"
    elif cash + tip + fee + tax > billing:
        field = next(name for name in PARTS if getattr(event, name) > 0)
        yield field, "the parts are together more than the billing amount"
