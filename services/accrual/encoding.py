"""The Avro bytes of one transfer on the topic `accruals`: `schemas/avro/accrual.avsc`, framed.

Written by hand because every transfer goes through here; a test holds it against a general encoder.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from services.accrual.ports import PublishedRow
from services.kernel.identifiers import derived_text
from services.kernel.transaction import Role

FRAME = b"\x00\x00\x00\x00\x02"
"""Confluent framing: magic byte and the id of `accrual.avsc`."""

_EPOCH = date(1970, 1, 1).toordinal()


def encode_transfer(stream: str, row: PublishedRow, transfer_id: str) -> bytes:
    """The value of a transfer's record."""
    cause = b"\x00" if row.role == Role.COMMAND else b"\x02" + _first_text(row.body)
    return b"".join(
        (
            FRAME,
            _text(transfer_id),
            _known_text(stream),
            _long(row.seq),
            _text(derived_text("entry", stream, row.seq, row.entry)),
            cause,
            _known_text(row.issuer_id),
            _text(row.account_id),
            _text(row.purchase),
            _known_text(row.contract),
            _long(row.version),
            _known_text(row.rule),
            _known_text(row.funder),
            _known_text(row.unit),
            _text(row.debit),
            _text(row.credit),
            _long(row.amount),
            _date(row.effective_on),
            _date(row.available_on),
        )
    )


def _first_text(body: bytes) -> bytes:
    """The first field of a canonical event, its id, as it stands there with its length."""
    length, shift, at = 0, 0, 0
    byte = 128
    while byte >= 128:
        byte = body[at]
        length |= (byte & 127) << shift
        at += 1
        shift += 7
    return body[: at + (length >> 1)]


def _long(value: int) -> bytes:
    """A whole number of 64 bits: zigzag, then seven bits a byte from the low end."""
    rest = value << 1 if value >= 0 else ~(value << 1)
    if rest < 128:
        return _BYTES[rest]
    parts = bytearray()
    while rest >= 128:
        parts.append(rest & 127 | 128)
        rest >>= 7
    parts.append(rest)
    return bytes(parts)


_BYTES = tuple(bytes((value,)) for value in range(128))


def _text(text: str) -> bytes:
    data = text.encode()
    return _long(len(data)) + data


_known_text = lru_cache(maxsize=4096)(_text)
"""For texts of which there are few: contracts, rules, funders."""


@lru_cache(maxsize=4096)
def _date(day: date) -> bytes:
    return _long(day.toordinal() - _EPOCH)
