"""A batch is gathered from healthy partitions whatever another one does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    IllegalStateError,
    KafkaError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
)

from services.kernel.errors import InvalidInput, Unreachable
from services.runtime.assignment import Assignment
from services.runtime.connecting import new_consumer
from services.runtime.gathering import Gathering, OffsetLost, linger_seconds
from services.runtime.settings import load_settings
from services.runtime.stream_position import Claim

ONE, TWO = TopicPartition("t", 1), TopicPartition("t", 2)
SETTINGS = load_settings(
    {
        "MILEPOST_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
        "MILEPOST_BATCH_RECORDS_MAX": "10",
        "MILEPOST_BATCH_WAIT_MS_MAX": "20",
    }
)


@dataclass
class FakeRecord:
    offset: int


class FakeConsumer:
    """Like the driver: an error drops what the same call had drained, and moves the position."""

    def __init__(self) -> None:
        self.ready: dict[TopicPartition, list[int]] = {ONE: [], TWO: []}
        self.position = {ONE: 100, TWO: 200}
        self.errors: dict[TopicPartition, Exception] = {}
        self.calls: list[tuple[TopicPartition, ...]] = []

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[FakeRecord]]:
        self.calls.append(partitions)
        await asyncio.sleep(0)
        found = {}
        for partition in partitions:
            offsets = self.ready.get(partition, [])[:max_records]
            if offsets:
                self.position[partition] = offsets[-1] + 1
                self.ready[partition] = self.ready[partition][len(offsets) :]
                found[partition] = [FakeRecord(offset) for offset in offsets]
        for partition in partitions:
            if error := self.errors.pop(partition, None):
                raise error
        return found

    def seek(self, partition: TopicPartition, offset: int) -> None:
        if partition not in self.position:
            raise IllegalStateError(f"No assignment for {partition}")
        self.position[partition] = offset

    async def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[Any, int]:
        return dict.fromkeys(partitions, 150)

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[Any, int]:
        return dict.fromkeys(partitions, 500)


@pytest.fixture
def consumer() -> FakeConsumer:
    return FakeConsumer()


@pytest.fixture
def gathering(consumer: FakeConsumer) -> Gathering:
    assignment = Assignment(drain_seconds=1)
    assignment.claims[ONE] = Claim(1, "t", 1, 1, 100)
    assignment.claims[TWO] = Claim(2, "t", 2, 1, 200)
    return Gathering(consumer, assignment, SETTINGS, "here:9092")


async def offsets(gathering: Gathering) -> dict[TopicPartition, list[int]]:
    taken = await gathering.gather()
    return {part: [record.offset for record in records] for part, records in taken.items()}


async def test_a_batch_is_bounded_over_all_partitions(
    gathering: Gathering, consumer: FakeConsumer
) -> None:
    consumer.ready = {ONE: list(range(100, 108)), TWO: list(range(200, 208))}
    first = await offsets(gathering)
    second = await offsets(gathering)
    assert sum(map(len, first.values())) == 10
    assert {part: first.get(part, []) + second.get(part, []) for part in (ONE, TWO)} == {
        ONE: list(range(100, 108)),
        TWO: list(range(200, 208)),
    }


async def test_a_corrupt_partition_rests_and_the_others_go_on(
    gathering: Gathering, consumer: FakeConsumer
) -> None:
    consumer.ready = {ONE: [100, 101], TWO: [200, 201]}
    consumer.errors[ONE] = CorruptRecordException("Invalid CRC")
    assert await offsets(gathering) == {TWO: [200, 201]}
    assert consumer.position == {ONE: 100, TWO: 202}
    consumer.calls.clear()
    consumer.ready[TWO] = [202]
    assert await offsets(gathering) == {TWO: [202]}
    assert (ONE,) not in consumer.calls, "it was asked again at once"


async def test_what_an_error_dropped_while_waiting_is_fetched_again(
    gathering: Gathering, consumer: FakeConsumer
) -> None:
    class Late(FakeConsumer):
        async def getmany(self, *partitions: TopicPartition, **more: Any) -> Any:
            if len(partitions) == 1:
                return {}
            self.ready[TWO] = [200]
            self.errors[ONE] = CorruptRecordException("Invalid CRC")
            return await super().getmany(*partitions, **more)

    late = Late()
    gathering._consumer = late
    assert await offsets(gathering) == {}
    assert late.position == {ONE: 100, TWO: 200}


async def test_an_error_in_the_second_look_takes_back_the_first(
    gathering: Gathering, consumer: FakeConsumer
) -> None:
    gathering._linger_seconds = 0.01
    consumer.ready = {ONE: [100], TWO: [200]}

    async def spoil() -> None:
        while consumer.ready[ONE]:
            await asyncio.sleep(0)
        consumer.errors[ONE] = CorruptRecordException("Invalid CRC")

    found, _ = await asyncio.gather(offsets(gathering), spoil())
    assert found == {TWO: [200]}
    assert consumer.position[ONE] == 100


async def test_there_is_a_pause_after_some_records_and_none_after_none_or_a_full_batch(
    gathering: Gathering, consumer: FakeConsumer
) -> None:
    pauses = []
    for count in (0, 1, 9, 10, 0):
        consumer.ready[ONE] = list(range(100, 100 + count))
        gathering._linger_seconds = 0.0
        await gathering.gather()
        pauses.append(gathering._linger_seconds)
    assert pauses == pytest.approx([0.0, 0.02, 0.02, 0.0, 0.0])


def test_the_pause_grows_with_the_batch_up_to_the_longest() -> None:
    pauses = [
        linger_seconds(count, records_max=8_000, seconds_max=0.1)
        for count in (0, 1, 100, 200, 7_999, 8_000)
    ]
    assert pauses == pytest.approx([0.0, 0.0005, 0.05, 0.1, 0.1, 0.0])


async def test_an_offset_that_is_lost_names_what_is_there(
    gathering: Gathering, consumer: FakeConsumer
) -> None:
    consumer.errors[ONE] = OffsetOutOfRangeError({ONE: 100})
    with pytest.raises(OffsetLost, match=r"t/1: the position is offset 100, .* 150 to 500"):
        await gathering.gather()


async def test_what_a_person_must_change_is_said(
    gathering: Gathering, consumer: FakeConsumer
) -> None:
    consumer.errors[ONE] = RecordTooLargeError("too large")
    with pytest.raises(InvalidInput, match="MILEPOST_FETCH_PARTITION_BYTES_MAX: '4194304'"):
        await gathering.gather()
    consumer.errors[ONE] = TopicAuthorizationFailedError("t")
    with pytest.raises(Unreachable, match="grant READ"):
        await gathering.gather()


async def test_the_end_of_the_coordinator_ends_the_process(
    gathering: Gathering, consumer: FakeConsumer
) -> None:
    consumer.errors[ONE] = KafkaError("Unexpected error during coordination")
    with pytest.raises(KafkaError):
        await gathering.gather()


async def test_a_revoked_partition_is_not_put_back(
    gathering: Gathering, consumer: FakeConsumer
) -> None:
    del consumer.position[ONE]
    gathering.put_back([ONE, TWO, TopicPartition("t", 9)])
    assert consumer.position == {TWO: 200}


async def test_the_driver_is_configured_to_lose_nothing() -> None:
    consumer = new_consumer(SETTINGS, ["t"], "group", Assignment(drain_seconds=1), [])
    try:
        assert consumer._enable_auto_commit is False
        assert consumer._auto_offset_reset == "none"
        assert consumer._isolation_level == "read_committed"
        assert consumer._rebalance_timeout_ms == 45_000
        assert consumer._max_partition_fetch_bytes == 4_194_304
        assert consumer._key_deserializer is consumer._value_deserializer is None
    finally:
        await consumer.stop()
