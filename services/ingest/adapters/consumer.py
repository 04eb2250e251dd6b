"""Consumes the feeds' topics; the position is the group's own, committed after the batch is out.

Not the consumer of accrual: ingest keeps no state, so Kafka's offsets are enough. A batch that was
sent and not committed comes again, and accrual drops what it has seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
)

from services.ingest.ports import FeedSlice
from services.kernel.errors import InvalidInput, InvariantViolated, Problem, Retryable, Unreachable
from services.kernel.topics import stream_name
from services.runtime.assignment import Assignment
from services.runtime.backoff import Backoff
from services.runtime.connecting import REBALANCE_MS, connected, new_consumer
from services.runtime.failpoint import failpoint
from services.runtime.gathering import linger_seconds
from services.runtime.health import Health
from services.runtime.metrics import Metrics
from services.runtime.settings import Settings
from services.runtime.system_clock import SystemClock
from services.runtime.telemetry import get_logger
from services.runtime.watchdog import Stuck

IDLE_MS = 200
ANSWER_SECONDS = 10.0
CLOSE_SECONDS = 2.0
LAG_SECONDS = 1.0
_KAFKA = "Kafka"
_log = get_logger("milepost.ingest")
Handle = Callable[[Sequence[FeedSlice]], Awaitable[None]]


class RecordsLost(InvariantViolated):
    """A feed's topic no longer holds the offset at which the group stands."""


