"""Wires ingest: settings → feeds → consumer, handler, sink. The only importer of the adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from services.ingest.adapters.files import read_records
from services.ingest.adapters.pages import specifications
from services.ingest.adapters.schemas import load_schemas
from services.ingest.adapters.sink import KafkaSink
from services.ingest.checking import Checked, Report, check
from services.ingest.feeds.catalog import parse_feeds
from services.ingest.feeds.feed import Feed
from services.ingest.feeds.formats import FORMATS, parser
from services.ingest.handler import Ingest, Source
from services.ingest.ports import FeedSlice
from services.kernel.errors import InvalidInput, Problem, Retryable, Unreachable
from services.kernel.topics import CARD_TRANSACTIONS, DEAD_LETTERS
from services.runtime.batch import Record, StreamSlice
from services.runtime.consumer import StreamConsumer
from services.runtime.metrics import Metrics
from services.runtime.producer import BatchProducer, OutgoingRecord
from services.runtime.sealing import Sealer
from services.runtime.service import Service
from services.runtime.settings import Settings
from services.runtime.telemetry import get_logger
from services.runtime.topics import TopicAdmin, TopicSpecification

GROUP = "milepost-ingest"
SEND_RECORDS = 2_000
_CLIENT = "feed-send"
_log = get_logger("milepost.ingest")


class Watch:
    """Tells metrics and logs what batches came to."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def sent(self, *, events: int, rejections: Mapping[str, int]) -> None:
        """So many events, and so many rejections by reason."""
        if events:
            self._metrics.count("milepost_records_total", events, outcome="ACCEPTED", reason="")
            self._metrics.count("milepost_produced_total", events, topic=CARD_TRANSACTIONS)
        for reason, count in rejections.items():
            self._metrics.count("milepost_records_total", count, outcome="REJECTED", reason=reason)
            self._metrics.count("milepost_dead_letters_total", count, reason=reason)
            self._metrics.count("milepost_produced_total", count, topic=DEAD_LETTERS)

    def broke(self, feed: Feed, slice_: FeedSlice, record: Record, error: Exception) -> None:
        """A parser raised what it must not raise. Its text may quote the record: not logged."""
        _log.error(
            "a record broke its parser; it is a dead letter", feed=feed.name, topic=slice_.topic,
            partition=slice_.partition, offset=record.offset, error=type(error).__name__,
        )  # fmt: skip


class Batches:
    """The consumer's handler: ingest keeps no state, so it has no use for claims."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    async def handle(self, slices: Sequence[StreamSlice]) -> None:
        """Sends all of it out; a batch whose offsets were not committed comes again."""
        await self._ingest.handle(
            [FeedSlice(part.claim.topic, part.claim.partition, part.records) for part in slices]
        )


def load_feeds(settings: Settings) -> tuple[Feed, ...]:
    """The feeds of MILEPOST_FEEDS_FILE. Raises InvalidInput with every problem of the file."""
    path = settings.require_feeds_file()
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise InvalidInput([Problem(f"cannot be read: {why}", file=str(path))]) from error
    return parse_feeds(text, file=str(path))


def topic_specifications(settings: Settings) -> list[TopicSpecification]:
    """Every topic as it should be: milepost's own, and those of the feeds when a file names any."""
    feeds = load_feeds(settings) if settings.feeds_file else ()
    return specifications(feed.topic for feed in feeds)


