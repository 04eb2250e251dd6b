"""A connected Kafka consumer with the only configuration that is safe here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from services.kernel.errors import Unreachable
from services.runtime.assignment import Assignment
from services.runtime.backoff import Backoff
from services.runtime.health import Health
from services.runtime.metrics import Metrics
from services.runtime.security import kafka_arguments, unreachable
from services.runtime.settings import Settings
from services.runtime.telemetry import get_logger

REBALANCE_MS = 45_000
HEARTBEATS = 3
"""Signs of life within a session."""
FETCH_BYTES_MAX = 33_554_432
_KAFKA = "Kafka"
_log = get_logger("milepost.consumer")


def new_consumer(
    settings: Settings,
    topics: Sequence[str],
    group: str | None,
    assignment: Assignment,
    manual: Sequence[TopicPartition],
) -> AIOKafkaConsumer:
    """A consumer that is not started: of the group, or of the `manual` partitions.

    The driver's defaults would commit by themselves, jump over lost records, show uncommitted
    ones, and give a rebalance no time.
    """
    consumer = AIOKafkaConsumer(
        **kafka_arguments(settings.kafka),
        client_id=f"milepost-{group or 'manual'}",
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        max_partition_fetch_bytes=settings.fetch_partition_bytes_max,
        fetch_max_bytes=max(FETCH_BYTES_MAX, settings.fetch_partition_bytes_max),
        rebalance_timeout_ms=REBALANCE_MS,
        session_timeout_ms=settings.kafka_session_ms,
        heartbeat_interval_ms=settings.kafka_session_ms // HEARTBEATS,
    )
    if manual:
        consumer.assign(list(manual))
    else:
        consumer.subscribe(list(topics), listener=assignment)
    return consumer


async def connected(
    settings: Settings,
    make: Callable[[], AIOKafkaConsumer],
    topics: Sequence[str],
    *,
    stop: asyncio.Event,
    health: Health,
    metrics: Metrics,
) -> AIOKafkaConsumer | None:
    """A started consumer, however long Kafka is away; None when `stop` came first."""
    backoff = Backoff(longest=10)
    health.waiting_for.add(_KAFKA)
    while True:
        consumer = make()
        try:
            await consumer.start()
        except (KafkaError, OSError) as error:
            await consumer.stop()
            metrics.count("milepost_retries_total", what=_KAFKA)
            reason = await _reason(error, settings, topics)
            _log.warning("cannot start, will try again", error=str(reason))
        else:
            health.waiting_for.discard(_KAFKA)
            return consumer
        if not await backoff.wait(stop):
            return None


async def _reason(error: Exception, settings: Settings, topics: Sequence[str]) -> Unreachable:
    if isinstance(error, UnknownTopicOrPartitionError):
        hint = "It does not exist: run `milepost topics create`."
        return Unreachable(f"topic {' or '.join(topics)}", "Kafka", hint)
    return await unreachable(settings.kafka, error)
