"""Canonical events from their Avro bytes: the fields of `schemas/avro/card-transaction.avsc`.

Written by hand because every event passes here; a test holds it against a general decoder. Lengths
are added up without a look at the end of the bytes, since a slice stops there by itself: whoever
read too far, or not far enough, does not stand exactly at the end.
"""

from __future__ import annotations

from services.kernel.transaction import CardTransaction, Channel, Kind

_KINDS = tuple(kind.value for kind in Kind)
_CHANNELS = tuple(channel.value for channel in Channel)
_ABSENT, _PRESENT = 0, 2
"""The branch of a union with null, as zigzag writes it."""
_NOT_SHORT = 0b1000_0001
"""In the first byte of a length: it takes more bytes than one, or it is negative."""


class Malformed(ValueError):
    """The bytes are not exactly one canonical event."""


def decode_event(body: bytes) -> CardTransaction:
    """The event of a body without its frame.

    Raises Malformed, IndexError or UnicodeDecodeError for anything else.
    """
    (event_id, issuer_id), at = _texts(body, 0, 2)
    kind, at = _long(body, at)
    (lifecycle_id, original_event_id, scheme_reference, arn, code), at = _optionals(body, at, 5)
    (account_id, card_token), at = _texts(body, at, 2)
    (card_product,), at = _optionals(body, at, 1)
    occurred_at, at = _long(body, at)
    posted_on, at = _optional_long(body, at)
    billing_amount, at = _long(body, at)
    (billing_currency,), at = _texts(body, at, 1)
    transaction_amount, at = _optional_long(body, at)
    (transaction_currency,), at = _optionals(body, at, 1)
    (cash, tip, fee, tax), at = _parts(body, at)
    (merchant_id, name, city, country, mcc), at = _optionals(body, at, 5)
    channel, at = _optional_long(body, at)
    attributes, at = _map(body, at)
    if at != len(body):
        raise Malformed("the event ends elsewhere than its bytes")
    if kind < 0 or (channel or 0) < 0:
        raise Malformed("an enum has no such member")
    return CardTransaction(
        event_id=event_id,
        issuer_id=issuer_id,
        kind=_KINDS[kind],
        lifecycle_id=lifecycle_id,
        original_event_id=original_event_id,
        scheme_reference=scheme_reference,
        arn=arn,
        authorization_code=code,
        account_id=account_id,
        card_token=card_token,
        card_product=card_product,
        occurred_at=occurred_at,
        posted_on=posted_on,
        billing_amount=billing_amount,
        billing_currency=billing_currency,
        transaction_amount=transaction_amount,
        transaction_currency=transaction_currency,
        cash_amount=cash,
        tip_amount=tip,
        fee_amount=fee,
        tax_amount=tax,
        merchant_id=merchant_id,
        merchant_name=name,
        merchant_city=city,
        merchant_country=country,
        mcc=mcc,
        channel=None if channel is None else _CHANNELS[channel],
        attributes=attributes,
    )


def _long(body: bytes, at: int) -> tuple[int, int]:
    """A whole number of 64 bits: seven bits a byte from the low end, then zigzag."""
    byte = body[at]
    at += 1
    if byte < 128:
        return (byte >> 1) ^ -(byte & 1), at
    value, shift = byte & 127, 7
    while byte >= 128:
        byte = body[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
    if value >> 64:
        raise Malformed("a number has more than 64 bits")
    return (value >> 1) ^ -(value & 1), at


def _optional_long(body: bytes, at: int) -> tuple[int | None, int]:
    branch = body[at]
    if branch == _ABSENT:
        return None, at + 1
    if branch != _PRESENT:
        raise Malformed("a union has no such branch")
    return _long(body, at + 1)


def _parts(body: bytes, at: int) -> tuple[list[int], int]:
    """The four parts of the billing amount, which hardly any event has."""
    if body[at : at + 4] == b"\0\0\0\0":
        return [0, 0, 0, 0], at + 4
    parts: list[int] = []
    for _ in range(4):
        part, at = _long(body, at)
        parts.append(part)
    return parts, at


def _texts(body: bytes, at: int, count: int) -> tuple[list[str], int]:
    found: list[str] = []
    for _ in range(count):
        length = body[at]
        if length & _NOT_SHORT:
            length, at = _length(body, at)
        else:
            length >>= 1
            at += 1
        found.append(body[at : at + length].decode())
        at += length
    return found, at


def _optionals(body: bytes, at: int, count: int) -> tuple[list[str | None], int]:
    found: list[str | None] = []
    for _ in range(count):
        branch = body[at]
        at += 1
        if branch == _ABSENT:
            found.append(None)
            continue
        if branch != _PRESENT:
            raise Malformed("a union has no such branch")
        length = body[at]
        if length & _NOT_SHORT:
            length, at = _length(body, at)
        else:
            length >>= 1
            at += 1
        found.append(body[at : at + length].decode())
        at += length
    return found, at


def _length(body: bytes, at: int) -> tuple[int, int]:
    length, at = _long(body, at)
    if length < 0:
        raise Malformed("a length is negative")
    return length, at


def _map(body: bytes, at: int) -> tuple[dict[str, str], int]:
    """Blocks of pairs up to an empty one; a negative count is followed by the block's size."""
    pairs: dict[str, str] = {}
    count, at = _long(body, at)
    while count:
        if count < 0:
            _, at = _long(body, at)
        for _ in range(abs(count)):
            (key, value), at = _texts(body, at, 2)
            pairs[key] = value
        count, at = _long(body, at)
    return pairs, at
