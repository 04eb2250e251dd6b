"""Canonical bytes: what a general encoder writes, in one form only."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import fastavro
from hypothesis import given, settings

from services.ingest.feeds.encoding import FRAME, encode, encode_as_given
from services.kernel.transaction import FIELDS, CardTransaction, Channel, Kind
from tests.support.canonical import SCHEMA, events, general
from tests.support.feeds import feed, line, only, parse_with

AVRO = Path("schemas/avro")


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


def test_thousands_of_bytes_of_text_are_written_right() -> None:
    event = only(parse_with(feed())(line(merchant_name="n" * 9_000, attributes={"k" * 8_192: ""})))
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