class FeedConsumer:
    """Feeds `handle` with batches of the topics, each at least once."""

    def __init__(
        self,
        settings: Settings,
        topics: Sequence[str],
        *,
        group: str,
        metrics: Metrics,
        health: Health,
    ) -> None:
        self._settings = settings
        self._topics = list(topics)
        self._group = group
        self._metrics = metrics
        self._health = health
        self._clock = SystemClock()
        self._assignment = Assignment(drain_seconds=REBALANCE_MS / 1000 * 0.4)
        self._next: dict[TopicPartition, int] = {}
        """The first offset of each partition whose outcome is not acknowledged yet."""
        self._generation = 0
        self._linger_seconds = 0.0
        self._lag_at = 0.0
        self._moved_at = 0.0
        self._backoff = Backoff()
        self._consumer: AIOKafkaConsumer

    async def run(self, stop: asyncio.Event, handle: Handle) -> None:
        """Consumes until `stop` is set; the batch in hand is ended first.

        A service that is away is waited for. Raises what must end the process: RecordsLost,
        Stuck, InvalidInput, and bugs.
        """
        consumer = await connected(
            self._settings,
            lambda: new_consumer(self._settings, self._topics, self._group, self._assignment, []),
            self._topics,
            stop=stop,
            health=self._health,
            metrics=self._metrics,
        )
        if consumer is None:
            return
        self._consumer = consumer
        try:
            while not stop.is_set():
                try:
                    await self._step(handle)
                except (KafkaError, Retryable, TimeoutError) as error:
                    await self._failed(error, stop)
                else:
                    self._health.waiting_for.discard(_KAFKA)
        finally:
            with suppress(TimeoutError, KafkaError, OSError):
                await asyncio.wait_for(consumer.stop(), CLOSE_SECONDS)

    async def _step(self, handle: Handle) -> None:
        """One thing: take up what was assigned, or one batch, or a wait."""
        if self._generation != self._assignment.generation:
            self._generation = self._assignment.generation
            self._next.clear()
        if self._assignment.unclaimed:
            await self._take_up()
        elif self._next:
            slices = await self._gather()
            if slices:
                await self._process(slices, handle)
            await self._tell_lag()
        else:
            # Also surfaces what the coordinator has to say while nothing is assigned.
            await self._consumer.getmany(TopicPartition("", 0))
            self._assignment.changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._assignment.changed.wait(), 0.5)

    async def _take_up(self) -> None:
        """Seeks each assigned partition to the group's offset, or to its first record."""
        generation = self._assignment.generation
        for partition in sorted(self._assignment.unclaimed):
            async with asyncio.timeout(ANSWER_SECONDS):
                offset = await self._consumer.committed(partition)
                if offset is None:
                    firsts = await self._consumer.beginning_offsets([partition])
                    offset = firsts[partition]
            if self._assignment.generation != generation:
                return  # A rebalance came between; its assignment is taken up anew.
            self._assignment.unclaimed.discard(partition)
            self._next[partition] = offset
            self._consumer.seek(partition, offset)
            _log.info("reading", stream=stream_name(*partition), next_offset=offset)
        self._moved_at = self._clock.monotonic_seconds()

    async def _gather(self) -> dict[TopicPartition, FeedSlice]:
        """What is there now, or the first to come within a moment; at most batch_records_max."""
        records_max = self._settings.batch_records_max
        if self._linger_seconds:
            await asyncio.sleep(self._linger_seconds)
        partitions = list(self._next)
        found = await self._consumer.getmany(
            *partitions, timeout_ms=IDLE_MS, max_records=records_max
        )
        if found:
            failpoint("ingest: polled")
        self._linger_seconds = linger_seconds(
            sum(map(len, found.values())),
            records_max=records_max,
            seconds_max=self._settings.batch_wait_ms_max / 1000,
        )
        return {
            partition: FeedSlice(partition.topic, partition.partition, records)
            for partition, records in found.items()
            if records
        }

    async def _process(self, slices: dict[TopicPartition, FeedSlice], handle: Handle) -> None:
        async with self._assignment.busy:
            if self._generation != self._assignment.generation:
                return  # Revoked meanwhile: whoever has the partitions now reads these again.
            started = self._clock.monotonic_seconds()
            await handle(list(slices.values()))
            failpoint("ingest: sent")
            reached = {partition: part.records[-1].offset + 1 for partition, part in slices.items()}
            self._next.update(reached)
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._consumer.commit(reached)
            failpoint("ingest: committed")
            self._backoff.reset()
            self._moved_at = self._clock.monotonic_seconds()
            self._metrics.observe("milepost_batch_seconds", self._moved_at - started)
            records = sum(len(part.records) for part in slices.values())
            self._metrics.observe("milepost_batch_records", records)
            oldest_ms = min(part.records[0].timestamp for part in slices.values())
            age = max(0.0, self._clock.now_micros() / 1e6 - oldest_ms / 1e3)
            self._metrics.set("milepost_oldest_event_age_seconds", age)

    async def _tell_lag(self) -> None:
        """Shows the lag, and raises Stuck when there is some and nothing has moved for long."""
        now = self._clock.monotonic_seconds()
        if now - self._lag_at < LAG_SECONDS:
            return
        self._lag_at = now
        async with asyncio.timeout(ANSWER_SECONDS):
            ends = await self._consumer.end_offsets(list(self._next))
            # The position also passes records that are not given out, such as commit markers.
            reached = {part: await self._consumer.position(part) for part in self._next}
        lags = {part: max(0, ends[part] - at) for part, at in reached.items()}
        for partition, lag in lags.items():
            self._metrics.set("milepost_lag_records", lag, stream=stream_name(*partition))
        behind = max(lags, key=lambda partition: lags[partition])
        if not lags[behind]:
            self._moved_at = now
        elif now - self._moved_at > self._settings.watchdog_seconds:
            waited = now - self._moved_at
            raise Stuck(stream_name(*behind), lag=lags[behind], seconds=waited)

    async def _failed(self, error: Exception, stop: asyncio.Event) -> None:
        """Starts again from what the group has committed, after a while."""
        where = ", ".join(self._settings.kafka.bootstrap_servers)
        match error:
            case OffsetOutOfRangeError():
                raise await self._lost(error) from error
            case RecordTooLargeError():
                why = "is smaller than a record in a feed: raise it above max.message.bytes"
                field = "MILEPOST_FETCH_PARTITION_BYTES_MAX"
                size = str(self._settings.fetch_partition_bytes_max)
                raise InvalidInput([Problem(why, field=field, value=size)]) from error
            case TopicAuthorizationFailedError() | GroupAuthorizationFailedError():
                hint = f"It refuses this user ({error}): grant READ on the topics and the group."
                raise Unreachable(_KAFKA, where, hint) from error
            case KafkaError() if type(error) is KafkaError:
                raise error  # The coordinator's task has ended; nothing would ever come.
        self._health.waiting_for.add(_KAFKA)
        self._metrics.count("milepost_retries_total", what=_KAFKA)
        said = f"{type(error).__name__}: {error}".rstrip(": ")
        _log.warning("put off, will try again", error=said, tries=self._backoff.tries + 1)
        self._assignment.assign(self._consumer.assignment())
        await self._backoff.wait(stop)

    async def _lost(self, error: OffsetOutOfRangeError) -> RecordsLost:
        partition, offset = next(iter(error.args[0].items()))
        firsts = await self._consumer.beginning_offsets([partition])
        ends = await self._consumer.end_offsets([partition])
        return RecordsLost(
            f"{stream_name(*partition)}: group {self._group} stands at offset {offset}, the topic "
            f"holds {firsts[partition]} to {ends[partition]}. Nothing was skipped. Restore the "
            "topic, or set the group's offset to one that it holds and reconcile what is missing."
        )
