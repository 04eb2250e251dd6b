"""Tells Prometheus and Kafka where the consumer stands. Nothing depends on it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Never

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.runtime.assignment import Assignment
from services.runtime.batch import StreamSlice
from services.runtime.metrics import Metrics
from services.runtime.system_clock import SystemClock
from services.runtime.telemetry import get_logger

SECONDS = 1.0
_log = get_logger("milepost.consumer")


class Report:
    """Measures batches, and commits the claimed positions to the consumer group, if there is one.

    The group's offsets are for the tools that show lag.
    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        assignment: Assignment,
        metrics: Metrics,
        *,
        group: str | None,
    ) -> None:
        self._consumer = consumer
        self._assignment = assignment
        self._metrics = metrics
        self._group = group
        self._clock = SystemClock()
        self._told: dict[TopicPartition, int] = {}

    def batch(self, slices: Sequence[StreamSlice], *, seconds: float) -> None:
        """A batch was committed, `seconds` after it was in hand."""
        for given in slices:
            name = given.claim.name
            self._metrics.set("milepost_stream_position", given.next_offset, stream=name)
        oldest_ms = min(given.records[0].timestamp for given in slices)
        if oldest_ms > 0:  # A producer may set none.
            age = self._clock.now_micros() / 1e6 - oldest_ms / 1e3
            self._metrics.set("milepost_oldest_event_age_seconds", max(0.0, age))
        self._metrics.observe("milepost_batch_seconds", seconds)
        records = sum(len(given.records) for given in slices)
        self._metrics.observe("milepost_batch_records", records)

    async def run(self) -> Never:
        """Tells until it is cancelled."""
        while True:
            await asyncio.sleep(SECONDS)
            self._metrics.set("milepost_streams_claimed", len(self._assignment.claims))
            await self.tell()

    async def tell(self) -> None:
        """Tells it once, if there is news; a failure only means that the tools see it later."""
        claims = self._assignment.claims.items()
        stands = {partition: held.next_offset for partition, held in claims}
        if self._group is None or not stands or stands == self._told:
            return
        try:
            await self._consumer.commit(stands)
        except KafkaError as error:
            _log.debug("lag not told", error=f"{type(error).__name__}: {error}")
        else:
            self._told = stands
