"""Batches arrive whole, in order, in the right partitions; an error ends the producer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from services.kernel.errors import InvalidInput
from services.local.stack import Stack
from services.runtime import producer as runtime_producer
from services.runtime.database import Database
from services.runtime.migrations import migrate
from services.runtime.producer import (
    BatchProducer,
    OutgoingRecord,
    ProducerFailed,
    partition_for,
)
from services.runtime.settings import Settings, load_settings
from services.runtime.stream_position import offsets
from services.runtime.topics import TopicAdmin, TopicSpecification, create_positions

TOPIC = "card-transactions"


@pytest.fixture
def settings(kafka_bootstrap: str) -> Settings:
    return load_settings({"MILEPOST_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap})


@pytest.fixture
async def admin(settings: Settings) -> AsyncIterator[TopicAdmin]:
    async with await TopicAdmin.connect(settings) as connected:
        yield connected


async def read(bootstrap: str, partitions: int) -> dict[int, list[tuple[bytes, bytes, int]]]:
    """Everything in the topic: key, value and timestamp by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")
    await consumer.start()
    try:
        parts = [TopicPartition(TOPIC, number) for number in range(partitions)]
        consumer.assign(parts)
        await consumer.seek_to_beginning(*parts)
        ends = await consumer.end_offsets(parts)
        found: dict[int, list[tuple[bytes, bytes, int]]] = {part.partition: [] for part in parts}
        while any(len(found[part.partition]) < ends[part] for part in parts):
            for part, records in (await consumer.getmany(timeout_ms=500)).items():
                found[part.partition] += [(r.key, r.value, r.timestamp) for r in records]
        return found
    finally:
        await consumer.stop()


async def delete_before(settings: Settings, partition: TopicPartition, offset: int) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=list(settings.kafka.bootstrap_servers))
    await client.start()
    try:
        await client.delete_records({partition: RecordsToDelete(before_offset=offset)})
    finally:
        await client.close()


@pytest.mark.parametrize("compression", [None, "zstd"])
async def test_records_keep_their_order_within_the_partition_of_their_key(
    settings: Settings, kafka_bootstrap: str, admin: TopicAdmin, compression: None
) -> None:
    await admin.create([TopicSpecification(TOPIC, 3)])
    sent = [
        OutgoingRecord(b"account-%d" % (n % 50), b"%06d" % n * 100, [("n", b"%d" % n)], 1_000 + n)
        for n in range(10_000)  # Six megabytes: several batches a partition.
    ]
    async with await BatchProducer.connect(
        settings, client="test", compression=compression
    ) as producer:
        assert await producer.produce(TOPIC, sent) == len(sent)
    found = await read(kafka_bootstrap, 3)
    expected: dict[int, list[tuple[bytes, bytes, int]]] = {0: [], 1: [], 2: []}
    for record in sent:
        part = partition_for(record.key, 3)
        expected[part].append((record.key, record.value, record.timestamp_ms or 0))
    assert found == expected


async def test_a_partition_may_be_given_and_nothing_is_nothing(
    settings: Settings, kafka_bootstrap: str, admin: TopicAdmin
) -> None:
    await admin.create([TopicSpecification(TOPIC, 3)])
    async with await BatchProducer.connect(settings, client="test") as producer:
        assert await producer.produce(TOPIC, []) == 0
        record = OutgoingRecord(b"k", b"v", timestamp_ms=5, partition=2)
        assert await producer.produce(TOPIC, [record]) == 1
    assert await read(kafka_bootstrap, 3) == {0: [], 1: [], 2: [(b"k", b"v", 5)]}


async def test_a_record_larger_than_the_topic_takes_is_said_plainly(
    settings: Settings, admin: TopicAdmin
) -> None:
    await admin.create([TopicSpecification(TOPIC, 1, {"max.message.bytes": "100000"})])
    async with await BatchProducer.connect(settings, client="test") as producer:
        with pytest.raises(InvalidInput, match="larger than topic card-transactions takes"):
            await producer.produce(TOPIC, [OutgoingRecord(b"k", bytes(200_000))])
        with pytest.raises(ProducerFailed, match="has failed before"):
            await producer.produce(TOPIC, [OutgoingRecord(b"k", b"v")])


