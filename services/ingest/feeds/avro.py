"""`milepost-avro`: the canonical record in Confluent framing.

    00 | schema id, 4 bytes big-endian | Avro body

The writer's schema must be one that the schema directory holds for this record. Decoders of Avro
accept a great deal that no encoder writes (wrong branches, overlong numbers, repeated keys), so a
body counts only when encoding what was read gives the same bytes again.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import fastavro

from services.ingest.feeds.encoding import encode_as_given
from services.ingest.feeds.feed import Feed, Parse
from services.ingest.feeds.guard import event_guard, refusal
from services.ingest.feeds.rules import INT64_MAX, PARTS, fault
from services.kernel.errors import Rejected
from services.kernel.transaction import CardTransaction

HEADER_BYTES = 5
Schemas = Mapping[int, Any]
"""Parsed writer schemas of `milepost.CardTransaction` by id."""

_NUMBERS = ("occurred_at", "posted_on", "billing_amount", "transaction_amount", *PARTS)


def parser(feed: Feed, schemas: Schemas) -> Parse:
    """The format of one feed."""
    carries_card_number = event_guard(feed.numeric_ids)

    def parse(value: bytes) -> tuple[CardTransaction | Rejected, ...]:
        number = schema_id(value)
        if number is None:
            return (Rejected("NOT_AVRO", None, "no Confluent frame"),)
        if number not in schemas:
            return (Rejected("UNKNOWN_SCHEMA", None, f"schema {number} is not known"),)
        event = _decode(value[HEADER_BYTES:], schemas[number])
        if event is None:
            return (Rejected("NOT_AVRO", None, "the bytes are not one record of this schema"),)
        if carries_card_number(event):
            return (refusal(),)
        return (fault(event, issuer=feed.issuer) or event,)

    return parse


def schema_id(value: bytes) -> int | None:
    """The writer's schema id of a framed record; None when there is no frame."""
    if len(value) < HEADER_BYTES or value[0] != 0:
        return None
    return int.from_bytes(value[1:HEADER_BYTES], "big")


def _decode(body: bytes, schema: Any) -> CardTransaction | None:
    """The one event that is all of `body`; None when it is not exactly that."""
    stream = io.BytesIO(body)
    try:
        fields: Any = fastavro.schemaless_reader(stream, schema, None)
        event = CardTransaction(**fields)
        whole = stream.tell() == len(body) and encode_as_given(event) == body
    except Exception:  # the decoder raises whatever the bytes lead it to
        return None
    return event if whole and _within_64_bits(event) else None


def _within_64_bits(event: CardTransaction) -> bool:
    """Whether every number is one: a varint may be longer than its type, and come back equal."""
    numbers = (getattr(event, name) for name in _NUMBERS)
    return all(number is None or -INT64_MAX - 1 <= number <= INT64_MAX for number in numbers)
