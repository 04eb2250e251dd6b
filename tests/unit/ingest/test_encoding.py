"""Canonical bytes: what a general encoder writes, in one form only."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import fastavro
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.adapters.schemas import load_schemas
from services.ingest.feeds.encoding import FRAME, SCHEMA_ID, encode, encode_as_given
from services.kernel.transaction import FIELDS, CardTransaction, Channel, Kind
from tests.support.feeds import feed, line, only, parse_with

SCHEMA: Any = load_schemas()[SCHEMA_ID]
AVRO = Path("schemas/avro")

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text("x", min_size=60)
_optional = st.none() | _text
_long = st.integers(-(2**63), 2**63 - 1)


@st.composite
def events(draw: st.DrawFn) -> CardTransaction:
    """Any values of the right types, not only valid ones."""
    values: dict[str, Any] = {}
    for name in FIELDS:
        match name:
            case "kind":
                values[name] = draw(st.sampled_from(Kind)).value
            case "channel":
                values[name] = draw(st.none() | st.sampled_from([c.value for c in Channel]))
            case "posted_on":
                values[name] = draw(st.none() | st.integers(-(2**31), 2**31 - 1))
            case "transaction_amount":
                values[name] = draw(st.none() | _long)
            case "attributes":
                values[name] = draw(st.dictionaries(_text, _text, max_size=4))
            case "event_id" | "issuer_id" | "account_id" | "card_token" | "billing_currency":
                values[name] = draw(_text)
            case _ if name == "occurred_at" or name.endswith("_amount"):
                values[name] = draw(_long)
            case _:
                values[name] = draw(_optional)
    return CardTransaction(**values)


def general(event: CardTransaction) -> bytes:
    """The same record by an encoder that knows nothing of ours."""
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, SCHEMA, msgspec.structs.asdict(event), strict=True)
    return stream.getvalue()


@settings(deadline=None)
@given(events())
def test_an_event_is_written_as_a_general_encoder_writes_it(event: CardTransaction) -> None:
    assert encode_as_given(event) == general(event)


@settings(deadline=None)
@given(events())
def test_an_event_decodes_again_and_encodes_to_the_same_bytes(event: CardTransaction) -> None:
    body = encode(event)
    fields: Any = fastavro.schemaless_reader(io.BytesIO(body), SCHEMA, None)
    again = CardTransaction(**fields)
    assert again == event
    assert list(again.attributes) == sorted(event.attributes)
    assert encode_as_given(again) == encode(again) == body


def test_more_than_a_thousand_bytes_of_text_are_written_right() -> None:
    event = only(parse_with(feed())(line(merchant_name="n" * 2_000, attributes={"k" * 1_500: ""})))
    assert isinstance(event, CardTransaction)
    assert encode(event) == general(event)


def test_the_schema_has_the_fields_and_kinds_of_the_code_in_their_order() -> None:
    schema = json.loads((AVRO / "card-transaction.avsc").read_text("utf-8"))
    types = {entry["name"]: entry["type"] for entry in schema["fields"]}
    assert list(types) == list(FIELDS)
    assert types["kind"]["symbols"] == list(Kind)
    assert types["channel"][1]["symbols"] == list(Channel)
    assert b"\x00" + schema["schema_id"].to_bytes(4, "big") == FRAME


def test_every_schema_has_an_id_of_its_own() -> None:
    schemas = [json.loads(file.read_text("utf-8")) for file in AVRO.glob("*.avsc")]
    assert len({schema["schema_id"] for schema in schemas}) == len(schemas)
