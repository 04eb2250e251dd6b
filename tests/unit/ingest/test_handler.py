"""A batch: events keyed by account, dead letters sealed, and nothing lost between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.ingest.feeds.encoding import FRAME
from services.ingest.feeds.feed import Feed
from services.ingest.handler import Ingest, Source
from services.ingest.ports import FeedSlice
from services.kernel.errors import Retryable
from services.kernel.transaction import CardTransaction, Role
from services.runtime.batch import Record
from services.runtime.producer import OutgoingRecord
from tests.support.feeds import feed, frame, line, lithic_event, parse_with, webhook

PAN = "4111111111111111"


@dataclass
class Raw:
    offset: int
    value: bytes | None
    timestamp: int = 1_700_000_000_000
    key: bytes | None = b"whoever"
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass
class FakeSink:
    events: list[OutgoingRecord] = field(default_factory=list)
    letters: list[OutgoingRecord] = field(default_factory=list)
    failures: int = 0

    async def send(
        self, *, events: Sequence[OutgoingRecord], letters: Sequence[OutgoingRecord]
    ) -> None:
        if self.failures:
            self.failures -= 1
            raise Retryable("not acknowledged")
        self.events += events
        self.letters += letters


@dataclass
class FakeObserver:
    events: int = 0
    rejections: dict[str, int] = field(default_factory=dict)
    broken: list[Exception] = field(default_factory=list)

    def sent(self, *, events: int, rejections: Mapping[str, int]) -> None:
        self.events += events
        self.rejections |= rejections

    def broke(self, _: Feed, __: FeedSlice, ___: Record, error: Exception) -> None:
        self.broken.append(error)


def seal(plain: bytes) -> bytes:
    return b"sealed:" + plain[::-1]


def ingest(feed_: Feed, parse: Any = None) -> tuple[Ingest, FakeSink, FakeObserver]:
    sink, observer = FakeSink(), FakeObserver()
    source = Source(feed_, parse or parse_with(feed_))
    return Ingest([source], seal=seal, sink=sink, observer=observer), sink, observer


def part(*values: bytes | None, partition: int = 3) -> FeedSlice:
    records = [Raw(offset, value) for offset, value in enumerate(values, start=40)]
    return FeedSlice("card-feed.first-bank", partition, records)


async def test_an_event_goes_out_keyed_by_account_with_its_source_and_time() -> None:
    handler, sink, observer = ingest(feed())
    await handler.handle([part(line(account_id="a-9"))])
    (sent,) = sink.events
    assert sent.key == b"a-9"
    assert sent.value.startswith(FRAME)
    assert sent.timestamp_ms == 1_700_000_000_000
    assert sent.partition is None  # the key decides, as in every client of Kafka
    assert dict(sent.headers) == {
        "feed": b"first-bank",
        "role": b"books",
        "source": b"card-feed.first-bank/3/40",
    }
    assert (observer.events, observer.rejections, sink.letters) == (1, {}, [])


async def test_a_rejection_goes_out_sealed_and_its_headers_tell_no_value() -> None:
    handler, sink, observer = ingest(feed())
    record = line(merchant_name=PAN)
    await handler.handle([part(line(), record)])
    (sent,) = sink.letters
    assert sent.value == seal(record)
    assert dict(sent.headers) == {
        "topic": b"card-feed.first-bank",
        "partition": b"3",
        "offset": b"41",
        "feed": b"first-bank",
        "reason": b"CARD_NUMBER",
    }
    assert sent.timestamp_ms == 1_700_000_000_000
    assert sent.key == b"card-feed.first-bank/3/41"
    assert PAN.encode() not in b"".join(value for _, value in sent.headers)
    assert (observer.events, observer.rejections) == (1, {"CARD_NUMBER": 1})


async def test_a_rejected_avro_record_tells_its_schema() -> None:
    handler, sink, _ = ingest(feed("milepost-avro"))
    await handler.handle([part(frame(mcc="x"), b"\x00\x00\x00\x00\x09", b"\x00\x00")])
    found = [dict(letter.headers).get("schema_id") for letter in sink.letters]
    assert found == [b"1", b"9", None]


async def test_a_snapshot_gives_all_its_events_and_at_most_one_dead_letter() -> None:
    handler, sink, observer = ingest(feed("lithic-events"))
    wrong = [lithic_event(n, type="RETURN") for n in (2, 3)]
    await handler.handle([part(webhook(lithic_event(1), *wrong, lithic_event(4)))])
    assert len(sink.events) == 2
    assert len(sink.letters) == 1
    assert {dict(event.headers)["source"] for event in sink.events} == {
        b"card-feed.first-bank/3/40"
    }
    assert observer.rejections == {"BAD_VALUE": 1}


@pytest.mark.parametrize(("name", "reason"), [("milepost-json", b"NOT_JSON"),
                                              ("milepost-avro", b"NOT_AVRO")])  # fmt: skip
async def test_a_record_without_value_is_a_dead_letter(name: str, reason: bytes) -> None:
    handler, sink, _ = ingest(feed(name))
    await handler.handle([part(None)])
    (sent,) = sink.letters
    assert sent.value == seal(b"")
    assert dict(sent.headers)["reason"] == reason


async def test_several_partitions_keep_their_order() -> None:
    handler, sink, _ = ingest(feed())
    lines = [line(event_id=f"e{n}") for n in range(4)]
    await handler.handle([part(*lines[:2], partition=0), part(*lines[2:], partition=1)])
    sources = [dict(event.headers)["source"][-4:] for event in sink.events]
    assert sources == [b"0/40", b"0/41", b"1/40", b"1/41"]


async def test_a_batch_that_was_not_acknowledged_is_sent_again_whole() -> None:
    handler, sink, observer = ingest(feed())
    sink.failures = 1
    with pytest.raises(Retryable):
        await handler.handle([part(line(), b"x")])
    assert (observer.events, observer.rejections) == (0, {})
    await handler.handle([part(line(), b"x")])
    assert (len(sink.events), len(sink.letters)) == (1, 1)


async def test_a_parser_that_breaks_is_told_and_blocks_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> CardTransaction:
        raise ZeroDivisionError

    monkeypatch.setattr("services.ingest.feeds.jsonlines.fault", broken)
    handler, sink, observer = ingest(feed())
    await handler.handle([part(line(mcc="x"), line())])
    assert [type(error) for error in observer.broken] == [ZeroDivisionError]
    assert (len(sink.events), len(sink.letters)) == (1, 1)


async def test_what_a_feed_declares_exact_goes_out_with_the_event() -> None:
    declared = Feed(
        "first-bank", "first-bank", Role.BOOKS, "card-feed.first-bank", "milepost-json",
        exact_keys=frozenset({"scheme_reference", "arn"}),
    )  # fmt: skip
    handler, sink, _ = ingest(declared)
    plain, plain_sink, _ = ingest(feed())
    for one in (handler, plain):
        await one.handle([part(line(arn="A1"))])
    (sent,), (without,) = sink.events, plain_sink.events
    assert dict(sent.headers)["exact_keys"] == b"arn,scheme_reference"
    assert sent.value == without.value, "it is no part of what the event says"
