"""From a feed's topic to canonical events and dead letters on a real broker, killed anywhere."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import GroupCoordinatorNotAvailableError

from services.ingest import bootstrap
from services.ingest.adapters.schemas import load_schemas
from services.ingest.bootstrap import GROUP, run_ingest, send_file, send_raw
from services.ingest.feeds.avro import _decode
from services.ingest.feeds.encoding import FRAME, encode
from services.kernel.errors import InvalidInput, Unreachable
from services.kernel.transaction import CardTransaction
from services.runtime.gathering import OffsetLost
from services.runtime.health import Health
from services.runtime.metrics import Metrics
from services.runtime.producer import BatchProducer, OutgoingRecord, partition_for
from services.runtime.sealing import IDENTITY, PUBLIC_KEY, Opener, create_keys
from services.runtime.service import Service
from services.runtime.settings import Settings, load_settings
from services.runtime.topics import TopicAdmin
from tests.support.feeds import (
    card_numbers,
    frame,
    line,
    lithic_event,
    token,
    webhook,
    written,
)

JSON, LITHIC, AVRO = "card-feed.first-bank", "card-feed.fjord-cards", "card-feed.other"
EVENTS, LETTERS = "card-transactions", "dead-letters"
FEEDS = f"""\
feeds:
  - name: first-bank
    issuer: first-bank
    role: books
    topic: {JSON}
    format: milepost-json
    numeric_ids: [scheme_reference, arn]
  - {{name: fjord-cards, issuer: first-bank, role: books, topic: {LITHIC}, format: lithic-events}}
  - {{name: network, issuer: first-bank, role: compare, topic: {AVRO}, format: milepost-avro}}
"""
RUN = """\
import os, sys
from services.ingest.bootstrap import run_ingest
from services.runtime.service import run_service
from services.runtime.settings import load_settings
sys.exit(run_service("ingest", load_settings(os.environ), run_ingest))
"""
PAN = "5555 5555 5555 4444"


class World:
    """The feeds' topics on a broker, and what came out of ingest."""

    def __init__(self, environment: dict[str, str], keys: Path) -> None:
        self.environment = environment
        self.settings: Settings = load_settings(environment)
        self.opener = Opener.from_file(keys / IDENTITY)

    async def send(self, topic: str, values: Sequence[bytes], *, keys: int = 7) -> None:
        records = [OutgoingRecord(b"%d" % (n % keys), value) for n, value in enumerate(values)]
        async with await BatchProducer.connect(self.settings, client="test") as producer:
            await producer.produce(topic, records)

    async def read(self, topic: str) -> list[Any]:
        """Every record of a topic, by partition and offset."""
        consumer = AIOKafkaConsumer(bootstrap_servers=list(self.settings.kafka_bootstrap_servers))
        await consumer.start()
        try:
            parts = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic) or ()]
            if not parts:
                await consumer._client.force_metadata_update()
                found = await consumer._client.fetch_all_metadata()
                parts = [TopicPartition(topic, n) for n in found.partitions_for_topic(topic)]
            consumer.assign(parts)
            await consumer.seek_to_beginning(*parts)
            ends = await consumer.end_offsets(parts)
            records: list[Any] = []
            while any([await consumer.position(part) < ends[part] for part in parts]):
                for taken in (await consumer.getmany(timeout_ms=200)).values():
                    records += taken
            return sorted(records, key=lambda record: (record.partition, record.offset))
        finally:
            await consumer.stop()

    async def committed(self) -> dict[TopicPartition, int]:
        """Where the group stands, of the partitions in which it stands anywhere."""
        client = AIOKafkaAdminClient(bootstrap_servers=list(self.settings.kafka_bootstrap_servers))
        await client.start()
        try:
            found = await client.list_consumer_group_offsets(GROUP)
        except GroupCoordinatorNotAvailableError:
            return {}  # The broker makes its topic of offsets at the first question.
        finally:
            await client.close()
        return {part: meta.offset for part, meta in found.items() if meta.offset >= 0}

    async def until_done(self, records: int, seconds: float = 30) -> None:
        """Wait until so many raw records have been committed."""
        async with asyncio.timeout(seconds):
            while sum((await self.committed()).values()) < records:
                await asyncio.sleep(0.1)

    @asynccontextmanager
    async def ingest(self) -> AsyncIterator[Service]:
        """Ingest in a task of its own; what it raises comes out of here."""
        service = Service("ingest", self.settings, metrics=Metrics(), health=Health())
        task = asyncio.create_task(run_ingest(service))
        try:
            yield service
        finally:
            service.stop.set()
            await asyncio.wait({task}, timeout=15)
            assert task.done()
        task.result()

    def process(self, **more: str) -> subprocess.Popen[bytes]:
        """Ingest in a process of its own."""
        environment = {**os.environ, **self.environment, **more}
        return subprocess.Popen(
            [sys.executable, "-c", RUN], env=environment, stderr=subprocess.PIPE
        )