async def test_a_topic_that_does_not_exist_is_not_made_by_sending_to_it(
    settings: Settings, admin: TopicAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_producer, "ACKNOWLEDGE_SECONDS", 2)
    async with await BatchProducer.connect(settings, client="test") as producer:
        with pytest.raises(ProducerFailed, match="no-such-topic"):
            await producer.produce("no-such-topic", [OutgoingRecord(b"k", b"v")])
    assert "no-such-topic" not in await admin.partitions()


async def test_topics_are_made_once_and_compared(settings: Settings, admin: TopicAdmin) -> None:
    wanted = [
        TopicSpecification(TOPIC, 4, {"retention.ms": "1000000"}),
        TopicSpecification("accruals", 2),
    ]
    made = await asyncio.gather(*(admin.create(wanted) for _ in range(3)))
    assert sorted(name for names in made for name in names) == ["accruals", TOPIC]
    assert await admin.partitions([TOPIC, "missing"]) == {TOPIC: 4}
    assert await admin.check(wanted) == []
    changed = [
        TopicSpecification(TOPIC, 8, {"retention.ms": "2", "max.message.bytes": "9000000"}),
        TopicSpecification("settlements", 1),
    ]
    assert [str(problem) for problem in await admin.check(changed)] == [
        "topic settlements: does not exist; run `milepost topics create`",
        "topic card-transactions partitions: '4': should be 8; keys would move, so use a new topic",
        "topic card-transactions retention.ms: '1000000': should be 2",
        "topic card-transactions max.message.bytes: '1048588': should be 9000000",
    ]


async def test_every_topic_that_the_broker_refuses_is_named(admin: TopicAdmin) -> None:
    wanted = [
        TopicSpecification("not/a/name", 1),
        TopicSpecification("fine", 1, {"no.such.key": "1"}),
    ]
    with pytest.raises(InvalidInput) as caught:
        await admin.create(wanted)
    fields = {problem.field for problem in caught.value.problems}
    assert fields == {"topic not/a/name", "topic fine"}


async def test_positions_start_at_the_first_record_that_the_topic_holds(
    settings: Settings, admin: TopicAdmin, database_url: str
) -> None:
    await migrate(database_url)
    await admin.create([TopicSpecification(TOPIC, 2)])
    async with await BatchProducer.connect(settings, client="test") as producer:
        await producer.produce(TOPIC, [OutgoingRecord(b"k", b"v", partition=1)] * 5)
    await delete_before(settings, TopicPartition(TOPIC, 1), 3)
    async with await Database.connect(database_url) as database:
        for _ in range(2):
            await create_positions(settings, database, {TOPIC: 2})
        async with database.connection() as connection:
            found = await offsets(connection, [f"{TOPIC}/0", f"{TOPIC}/1"])
    assert found == {f"{TOPIC}/0": 0, f"{TOPIC}/1": 3}


@pytest.mark.slow
async def test_what_a_killed_broker_did_not_acknowledge_is_reported(
    fresh_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_producer, "ACKNOWLEDGE_SECONDS", 2)
    monkeypatch.setattr(runtime_producer, "CLOSE_SECONDS", 1)
    settings = load_settings({"MILEPOST_KAFKA_BOOTSTRAP_SERVERS": fresh_stack.kafka_bootstrap})
    async with await TopicAdmin.connect(settings) as admin:
        await admin.create([TopicSpecification(TOPIC, 1)])
    acknowledged = 0
    async with await BatchProducer.connect(settings, client="test") as producer:
        with pytest.raises(ProducerFailed):
            for number in range(10_000):
                if number == 20:
                    await asyncio.to_thread(fresh_stack.kafka.kill)
                await producer.produce(TOPIC, [OutgoingRecord(b"k", b"%d" % number)])
                acknowledged += 1
    await asyncio.to_thread(fresh_stack.kafka.start)
    async with await BatchProducer.connect(settings, client="test") as producer:
        await producer.produce(TOPIC, [OutgoingRecord(b"k", b"again")])
    values = [value for _, value, _ in (await read(fresh_stack.kafka_bootstrap, 1))[0]]
    assert values[:acknowledged] == [b"%d" % number for number in range(acknowledged)]
    assert values[-1] == b"again"
