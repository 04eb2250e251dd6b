"""Where a consumer's partitions stand: in PostgreSQL beside the effects, or in Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.kernel.errors import Retryable
from services.runtime import stream_position
from services.runtime.batch import StreamSlice
from services.runtime.database import Database
from services.runtime.failpoint import failpoint
from services.runtime.stream_position import Claim
from services.runtime.telemetry import get_logger

ANSWER_SECONDS = 10.0
_log = get_logger("milepost.consumer")


class Positions(Protocol):
    """What the consumer asks of the place where positions are kept. All raise Retryable."""

    @property
    def kept_in(self) -> str:
        """The service that it is, for people."""

    async def claim(self, partition: TopicPartition) -> Claim:
        """Takes a partition and says where to go on."""

    async def still_mine(self, claims: Sequence[Claim]) -> dict[int, int]:
        """Where the claims that nobody took over stand, by stream id."""

    async def offsets(self, names: Sequence[str]) -> dict[str, int]:
        """Where streams stand that others have claimed, by name."""

    async def handled(self, slices: Iterable[StreamSlice]) -> None:
        """The handler is done with these."""


class DatabasePositions:
    """Positions that move in the commit of the effects: each record has its effect once."""

    kept_in = "PostgreSQL"

    def __init__(self, database: Database, owner: str) -> None:
        self._database = database
        self._owner = owner

    async def claim(self, partition: TopicPartition) -> Claim:
        async with self._database.transaction() as connection:
            return await stream_position.claim(connection, *partition, owner=self._owner)

    async def still_mine(self, claims: Sequence[Claim]) -> dict[int, int]:
        async with self._database.connection() as connection:
            return await stream_position.still_mine(connection, claims)

    async def offsets(self, names: Sequence[str]) -> dict[str, int]:
        async with self._database.connection() as connection:
            return await stream_position.offsets(connection, names)

    async def handled(self, slices: Iterable[StreamSlice]) -> None:
        """Nothing: the handler has moved them itself."""


class KafkaPositions:
    """Offsets of the consumer group, moved after the handler is done: at least once.

    For a consumer without state, whose effects may come twice. A new group starts at the first
    record that the topic holds.
    """

    kept_in = "Kafka"

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._ids: dict[TopicPartition, int] = {}
        self._stands: dict[int, int] = {}

    async def claim(self, partition: TopicPartition) -> Claim:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                stands = await self._consumer.committed(partition)
                if stands is None:
                    stands = (await self._consumer.beginning_offsets([partition]))[partition]
        except (KafkaError, OSError) as error:
            raise Retryable(f"Kafka does not say where the group stands: {error!r}") from error
        number = self._ids.setdefault(partition, len(self._ids))
        self._stands[number] = stands
        return Claim(number, partition.topic, partition.partition, epoch=0, next_offset=stands)

    async def still_mine(self, claims: Sequence[Claim]) -> dict[int, int]:
        return {held.stream_id: self._stands[held.stream_id] for held in claims}

    async def offsets(self, names: Sequence[str]) -> dict[str, int]:
        return {}

    async def handled(self, slices: Iterable[StreamSlice]) -> None:
        stands = {}
        for part in slices:
            held = part.claim
            self._stands[held.stream_id] = part.next_offset
            stands[TopicPartition(held.topic, held.partition)] = part.next_offset
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._consumer.commit(stands)
        except (KafkaError, OSError) as error:
            # Mostly a rebalance has come between. The next batch commits these too; if there is
            # none from us, whoever goes on does these records again.
            _log.warning("offsets not committed", error=f"{type(error).__name__}: {error}")
        else:
            failpoint("positions: committed")