@pytest.fixture
async def world(kafka_bootstrap: str, tmp_path: Path) -> World:
    create_keys(tmp_path / "keys")
    (tmp_path / "feeds.yaml").write_text(FEEDS)
    environment = {
        "MILEPOST_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "MILEPOST_FEEDS_FILE": str(tmp_path / "feeds.yaml"),
        "MILEPOST_QUARANTINE_KEY_FILE": str(tmp_path / "keys" / PUBLIC_KEY),
    }
    if not os.environ.get("MILEPOST_KAFKA_BOOTSTRAP_SERVERS"):
        # Our own broker takes short sessions: a killed process is missed five times sooner.
        environment["MILEPOST_KAFKA_SESSION_MS"] = "2000"
    made = World(environment, tmp_path / "keys")
    async with await TopicAdmin.connect(made.settings) as admin:
        await admin.create(bootstrap.topic_specifications(made.settings))
        assert await admin.check(bootstrap.topic_specifications(made.settings)) == []
    return made


def decoded(record: Any) -> CardTransaction:
    """The event of a record, which must be exactly canonical."""
    assert record.value[:5] == FRAME
    event = _decode(record.value[5:], load_schemas()[1])
    assert event is not None
    assert FRAME + encode(event) == record.value
    return event


async def test_every_record_comes_out_as_events_or_as_one_sealed_dead_letter(world: World) -> None:
    dice = random.Random(1)
    good = [
        line(event_id=f"e{n}", account_id=f"a{n % 50}", scheme_reference=str(10**14 + n),
             attributes={"b": "2", "a": "1"})
        for n in range(500)
    ]  # fmt: skip
    pans = [written(number, dice) for number in card_numbers(40, seed=2)]
    bad = [
        b"",
        b"garbage",
        b"\xff\xfe",
        b"[]",
        line(mcc="x"),
        *(line(merchant_name=p) for p in pans),
    ]
    sent = {
        JSON: [*good, *bad],
        LITHIC: [webhook(*[lithic_event(k, amount=100 * k) for k in range(1, n + 1)])
                 for n in range(1, 6)],
        AVRO: [frame("x1", account_id="a1"), b"\x00\x00\x00\x00\x09zz", frame()[:-2]],
    }  # fmt: skip
    for topic, values in sent.items():
        await world.send(topic, values)
    async with world.ingest() as service:
        await world.until_done(sum(map(len, sent.values())))
        assert service.health.ready
    events, letters = await world.read(EVENTS), await world.read(LETTERS)
    raw = {
        (record.topic, record.partition, record.offset): record
        for topic in sent
        for record in await world.read(topic)
    }
    counts: Counter[str] = Counter()
    for record in events:
        headers = {name: value.decode() for name, value in record.headers}
        event = decoded(record)
        assert record.key == event.account_id.encode()
        assert record.partition == partition_for(record.key, 8)
        topic, partition, offset = headers["source"].split("/")
        assert record.timestamp == raw[topic, int(partition), int(offset)].timestamp
        assert headers["role"] == ("compare" if topic == AVRO else "books")
        counts[headers["feed"]] += 1
    assert counts == {"first-bank": 500, "fjord-cards": 15, "network": 1}
    for record in letters:
        headers = {name: value.decode() for name, value in record.headers}
        place = (headers["topic"], int(headers["partition"]), int(headers["offset"]))
        assert world.opener.open(record.value) == raw.pop(place).value
    reasons = Counter(dict(record.headers)["reason"].decode() for record in letters)
    assert reasons == {"NOT_JSON": 2, "NOT_UTF8": 1, "NOT_AN_OBJECT": 1, "BAD_VALUE": 1,
                       "CARD_NUMBER": 40, "UNKNOWN_SCHEMA": 1, "NOT_AVRO": 1}  # fmt: skip
    for record in [*events, *letters]:
        everything = b"|".join([record.key, record.value, *(v for _, v in record.headers)])
        assert not any(pan.encode() in everything for pan in pans)


async def test_a_snapshot_that_comes_again_gives_the_same_bytes_again(world: World) -> None:
    events = [lithic_event(n) for n in (1, 2, 3)]
    await world.send(LITHIC, [webhook(*events[:n]) for n in (1, 2, 3)])
    async with world.ingest():
        await world.until_done(3)
    found = Counter((decoded(r).event_id, r.value) for r in await world.read(EVENTS))
    assert {key[0]: count for key, count in found.items()} == {
        token(1, 1): 3, token(2, 1): 2, token(3, 1): 1,
    }  # fmt: skip


async def test_a_restart_goes_on_where_the_group_stands(world: World) -> None:
    for start in (0, 100):
        await world.send(JSON, [line(event_id=f"e{n}") for n in range(start, start + 100)])
        async with world.ingest():
            await world.until_done(start + 100)
    found = Counter(decoded(record).event_id for record in await world.read(EVENTS))
    assert found == {f"e{n}": 1 for n in range(200)}


