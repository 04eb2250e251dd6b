"""The schema directory: writer schemas by id, without a schema registry."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import fastavro

from services.ingest.feeds.avro import Schemas

RECORD = "milepost.CardTransaction"


def load_schemas() -> Schemas:
    """The schemas of `schemas/avro` that write a card transaction, by their `schema_id`."""
    found: dict[int, Any] = {}
    for file in (resources.files("schemas") / "avro").iterdir():
        if not file.name.endswith(".avsc"):
            continue
        schema = json.loads(file.read_text("utf-8"))
        if f"{schema.get('namespace')}.{schema['name']}" == RECORD:
            found[schema["schema_id"]] = fastavro.parse_schema(schema)
    return found
