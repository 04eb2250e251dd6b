"""The canonical bytes of an event: Avro of `schemas/avro/card-transaction.avsc`, in one form only.

    00 | 00 00 00 01 | body          Confluent frame: magic byte, schema id, then the record

Two events are the same event when their bodies are equal, so a body has no freedom left: the
attributes stand in the order of their keys, in one block. Written by hand because the record is
flat and every event passes here; a test holds it against a general encoder.
"""

from __future__ import annotations

from functools import lru_cache

from services.kernel.transaction import CardTransaction, Channel, Kind

SCHEMA_ID = 1
FRAME = b"\x00" + SCHEMA_ID.to_bytes(4, "big")

_ABSENT = b"\x00"
_PRESENT = b"\x02"


def _varint(rest: int) -> bytes:
    parts = bytearray()
    while rest > 127:
        parts.append(rest & 127 | 128)
        rest >>= 7
    parts.append(rest)
    return bytes(parts)


# Fourteen bits at a time: as the last two bytes of a number, and as two bytes that more follow.
_LAST = tuple(_varint(bits) for bits in range(1 << 14))
_MORE = tuple(bytes((bits & 127 | 128, bits >> 7 | 128)) for bits in range(1 << 14))


def _long(value: int) -> bytes:
    """A whole number: zigzag, then seven bits a byte from the low end."""
    rest = value << 1 if value >= 0 else ~(value << 1)
    parts = b""
    while rest > 16_383:
        parts += _MORE[rest & 16_383]
        rest >>= 14
    return parts + _LAST[rest]


_KINDS = {kind.value: _long(index) for index, kind in enumerate(Kind)}
_CHANNELS: dict[str | None, bytes] = {
    None: _ABSENT,
    **{channel.value: _PRESENT + _long(index) for index, channel in enumerate(Channel)},
}


def encode(event: CardTransaction) -> bytes:
    """The body of an event whose values have been checked (64 bits, known kind and channel)."""
    return b"".join((*_fields(event), _attributes(sorted(event.attributes.items()))))


def encode_as_given(event: CardTransaction) -> bytes:
    """The body with the attributes in the order in which they came."""
    return b"".join((*_fields(event), _attributes(list(event.attributes.items()))))


def _fields(event: CardTransaction) -> tuple[bytes, ...]:
    posted_on, transaction_amount = event.posted_on, event.transaction_amount
    return (
        _text(event.event_id),
        _known_text(event.issuer_id),
        _KINDS[event.kind],
        _optional(event.lifecycle_id),
        _optional(event.original_event_id),
        _optional(event.scheme_reference),
        _optional(event.arn),
        _optional(event.authorization_code),
        _text(event.account_id),
        _text(event.card_token),
        _known_optional(event.card_product),
        _long(event.occurred_at),
        _ABSENT if posted_on is None else _PRESENT + _long(posted_on),
        _long(event.billing_amount),
        _known_text(event.billing_currency),
        _ABSENT if transaction_amount is None else _PRESENT + _long(transaction_amount),
        _known_optional(event.transaction_currency),
        _part(event.cash_amount),
        _part(event.tip_amount),
        _part(event.fee_amount),
        _part(event.tax_amount),
        _known_optional(event.merchant_id),
        _known_optional(event.merchant_name),
        _known_optional(event.merchant_city),
        _known_optional(event.merchant_country),
        _known_optional(event.mcc),
        _CHANNELS[event.channel],
    )


def _text(text: str) -> bytes:
    data = text.encode()
    size = len(data)
    return (_LAST[size << 1] if size < 8192 else _long(size)) + data


def _optional(text: str | None) -> bytes:
    if text is None:
        return _ABSENT
    data = text.encode()
    size = len(data)
    return _PRESENT + (_LAST[size << 1] if size < 8192 else _long(size)) + data


# Texts that come again and again, such as currencies and merchants.
_known_text = lru_cache(maxsize=16_384)(_text)
_known_optional = lru_cache(maxsize=65_536)(_optional)


def _part(value: int) -> bytes:
    return _long(value) if value else b"\x00"


def _attributes(pairs: list[tuple[str, str]]) -> bytes:
    if not pairs:
        return b"\x00"
    texts = b"".join([_text(key) + _text(value) for key, value in pairs])
    return _long(len(pairs)) + texts + b"\x00"