@pytest.mark.slow
async def test_killed_at_any_point_nothing_is_lost(world: World) -> None:
    points = []
    for point in range(1, 7):
        batch = [line(event_id=f"e{point}-{n}") for n in range(50)] + [b"x%d" % point]
        await world.send(JSON, batch, keys=1)
        process = world.process(MILEPOST_FAIL_AT=str(point))
        try:
            _, said = await asyncio.to_thread(process.communicate, timeout=40)
        finally:
            process.kill()
        assert process.returncode == 137, said.decode()
        points.append(said.splitlines()[-1].decode().removeprefix("failpoint: "))
    assert set(points) == {
        "gathering: polled", "consumer: about to handle", f"produced: {EVENTS}",
        f"produced: {LETTERS}", "consumer: handled", "positions: committed",
    }  # fmt: skip
    async with world.ingest():
        await world.until_done(6 * 51)
    found = {decoded(record).event_id for record in await world.read(EVENTS)}
    assert found == {f"e{point}-{n}" for point in range(1, 7) for n in range(50)}
    letters = {world.opener.open(record.value) for record in await world.read(LETTERS)}
    assert letters == {b"x%d" % point for point in range(1, 7)}


@pytest.mark.slow
async def test_two_workers_share_a_feed_and_one_may_be_killed(world: World) -> None:
    await world.send(JSON, [line(event_id=f"e{n}") for n in range(500)])
    first, second = world.process(), world.process()
    try:
        await world.until_done(500, seconds=40)
        await world.send(JSON, [line(event_id=f"e{n}") for n in range(500, 1_000)])
        first.kill()
        await world.until_done(1_000, seconds=60)
        second.send_signal(signal.SIGTERM)
        _, said = await asyncio.to_thread(second.communicate, timeout=10)
        assert second.returncode == 0, said
    finally:
        first.kill()
        second.kill()
        first.communicate()
    found = {decoded(record).event_id for record in await world.read(EVENTS)}
    assert found == {f"e{n}" for n in range(1_000)}


async def test_records_that_were_removed_unread_stop_ingest(world: World) -> None:
    await world.send(JSON, [line()] * 70)
    async with world.ingest():
        await world.until_done(70)
    await world.send(JSON, [line()] * 70)
    ends = {part: end * 2 for part, end in (await world.committed()).items() if end}
    client = AIOKafkaAdminClient(bootstrap_servers=list(world.settings.kafka_bootstrap_servers))
    await client.start()
    await client.delete_records({part: RecordsToDelete(end) for part, end in ends.items()})
    await client.close()
    service = Service("ingest", world.settings)
    with pytest.raises(OffsetLost, match="Nothing was skipped"):
        await asyncio.wait_for(run_ingest(service), 20)


async def test_a_topic_that_is_missing_is_waited_for_and_said(world: World, tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text(FEEDS.replace(JSON, "card-feed.later"))
    (tmp_path / "lines").write_bytes(line())
    with pytest.raises(Unreachable, match="run `milepost topics create`"):
        await send_file(world.settings, tmp_path / "lines", "first-bank", print)
    async with world.ingest() as service:
        async with asyncio.timeout(10):
            while "topic card-feed.later" not in service.health.waiting_for:
                await asyncio.sleep(0.05)
        async with await TopicAdmin.connect(world.settings) as admin:
            await admin.create(bootstrap.topic_specifications(world.settings))
        await send_file(world.settings, tmp_path / "lines", "first-bank", print)
        await world.until_done(1)
        assert service.health.ready


async def test_a_file_is_sent_unchanged_and_keyed_by_account(world: World, tmp_path: Path) -> None:
    lines = [line(event_id=f"e{n}", account_id=f"a{n % 5}") for n in range(5_000)]
    lines[7:7] = [b"{", b"", line(merchant_name=PAN)]
    (tmp_path / "lines").write_bytes(b"\n".join(lines) + b"\n")
    told: list[int] = []
    report = await send_file(world.settings, tmp_path / "lines", "first-bank", told.append)
    assert (report.records, report.valid) == (5_003, 5_000)
    assert [(bad.line, bad.reason) for bad in report.problems] == [
        (8, "NOT_JSON"), (9, "NOT_JSON"), (10, "CARD_NUMBER"),
    ]  # fmt: skip
    assert told == [2_000, 4_000, 5_003]
    found = await world.read(JSON)
    assert sorted(record.value for record in found) == sorted(lines)
    for record in found:
        try:
            account = json.loads(record.value).get("account_id").encode()
        except ValueError:
            account = None
        assert record.key == (None if record.value == lines[9] else account)
    by_account = [record.value for record in found if record.key == b"a3"]
    assert by_account == [sent for sent in lines if b'"a3"' in sent]


async def test_a_raw_record_is_sent_again_to_the_partition_it_came_from(world: World) -> None:
    await send_raw(
        world.settings, [((JSON, 2), b"one"), ((AVRO, 0), b"two"), ((JSON, 2), b"three")]
    )
    assert [(r.partition, r.value) for r in await world.read(JSON)] == [(2, b"one"), (2, b"three")]
    assert [(r.partition, r.value) for r in await world.read(AVRO)] == [(0, b"two")]
    with pytest.raises(InvalidInput, match="only 4 partitions"):
        await send_raw(world.settings, [((JSON, 4), b"x")])
