"""Ends a process that has work and makes no progress; its supervisor starts another.

Consumers of Kafka can hang after a broker's restart or a rebalance while every task looks alive.
So progress is watched, not life.
"""

from __future__ import annotations

import asyncio
from typing import Never

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.kernel.errors import MilepostError, Retryable
from services.kernel.topics import stream_name
from services.runtime.assignment import Assignment
from services.runtime.health import Health
from services.runtime.metrics import Metrics
from services.runtime.positions import Positions
from services.runtime.system_clock import SystemClock

LOOK_SECONDS_MAX = 5.0
POSITION_SECONDS = 1.0


class Stuck(MilepostError):
    """There is work, and none of it was committed for too long."""

    def __init__(self, stream: str, *, lag: int, seconds: float) -> None:
        super().__init__(
            f"{stream}: {lag} records wait and nothing was committed for {seconds:.0f} s; "
            "the process ends so that a fresh one can take over"
        )


class Watchdog:
    """Looks at lag and progress of each assigned partition every few seconds."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        assignment: Assignment,
        positions: Positions,
        metrics: Metrics,
        health: Health,
        *,
        seconds: int,
    ) -> None:
        self._consumer = consumer
        self._assignment = assignment
        self._positions = positions
        self._metrics = metrics
        self._health = health
        self._seconds = seconds
        self._clock = SystemClock()
        self._seen: dict[TopicPartition, tuple[object, float]] = {}
        """Where each partition stood, and since when it stands there."""

    async def run(self) -> Never:
        """Watches until it is cancelled. Raises Stuck."""
        while True:
            await asyncio.sleep(min(LOOK_SECONDS_MAX, self._seconds / 4))
            try:
                await self._look()
            except (KafkaError, Retryable, TimeoutError):
                # Without an answer there is no saying whether work waits.
                self._seen.clear()

    async def _look(self) -> None:
        claims = dict(self._assignment.claims)
        fenced = sorted(self._assignment.fenced)
        if self._health.waiting_for - {"start"} or not (claims or fenced):
            self._seen.clear()  # Waiting for a service that is away is not being stuck.
            return
        ends = await self._consumer.end_offsets([*claims, *fenced])
        for partition, held in claims.items():
            async with asyncio.timeout(POSITION_SECONDS):
                position = await self._consumer.position(partition)
            lag = max(0, ends[partition] - held.next_offset)
            self._metrics.set("milepost_lag_records", lag, stream=held.name)
            # The position also passes records that are not given out, such as commit markers.
            waits = ends[partition] > position or partition in self._assignment.in_hand
            self._judge(partition, (held.next_offset, position), waits=waits, lag=lag)
        if fenced:
            names = {stream_name(*partition): partition for partition in fenced}
            elsewhere = await self._positions.offsets(list(names))
            for name, next_offset in elsewhere.items():
                lag = max(0, ends[names[name]] - next_offset)
                self._judge(names[name], next_offset, waits=lag > 0, lag=lag)
        if not any(ends[partition] > held.next_offset for partition, held in claims.items()):
            self._metrics.set("milepost_oldest_event_age_seconds", 0)

    def _judge(self, partition: TopicPartition, mark: object, *, waits: bool, lag: int) -> None:
        now = self._clock.monotonic_seconds()
        seen, since = self._seen.get(partition, (None, now))
        if not waits or seen != mark:
            since = now
        self._seen[partition] = (mark, since)
        if now - since > self._seconds:
            raise Stuck(stream_name(*partition), lag=lag, seconds=now - since)
