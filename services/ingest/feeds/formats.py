"""The formats that a feed can name, and how their records lie in a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from services.ingest.feeds import avro, jsonlines, lithic
from services.ingest.feeds.avro import Schemas
from services.ingest.feeds.feed import Feed, Parse


class Framing(Enum):
    """How a file holds many records."""

    LINES = auto()
    """One record a line, ended by LF."""
    LENGTHS = auto()
    """Each record after its length: four bytes, big-endian."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `unreadable` is the reason when its parser breaks on a record."""

    build: Callable[[Feed, Schemas], Parse]
    framing: Framing
    unreadable: str


FORMATS = {
    "milepost-json": Format(lambda feed, _: jsonlines.parser(feed), Framing.LINES, "NOT_JSON"),
    "milepost-avro": Format(avro.parser, Framing.LENGTHS, "NOT_AVRO"),
    "lithic-events": Format(lambda feed, _: lithic.parser(feed), Framing.LINES, "NOT_JSON"),
}
