"""A rebalance takes everything away at once and waits, for a while, for what is in flight."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import TopicPartition

from services.runtime.assignment import Assignment
from services.runtime.backoff import Backoff
from services.runtime.stream_position import Claim

ONE, TWO = TopicPartition("t", 1), TopicPartition("t", 2)


@pytest.fixture
def assignment() -> Assignment:
    made = Assignment(drain_seconds=0.2)
    made.assign([ONE, TWO])
    for number, partition in enumerate((ONE, TWO)):
        made.claims[partition] = Claim(number, "t", partition.partition, 1, 100)
        made.unclaimed.discard(partition)
    return made


async def test_a_revoke_waits_for_the_batch_in_flight(assignment: Assignment) -> None:
    await assignment.busy.acquire()
    revoke = asyncio.create_task(assignment.on_partitions_revoked([ONE]))
    await asyncio.sleep(0.05)
    assert not assignment.claims, "nothing new is begun"
    assert not revoke.done()
    assignment.busy.release()
    await asyncio.wait_for(revoke, 0.1)


async def test_a_revoke_does_not_wait_for_ever(assignment: Assignment) -> None:
    await assignment.busy.acquire()
    await asyncio.wait_for(assignment.on_partitions_revoked([ONE]), 1)


async def test_a_batch_that_ends_late_moves_nothing(assignment: Assignment) -> None:
    before = assignment.claims[ONE]
    generation = assignment.generation
    await assignment.on_partitions_revoked([ONE, TWO])
    await assignment.on_partitions_assigned([ONE])
    assignment.committed(ONE, before, 150)
    assert assignment.claims == {}
    assert assignment.unclaimed == {ONE}
    assert assignment.generation > generation
    assert assignment.changed.is_set()


def test_a_commit_moves_its_own_claim(assignment: Assignment) -> None:
    before = assignment.claims[ONE]
    assignment.committed(ONE, before, 150)
    assignment.committed(ONE, before, 170)
    assert assignment.claims[ONE].next_offset == 150


def test_a_fenced_partition_is_forgotten_until_it_is_assigned_anew(
    assignment: Assignment,
) -> None:
    assignment.forget(ONE)
    assignment.forget(ONE)
    assert (set(assignment.claims), assignment.fenced) == ({TWO}, {ONE})
    assignment.assign([ONE, TWO])
    assert (assignment.unclaimed, assignment.fenced) == ({ONE, TWO}, set())


def test_waits_grow_to_a_bound_and_differ() -> None:
    backoff = Backoff(first=1, longest=8)
    waits = [backoff.seconds() for _ in range(40)]
    for wait, whole in zip(waits, [1, 2, 4, *[8] * 37], strict=True):
        assert whole / 2 <= wait <= whole
    assert len(set(waits)) > 30
    backoff.reset()
    assert backoff.seconds() <= 1


async def test_a_stop_ends_a_wait_at_once() -> None:
    stop = asyncio.Event()
    assert await Backoff(first=0.01).wait(stop)
    stop.set()
    assert not await asyncio.wait_for(Backoff(first=60).wait(stop), 1)
