"""What caused a transfer, from the bytes that were recorded."""

from __future__ import annotations

import io
import json
from importlib import resources
from typing import Any

import fastavro

from services.kernel.calendar import instant
from services.kernel.transaction import Role

_SCHEMA = fastavro.parse_schema(
    json.loads(resources.files("schemas").joinpath("avro/card-transaction.avsc").read_text("utf-8"))
)


def describe(body: bytes, role: str) -> dict[str, Any]:
    """A card event in short, amounts in minor units; or a command with its inputs."""
    if role == Role.COMMAND:
        inputs = json.loads(body)
        return {"command": inputs.get("command"), "on": inputs.get("on")}
    event: Any = fastavro.schemaless_reader(io.BytesIO(body), _SCHEMA, None)
    return {
        "event_id": event["event_id"],
        "issuer_id": event["issuer_id"],
        "kind": event["kind"],
        "occurred_at": instant(event["occurred_at"]).isoformat(),
        "amount": event["billing_amount"],
        "currency": event["billing_currency"],
    }
