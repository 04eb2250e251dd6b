"""A batch of raw records becomes canonical events and sealed dead letters, and goes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from services.ingest.feeds.avro import schema_id
from services.ingest.feeds.encoding import FRAME, encode
from services.ingest.feeds.feed import Feed, Parse
from services.ingest.feeds.formats import FORMATS, Broken
from services.ingest.ports import FeedSlice, Observer, Sink
from services.kernel.errors import Rejected
from services.kernel.topics import HEADER_EXACT, HEADER_FEED, HEADER_ROLE, HEADER_SOURCE
from services.kernel.transaction import CardTransaction
from services.runtime.batch import Record
from services.runtime.producer import OutgoingRecord


@dataclass(frozen=True, slots=True)
class Source:
    """A feed with the parser of its format."""

    feed: Feed
    parse: Parse


@dataclass(slots=True)
class Outgoing:
    """What a batch comes to."""

    events: list[OutgoingRecord] = field(default_factory=list)
    letters: list[OutgoingRecord] = field(default_factory=list)
    rejections: Counter[str] = field(default_factory=Counter)


class Ingest:
    """Handles batches of the feeds' topics. It keeps nothing from one batch to the next."""

    def __init__(
        self,
        sources: Iterable[Source],
        *,
        seal: Callable[[bytes], bytes],
        sink: Sink,
        observer: Observer,
    ) -> None:
        self._sources = {source.feed.topic: source for source in sources}
        self._seal = seal
        self._sink = sink
        self._observer = observer

    async def handle(self, slices: Sequence[FeedSlice]) -> None:
        """Sends everything that the slices hold; when it returns, their offsets may be committed.

        Raises Retryable when the batch has to be handled again.
        """
        outgoing = Outgoing()
        for part in slices:
            self._translate(part, outgoing)
        await self._sink.send(events=outgoing.events, letters=outgoing.letters)
        self._observer.sent(events=len(outgoing.events), rejections=outgoing.rejections)

    def _translate(self, part: FeedSlice, outgoing: Outgoing) -> None:
        source = self._sources[part.topic]
        headers = [
            (HEADER_FEED, source.feed.name.encode()),
            (HEADER_ROLE, source.feed.role.value.encode()),
        ]
        if source.feed.exact_keys:
            headers.append((HEADER_EXACT, ",".join(sorted(source.feed.exact_keys)).encode()))
        place = f"{part.topic}/{part.partition}/".encode()
        events = outgoing.events
        for record in part.records:
            where = (HEADER_SOURCE, b"%b%d" % (place, record.offset))
            rejected: Rejected | None = None
            for outcome in _outcomes(source, record):
                if isinstance(outcome, Rejected):
                    rejected = rejected or outcome
                    continue
                events.append(
                    OutgoingRecord(
                        key=outcome.account_id.encode(),
                        value=FRAME + encode(outcome),
                        headers=[*headers, where],
                        timestamp_ms=record.timestamp,
                    )
                )
            if rejected is not None:
                outgoing.rejections[rejected.reason] += 1
                outgoing.letters.append(self._letter(source.feed, part, record, rejected))
                if isinstance(rejected, Broken):
                    self._observer.broke(source.feed, part, record, rejected.error)

    def _letter(
        self, feed: Feed, part: FeedSlice, record: Record, rejected: Rejected
    ) -> OutgoingRecord:
        """The raw bytes, sealed. The headers hold nothing that the record holds."""
        raw = record.value or b""
        source = f"{part.topic}/{part.partition}/{record.offset}".encode()
        headers = [
            ("topic", part.topic.encode()),
            ("partition", b"%d" % part.partition),
            ("offset", b"%d" % record.offset),
            (HEADER_FEED, feed.name.encode()),
            ("reason", rejected.reason.encode()),
        ]
        number = schema_id(raw) if feed.format == "milepost-avro" else None
        if number is not None:
            headers.append(("schema_id", b"%d" % number))
        return OutgoingRecord(
            key=source, value=self._seal(raw), headers=headers, timestamp_ms=record.timestamp
        )


def _outcomes(source: Source, record: Record) -> tuple[CardTransaction | Rejected, ...]:
    if record.value is None:
        unreadable = FORMATS[source.feed.format].unreadable
        return (Rejected(unreadable, None, "the record has no value"),)
    return source.parse(record.value)
