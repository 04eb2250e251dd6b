"""`milepost-json`, as the first bank writes it: one event a line."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from services.kernel.calendar import instant
from services.kernel.transaction import CardTransaction
from services.local.generator.pen import date_of

OSLO = ZoneInfo("Europe/Oslo")
_encode = msgspec.json.Encoder().encode


def line(event: CardTransaction, *, rewritten: bool = False) -> bytes:
    """The event's line, without a line feed. Rewritten, other bytes say the same."""
    members: dict[str, Any] = {
        name: value for name, value in msgspec.structs.asdict(event).items() if value
    }
    occurred_at = instant(event.occurred_at)
    members["occurred_at"] = occurred_at.astimezone(UTC if rewritten else OSLO).isoformat()
    if event.posted_on is not None:
        members["posted_on"] = date_of(event.posted_on).isoformat()
    if rewritten:
        return json.dumps(members, sort_keys=True).encode()
    return _encode(members)
