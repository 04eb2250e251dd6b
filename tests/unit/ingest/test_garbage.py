"""Whatever the bytes are, a record becomes events or rejections; nothing is raised."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.ingest.feeds.encoding import FRAME, encode
from services.ingest.feeds.formats import FORMATS, Broken
from services.kernel.errors import Rejected
from tests.support.feeds import feed, frame, line, lithic_event, parse_with, webhook

REASONS = {
    "NOT_UTF8", "NOT_JSON", "NOT_AN_OBJECT", "DUPLICATE_KEY", "UNKNOWN_FIELD", "MISSING_FIELD",
    "WRONG_TYPE", "BAD_VALUE", "UNKNOWN_KIND", "UNKNOWN_CURRENCY", "WRONG_ISSUER", "CARD_NUMBER",
    "NOT_AVRO", "UNKNOWN_SCHEMA",
}  # fmt: skip
PARSERS = {name: parse_with(feed(name)) for name in FORMATS}
SEEDS = [line(attributes={"a": "b"}), frame(attributes={"a": "b"}), webhook(lithic_event())]

_json = st.recursive(
    st.sampled_from([b"null", b"true", b"-1e999", b"1" * 30, b'"\\ud800"', b'"x"', b"{}", b"[]"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: b"[" + b",".join(parts) + b"]")
        | st.lists(inner, max_size=3).map(
            lambda parts: b"{" + b",".join(b'"events":' + part for part in parts) + b"}"
        )
    ),
    max_leaves=6,
)


@st.composite
def _broken(draw: st.DrawFn) -> bytes:
    record = draw(st.sampled_from(SEEDS))
    start = draw(st.integers(0, len(record)))
    end = draw(st.integers(start, min(len(record), start + 40)))
    return record[:start] + draw(st.binary(max_size=8) | _json) + record[end:]


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=300) | st.binary(max_size=60).map(lambda b: FRAME + b) | _broken() | _json
)
@example(b"[" * 100_000)
@example(b'{"attributes":' * 100_000)
@example(b'{"a":' + b"9" * 100_000 + b"}")
@example(FRAME + b"\xff" * 100)
@example(b'{"events":[[[[]]]],"merchant":[],"pos":1,"token":{}}')
def test_garbage_becomes_rejections(name: str, record: bytes) -> None:
    outcomes = PARSERS[name](record)
    assert outcomes
    for outcome in outcomes:
        if isinstance(outcome, Rejected):
            assert not isinstance(outcome, Broken), outcome
            assert outcome.reason in REASONS
        else:
            assert encode(outcome)


@pytest.mark.parametrize("name", FORMATS)
def test_a_parser_that_breaks_costs_one_record_only(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object, **__: object) -> None:
        raise KeyError("4111111111111111")

    for room in ("jsonlines", "avro", "lithic"):
        monkeypatch.setattr(f"services.ingest.feeds.{room}.fault", fault)
    records = {"milepost-json": line(mcc="x"), "milepost-avro": frame(),
               "lithic-events": webhook(lithic_event())}  # fmt: skip
    (outcome,) = parse_with(feed(name))(records[name])
    assert isinstance(outcome, Broken)
    assert outcome.reason == FORMATS[name].unreadable
    assert "4111" not in str(outcome)
