"""Canonical events of any values, and the same bytes by an encoder that knows nothing of ours."""

from __future__ import annotations

import io
import json
from importlib import resources
from typing import Any

import fastavro
from hypothesis import strategies as st

from services.kernel.transaction import FIELDS, CardTransaction, Channel, Kind


def schema(name: str) -> Any:
    """A schema of schemas/avro, parsed."""
    text = resources.files("schemas").joinpath("avro", name).read_text("utf-8")
    return fastavro.parse_schema(json.loads(text))


SCHEMA: Any = schema("card-transaction.avsc")

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
    fastavro.schemaless_writer(
        stream, SCHEMA, {name: getattr(event, name) for name in FIELDS}, strict=True
    )
    return stream.getvalue()
