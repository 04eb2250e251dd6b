"""Tells Kafka where the database stands, for the tools that show lag. Nothing depends on it."""

from __future__ import annotations

import asyncio
from typing import Never

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.runtime.assignment import Assignment
from services.runtime.metrics import Metrics
from services.runtime.telemetry import get_logger

SECONDS = 1.0
_log = get_logger("milepost.consumer")


class LagReport:
    """Commits the claimed positions to the consumer group now and then, if there is a group."""

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
        self._told: dict[TopicPartition, int] = {}

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
