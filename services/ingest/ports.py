"""What ingest needs of the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.ingest.feeds.feed import Feed
from services.runtime.batch import Record
from services.runtime.producer import OutgoingRecord


@dataclass(frozen=True, slots=True)
class FeedSlice:
    """Records of one partition of a feed's topic, in order. Offsets may have gaps."""

    topic: str
    partition: int
    records: Sequence[Record]


class Sink(Protocol):
    """Where the outcome of a batch goes."""

    async def send(
        self, *, events: Sequence[OutgoingRecord], letters: Sequence[OutgoingRecord]
    ) -> None:
        """Events to `card-transactions`, letters to `dead-letters`; returns once all of them are
        acknowledged. Raises Retryable when that is not known: then the batch is sent again.
        """


class Observer(Protocol):
    """Who is told what a batch came to, once it is acknowledged."""

    def sent(self, *, events: int, rejections: Mapping[str, int]) -> None:
        """So many events, and so many rejections by reason."""

    def broke(self, feed: Feed, slice_: FeedSlice, record: Record, error: Exception) -> None:
        """A parser raised what it must not raise; the record became a dead letter."""