async def run_ingest(service: Service) -> None:
    """Consume the feeds until the service is told to stop."""
    settings = service.settings
    feeds = load_feeds(settings)
    sealer = Sealer.from_file(settings.require_quarantine_key())
    sink = KafkaSink(
        lambda: service.reach(lambda: BatchProducer.connect(settings, client="ingest"))
    )
    schemas = load_schemas()
    ingest = Ingest(
        [Source(feed, parser(feed, schemas)) for feed in feeds],
        seal=sealer.seal, sink=sink, observer=Watch(service.metrics),
    )  # fmt: skip
    # Without a database: Kafka's offsets are enough, and accrual drops what it has seen.
    consumer = StreamConsumer(
        settings, None, Batches(ingest), topics=[feed.topic for feed in feeds], group=GROUP,
        owner=service.owner, metrics=service.metrics, health=service.health,
    )  # fmt: skip
    topics = [*(feed.topic for feed in feeds), CARD_TRANSACTIONS, DEAD_LETTERS]
    await service.reach(lambda: _require_topics(settings, topics))
    service.health.waiting_for -= {f"topic {name}" for name in topics}
    service.started()
    try:
        await consumer.run(service.stop)
    finally:
        await sink.close()


def check_file(settings: Settings, path: Path, feed_name: str) -> Report:
    """Check a file's records by the rules of a feed; nothing is sent."""
    report = Report()
    for _ in _checked(settings, path, feed_name, report)[1]:
        pass
    return report


async def send_file(
    settings: Settings, path: Path, feed_name: str, progress: Callable[[int], None]
) -> Report:
    """Send every record of a file unchanged to the feed's topic, valid or not.

    `progress` is told how many have been acknowledged so far. Raises InvalidInput when a record
    is larger than the topic takes, Unreachable when there is no topic, Retryable when Kafka does
    not acknowledge.
    """
    report = Report()
    feed, records = _checked(settings, path, feed_name, report)
    await _require_topics(settings, [feed.topic])
    async with await BatchProducer.connect(settings, client=_CLIENT) as producer:
        while batch := list(islice(records, SEND_RECORDS)):
            first = report.records - len(batch) + 1
            arrived = f"records before number {first} have arrived, later ones may have"
            try:
                await producer.produce(feed.topic, [_outgoing(checked) for checked in batch])
            except Retryable as error:
                raise Retryable(f"{error}; {arrived}.") from error
            except InvalidInput as error:
                raise InvalidInput([*error.problems, Problem(arrived, str(path))]) from error
            progress(report.records)
    return report


async def send_raw(settings: Settings, records: Sequence[tuple[tuple[str, int], bytes]]) -> None:
    """Send records' bytes once more, each to its (topic, partition), in their order."""
    async with await BatchProducer.connect(settings, client=_CLIENT) as producer:
        for topic in {place[0] for place, _ in records}:
            count = await producer.partitions(topic)
            again = [
                OutgoingRecord(None, raw, partition=place[1])
                for place, raw in records
                if place[0] == topic
            ]
            if any(record.partition is None or record.partition >= count for record in again):
                why = f"has only {count} partitions now; a record came from another one"
                raise InvalidInput([Problem(why, field=f"topic {topic}")])
            await producer.produce(topic, again)


async def _require_topics(settings: Settings, names: Sequence[str]) -> None:
    """Raises Unreachable when one of these topics does not exist.

    Clients of Kafka wait for a topic that is missing, and say nothing of use meanwhile.
    """
    async with await TopicAdmin.connect(settings) as admin:
        existing = await admin.partitions(names)
    where = ", ".join(settings.kafka.bootstrap_servers)
    for name in names:
        if name not in existing:
            hint = "It does not exist: run `milepost topics create`."
            raise Unreachable(f"topic {name}", where, hint)


def _checked(
    settings: Settings, path: Path, feed_name: str, report: Report
) -> tuple[Feed, Iterator[Checked]]:
    feeds = load_feeds(settings)
    feed = next((feed for feed in feeds if feed.name == feed_name), None)
    if feed is None:
        names = ", ".join(feed.name for feed in feeds)
        why = f"is none of the feeds: {names}"
        raise InvalidInput([Problem(why, field="--feed", value=feed_name)])
    records = read_records(path, FORMATS[feed.format].framing)
    return feed, check(records, parser(feed, load_schemas()), report)


def _outgoing(checked: Checked) -> OutgoingRecord:
    key = None if checked.account_id is None else checked.account_id.encode()
    return OutgoingRecord(key, checked.record)
