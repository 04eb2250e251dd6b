"""Canonical events from their Avro bytes: the fields of `schemas/avro/card-transaction.avsc`.

Written by hand, in one pass, because every event goes through here; a test holds it against a
general decoder. Nobody looks whether a text ends before the bytes do, since a slice stops there by
itself: who has read too far, or not far enough, does not stand exactly at the end.
"""

from __future__ import annotations

from typing import Any

from services.kernel.transaction import FIELDS, CardTransaction, Channel, Kind

_TEXT, _MAYBE_TEXT, _LONG, _MAYBE_LONG = range(4)
"""How a field is written. The odd ones are unions with null."""
_FORMS = {
    "event_id": _TEXT,
    "issuer_id": _TEXT,
    "kind": _LONG,
    "account_id": _TEXT,
    "card_token": _TEXT,
    "occurred_at": _LONG,
    "posted_on": _MAYBE_LONG,
    "billing_amount": _LONG,
    "billing_currency": _TEXT,
    "transaction_amount": _MAYBE_LONG,
    "cash_amount": _LONG,
    "tip_amount": _LONG,
    "fee_amount": _LONG,
    "tax_amount": _LONG,
    "channel": _MAYBE_LONG,
}
_SHAPE = tuple((name, _FORMS.get(name, _MAYBE_TEXT)) for name in FIELDS[:-1])
"""Of every field but the last, the attributes."""
_KINDS = dict(enumerate(kind.value for kind in Kind))
_CHANNELS = dict(enumerate(channel.value for channel in Channel))


class Malformed(ValueError):
    """The bytes are not exactly one canonical event."""


def decode_event(body: bytes) -> CardTransaction:
    """The event of a body without its frame.

    Raises Malformed, IndexError, KeyError or UnicodeDecodeError for anything else.
    """
    fields: dict[str, Any] = {}
    at = 0
    for name, form in _SHAPE:
        if form & 1:
            branch = body[at]
            at += 1
            if branch == 0:
                continue
            if branch != 2:
                raise Malformed("a union has no such branch")
        number = body[at]
        at += 1
        if number >= 128:
            number, at = _more(number, body, at)
        if form >= _LONG:
            fields[name] = (number >> 1) ^ -(number & 1)
            continue
        if number & 1:
            raise Malformed("a length is negative")
        end = at + (number >> 1)
        fields[name] = body[at:end].decode()
        at = end
    fields["attributes"], at = _map(body, at)
    if at != len(body):
        raise Malformed("the event ends elsewhere than its bytes")
    fields["kind"] = _KINDS[fields["kind"]]
    if "channel" in fields:
        fields["channel"] = _CHANNELS[fields["channel"]]
    return CardTransaction(**fields)


def _more(number: int, body: bytes, at: int) -> tuple[int, int]:
    """The rest of a number whose first byte is not its last: seven bits a byte, low end first."""
    number &= 127
    shift, byte = 7, 128
    while byte >= 128:
        byte = body[at]
        at += 1
        number |= (byte & 127) << shift
        shift += 7
    if number >> 64:
        raise Malformed("a number has more than 64 bits")
    return number, at


def _map(body: bytes, at: int) -> tuple[dict[str, str], int]:
    """Blocks of pairs up to an empty one; a negative count is followed by the block's size."""
    pairs: dict[str, str] = {}
    count, at = _long(body, at)
    while count:
        if count < 0:
            _, at = _long(body, at)
        for _ in range(abs(count)):
            key, at = _text(body, at)
            pairs[key], at = _text(body, at)
        count, at = _long(body, at)
    return pairs, at


def _long(body: bytes, at: int) -> tuple[int, int]:
    number = body[at]
    at += 1
    if number >= 128:
        number, at = _more(number, body, at)
    return (number >> 1) ^ -(number & 1), at


def _text(body: bytes, at: int) -> tuple[str, int]:
    length, at = _long(body, at)
    if length < 0:
        raise Malformed("a length is negative")
    return body[at : at + length].decode(), at + length
