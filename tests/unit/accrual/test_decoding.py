"""Canonical bytes become the event that a general decoder reads, or nothing at all."""

from __future__ import annotations

import io
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.accrual.decoding import decode_event
from services.accrual.intake import decode
from services.kernel.errors import Rejected
from services.kernel.transaction import CardTransaction
from tests.support.canonical import SCHEMA, events, general


def read_by_others(body: bytes) -> CardTransaction:
    """The event as a general decoder reads it; it must end where the bytes do."""
    stream = io.BytesIO(body)
    fields: Any = fastavro.schemaless_reader(stream, SCHEMA, None)
    assert stream.tell() == len(body)
    return CardTransaction(**fields)


@settings(deadline=None)
@given(events())
def test_an_event_is_read_as_a_general_decoder_reads_it(event: CardTransaction) -> None:
    body = general(event)
    assert decode_event(body) == read_by_others(body) == event


@settings(deadline=None)
@given(events(), st.data())
def test_a_body_that_is_cut_or_goes_on_is_refused(event: CardTransaction, data: Any) -> None:
    body = general(event)
    cut = data.draw(st.integers(0, len(body) - 1))
    for broken in (body[:cut], body + b"\x00", body + body):
        with pytest.raises(Rejected, match="no canonical event"):
            decode(broken)


@settings(deadline=None)
@given(events(), st.data())
def test_damaged_bytes_are_refused_or_read_as_others_read_them(
    event: CardTransaction, data: Any
) -> None:
    body = bytearray(general(event))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = decode(bytes(body))
    except Rejected:
        return
    assert found == read_by_others(bytes(body))


def test_a_map_in_blocks_with_their_sizes_is_read() -> None:
    event = CardTransaction(
        event_id="e", issuer_id="i", kind="REFUND", account_id="a", card_token="t",
        occurred_at=1, billing_amount=1, billing_currency="NOK",
    )  # fmt: skip
    plain = general(event)
    assert plain.endswith(b"\x00")
    sized = plain[:-1] + b"\x01\x08" + b"\x02k\x02v" + b"\x00"  # one pair, four bytes
    assert decode_event(sized) == read_by_others(sized)
    assert decode_event(sized).attributes == {"k": "v"}
