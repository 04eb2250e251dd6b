"""Produces whole batches: one future per batch, partitions chosen as Kafka's own clients do.

A producer that has seen an error is finished: what it sent may or may not be in the log, and its
sequence numbers no longer fit. Make a new one and send again what was not acknowledged.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Literal, Self

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.partitioner import murmur2

from services.kernel.errors import InvalidInput, Retryable
from services.runtime.failpoint import failpoint
from services.runtime.security import kafka_arguments, unreachable
from services.runtime.settings import Settings

BATCH_BYTES_MAX = 1_000_000
"""Below the default `max.message.bytes` of a topic."""
ACKNOWLEDGE_SECONDS = 30
CLOSE_SECONDS = 5
KEYS_REMEMBERED_MAX = 262_144


class OutgoingRecord(msgspec.Struct, frozen=True, gc=False):
    """A record to send. Without a partition, the key decides; without a time, the clock.

    Records without a key and without a partition all go to one partition, in their order.
    """

    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()
    timestamp_ms: int | None = None
    partition: int | None = None


class ProducerFailed(Retryable):
    """The broker did not acknowledge everything. Make a new producer and send it all again."""


class BatchProducer:
    """An idempotent producer that waits for all replicas."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._failure: str | None = None

    @classmethod
    async def connect(
        cls, settings: Settings, *, client: str, compression: Literal["zstd"] | None = None
    ) -> Self:
        """A connected producer; `client` names it to the broker.

        Raises Unreachable when Kafka does not answer.
        """
        kafka = settings.kafka
        producer = AIOKafkaProducer(
            **kafka_arguments(kafka),
            client_id=f"milepost-{client}",
            enable_idempotence=True,
            acks="all",
            compression_type=compression,
            max_batch_size=BATCH_BYTES_MAX,
            request_timeout_ms=ACKNOWLEDGE_SECONDS * 1000,
        )
        try:
            await producer.start()
        except (KafkaError, OSError) as error:
            with suppress(KafkaError, OSError):
                await producer.stop()
            raise await unreachable(kafka, error) from error
        return cls(producer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection; `produce` has waited for its records already."""
        with suppress(KafkaError, OSError, TimeoutError):
            await asyncio.wait_for(self._producer.stop(), CLOSE_SECONDS)

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises ProducerFailed when it is not known."""
        try:
            return len(await self._producer.partitions_for(topic))
        except (KafkaError, OSError) as error:
            raise self._failed(topic, error) from error

    async def produce(self, topic: str, records: Iterable[OutgoingRecord]) -> int:
        """Sends records in their order within each partition; gives how many were acknowledged.

        Raises ProducerFailed when the outcome of any is not known, InvalidInput when a record is
        larger than the topic takes. Either ends this producer.
        """
        if self._failure is not None:
            raise ProducerFailed(f"this producer has failed before: {self._failure}")
        count = await self.partitions(topic)
        by_partition: dict[int, list[OutgoingRecord]] = defaultdict(list)
        for record in records:
            partition = record.partition
            if partition is None:
                partition = partition_for(record.key or b"", count)
            by_partition[partition].append(record)
        sends = [self._send(topic, partition, part) for partition, part in by_partition.items()]
        try:
            async with asyncio.timeout(ACKNOWLEDGE_SECONDS * 1.5):
                await asyncio.gather(*sends)
        except MessageSizeTooLargeError as error:
            self._failure = "a record was too large"
            why = f"a record is larger than topic {topic} takes; raise its max.message.bytes"
            raise InvalidInput(why) from error
        except (KafkaError, OSError, TimeoutError) as error:
            raise self._failed(topic, error) from error
        failpoint(f"produced: {topic}")
        return sum(map(len, by_partition.values()))

    async def _send(self, topic: str, partition: int, records: list[OutgoingRecord]) -> None:
        acknowledgements = []
        place = 0
        while place < len(records):
            batch = self._producer.create_batch()
            while place < len(records):
                record = records[place]
                added = batch.append(
                    key=record.key,
                    value=record.value,
                    timestamp=record.timestamp_ms,
                    headers=list(record.headers),
                )
                if added is None:
                    break
                place += 1
            batch.close()
            sent = await self._producer.send_batch(batch, topic, partition=partition)
            acknowledgements.append(sent)
        await asyncio.gather(*acknowledgements)

    def _failed(self, topic: str, error: Exception) -> ProducerFailed:
        said = f"{type(error).__name__}: {error}".rstrip(": ")
        if isinstance(error, TimeoutError):
            said = f"no acknowledgement within {ACKNOWLEDGE_SECONDS * 1.5:.0f} s"
        self._failure = said
        return ProducerFailed(f"Kafka did not acknowledge records for {topic}: {said}")


def partition_for(key: bytes, partitions: int) -> int:
    """The partition of a key, as the default partitioner of Kafka's own clients computes it."""
    return _positive_hash(key) % partitions


@lru_cache(maxsize=KEYS_REMEMBERED_MAX)
def _positive_hash(key: bytes) -> int:
    hashed: int = murmur2(key)
    return hashed & 0x7FFFFFFF
