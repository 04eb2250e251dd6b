"""milepost-avro: only bytes that an encoder could have written are an event."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.feeds.encoding import FRAME, encode
from services.kernel.errors import Rejected
from services.kernel.transaction import CardTransaction
from tests.support import builders
from tests.support.feeds import feed, frame, only, parse_with

PARSE = parse_with(feed("milepost-avro"))
GOOD = frame(merchant_name="Café", attributes={"b": "2", "a": "1"}, mcc="5812", channel="ONLINE")


def reason(record: bytes) -> str:
    outcome = only(PARSE(record))
    assert isinstance(outcome, Rejected), "accepted"
    return outcome.reason


def accepted(record: bytes) -> CardTransaction:
    outcome = only(PARSE(record))
    assert isinstance(outcome, CardTransaction), outcome
    return outcome


def test_a_framed_record_is_an_event() -> None:
    assert accepted(GOOD).merchant_name == "Café"


def test_the_order_of_attributes_makes_no_difference() -> None:
    other = frame(merchant_name="Café", attributes={"a": "1", "b": "2"}, mcc="5812",
                  channel="ONLINE")  # fmt: skip
    assert other != GOOD
    assert encode(accepted(other)) == encode(accepted(GOOD))


@pytest.mark.parametrize(
    "record", [b"", b"\x00", b"\x00\x00\x00\x00", b"\x01" + GOOD[1:], GOOD[5:]]
)
def test_without_its_frame_a_record_is_not_avro(record: bytes) -> None:
    assert reason(record) == "NOT_AVRO"


@pytest.mark.parametrize("number", [0, 2, 3, 2**32 - 1])
def test_a_schema_that_does_not_write_transactions_is_unknown(number: int) -> None:
    assert reason(b"\x00" + number.to_bytes(4, "big") + GOOD[5:]) == "UNKNOWN_SCHEMA"


def test_a_record_that_is_cut_off_or_goes_on_is_not_avro() -> None:
    for length in range(5, len(GOOD)):
        assert reason(GOOD[:length]) == "NOT_AVRO"
    assert reason(GOOD + b"\x00") == "NOT_AVRO"
    assert reason(GOOD + GOOD) == "NOT_AVRO"


def changed(old: bytes, new: bytes) -> bytes:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def test_what_lenient_decoders_take_is_not_avro() -> None:
    kind = b"\x14first-bank\x04"  # PRESENTMENT, symbol 2 as zigzag 4
    assert reason(changed(kind, kind[:-1] + b"\x01")) == "NOT_AVRO"  # symbol −1
    assert reason(changed(kind, kind[:-1] + b"\x7e")) == "NOT_AVRO"  # symbol 63
    assert reason(changed(kind, kind[:-1] + b"\x84\x00")) == "NOT_AVRO"  # overlong
    assert reason(changed(b"\x02\x085812", b"\x01\x085812")) == "NOT_AVRO"  # branch −1
    assert reason(changed(b"\x02\x085812", b"\x06\x085812")) == "NOT_AVRO"  # branch 3
    assert reason(changed(b"\x02\x085812", b"\x02\x07")) == "NOT_AVRO"  # a length below 0
    assert reason(changed(b"\x02\x085812", b"\x02" + b"\xff" * 8 + b"\x7f")) == "NOT_AVRO"
    assert reason(changed("Café".encode(), b"Caf\xc3\x28")) == "NOT_AVRO"  # not UTF-8
    assert reason(changed(b"\x02b\x022", b"\x02a\x022")) == "NOT_AVRO"  # a key twice


def test_a_number_beyond_64_bits_is_not_avro() -> None:
    for name in ("billing_amount", "occurred_at", "tip_amount", "transaction_amount"):
        changes: dict[str, Any] = {"transaction_currency": "EUR", "transaction_amount": 1}
        occurred = changes | {name: 2**64}
        event = builders.event("e1", **{k: v for k, v in occurred.items() if k != "occurred_at"})
        if name == "occurred_at":
            event = builders.event("e1")
            values = {field: getattr(event, field) for field in event.__struct_fields__}
            event = CardTransaction(**(values | {"occurred_at": 2**64}))
        from_outside = FRAME + encode(event)
        assert reason(from_outside) == "NOT_AVRO"


FAULTS = [
    ({"billing_amount": 0}, "BAD_VALUE"),
    ({"billing_amount": -5}, "BAD_VALUE"),
    ({"mcc": "12"}, "BAD_VALUE"),
    ({"posted_on": 2**31 - 1}, "BAD_VALUE"),
    ({"merchant_name": "a\x00"}, "BAD_VALUE"),
    ({"lifecycle_id": ""}, "BAD_VALUE"),
    ({"cash_amount": 9_000, "fee_amount": 9_000}, "BAD_VALUE"),
    ({"transaction_amount": 5}, "BAD_VALUE"),
    ({"billing_currency": "ABC"}, "UNKNOWN_CURRENCY"),
    ({"issuer_id": "second-bank"}, "WRONG_ISSUER"),
    ({"merchant_name": "4111-1111-1111-1111", "issuer_id": "x", "mcc": "1"}, "CARD_NUMBER"),
]


@pytest.mark.parametrize(("changes", "expected"), FAULTS)
def test_values_are_held_to_the_same_rules_as_in_json(
    changes: dict[str, Any], expected: str
) -> None:
    posted = changes.pop("posted_on", None)
    event = builders.event("e1", **changes)
    if posted is not None:
        values = {field: getattr(event, field) for field in event.__struct_fields__}
        event = CardTransaction(**(values | {"posted_on": posted}))
    assert reason(FRAME + encode(event)) == expected


@settings(max_examples=300, deadline=None)
@given(st.integers(5, len(GOOD) - 1), st.integers(0, 255), st.binary(max_size=3))
def test_a_changed_byte_gives_a_rejection_or_an_event_of_exactly_these_bytes(
    place: int, byte: int, more: bytes
) -> None:
    record = GOOD[:place] + bytes([byte]) + more + GOOD[place + 1 :]
    outcome = only(PARSE(record))
    if isinstance(outcome, CardTransaction) and list(outcome.attributes) == sorted(
        outcome.attributes
    ):
        assert FRAME + encode(outcome) == record
