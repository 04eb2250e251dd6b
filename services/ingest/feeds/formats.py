"""The formats that a feed can name, and how their records lie in a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from services.ingest.feeds import avro, jsonlines, lithic
from services.ingest.feeds.avro import Schemas
from services.ingest.feeds.feed import Feed, Parse
from services.kernel.errors import Rejected
from services.kernel.transaction import CardTransaction


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


class Broken(Rejected):
    """A parser raised what it must not raise: a bug, which costs this record only."""

    def __init__(self, reason: str, error: Exception) -> None:
        self.error = error
        super().__init__(reason, None, f"the record breaks its parser ({type(error).__name__})")


def parser(feed: Feed, schemas: Schemas) -> Parse:
    """The parser of a feed's format. Nothing at all is raised by it."""
    form = FORMATS[feed.format]
    parse = form.build(feed, schemas)

    def parse_safely(value: bytes) -> tuple[CardTransaction | Rejected, ...]:
        try:
            return parse(value)
        except Exception as error:  # whatever a hostile record leads to
            return (Broken(form.unreadable, error),)

    return parse_safely
