"""Who makes no progress with work in hand is stuck; who has nothing to do is not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka import TopicPartition

from services.runtime.assignment import Assignment
from services.runtime.health import Health
from services.runtime.metrics import Metrics
from services.runtime.stream_position import Claim
from services.runtime.watchdog import Stuck, Watchdog

BUSY, IDLE = TopicPartition("card-transactions", 0), TopicPartition("dead-letters", 0)
SECONDS = 0.2


class Broker:
    """Ends and positions of partitions, as the driver tells them."""

    def __init__(self) -> None:
        self.ends = {BUSY: 1_000, IDLE: 0}
        self.positions = {BUSY: 10, IDLE: 0}

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return {partition: self.ends[partition] for partition in partitions}

    async def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]


@pytest.fixture
def assignment() -> Assignment:
    made = Assignment(drain_seconds=1)
    for number, partition in enumerate((BUSY, IDLE)):
        made.claims[partition] = Claim(number, *partition, epoch=1, next_offset=0)
    return made


def watchdog(assignment: Assignment, broker: Broker) -> Watchdog:
    health = Health(waiting_for=set())
    return Watchdog(
        broker, assignment, None, Metrics(), health, seconds=SECONDS  # type: ignore[arg-type]
    )  # fmt: skip


async def test_a_partition_without_records_is_not_stuck_while_others_keep_us_busy(
    assignment: Assignment,
) -> None:
    broker = Broker()
    watching = asyncio.create_task(watchdog(assignment, broker).run())
    for offset in range(20, 500, 10):
        async with assignment.busy:
            with assignment.working_on({BUSY}):
                await asyncio.sleep(0.02)
        broker.positions[BUSY] = offset
        assignment.committed(BUSY, assignment.claims[BUSY], offset)
    assert not watching.done()
    watching.cancel()


async def test_a_batch_in_hand_that_does_not_end_is_stuck(assignment: Assignment) -> None:
    broker = Broker()
    broker.ends[BUSY] = broker.positions[BUSY] = 10
    with pytest.raises(Stuck, match="card-transactions/0: 10 records wait"):
        async with asyncio.timeout(5), assignment.busy:
            with assignment.working_on({BUSY}):
                await watchdog(assignment, broker).run()


async def test_records_that_nobody_fetches_are_stuck(assignment: Assignment) -> None:
    with pytest.raises(Stuck, match="card-transactions/0: 1000 records wait"):
        async with asyncio.timeout(5):
            await watchdog(assignment, Broker()).run()
