"""A consumer whose position lives in PostgreSQL, in the commit of the effects.

Claim each assigned partition, seek to where the database stands, gather a batch over the claimed
partitions, let the handler commit effects and positions in one database transaction. Kafka's own
offsets are committed afterwards, only so that lag tools see them. Without a database, for a
handler without state, they are the positions, committed after each batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.kernel.errors import Retryable
from services.runtime.assignment import Assignment
from services.runtime.backoff import Backoff
from services.runtime.batch import Handler, StreamSlice, slices_of
from services.runtime.connecting import REBALANCE_MS, connected, new_consumer
from services.runtime.database import Database
from services.runtime.failpoint import failpoint
from services.runtime.gathering import Gathering
from services.runtime.health import Health
from services.runtime.metrics import Metrics
from services.runtime.positions import DatabasePositions, KafkaPositions, Positions
from services.runtime.report import Report
from services.runtime.settings import Settings
from services.runtime.stream_position import Claim, Fenced
from services.runtime.system_clock import SystemClock
from services.runtime.telemetry import get_logger
from services.runtime.watchdog import Watchdog

REVOKE_SECONDS = REBALANCE_MS / 1000 * 0.4
DRAIN_SECONDS = 6.0
CLOSE_SECONDS = 2.0
_log = get_logger("milepost.consumer")


class StreamConsumer:
    """Feeds a handler with the records of topics, each exactly once in its effects.

    Without a database it is at least once. With `assign`, a list of (topic, partition), these
    partitions are taken and the group shares out nothing.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database | None,
        handler: Handler,
        *,
        topics: Sequence[str],
        group: str,
        owner: str,
        metrics: Metrics,
        health: Health,
        assign: Sequence[tuple[str, int]] | None = None,
    ) -> None:
        """`group` names the consumer group, `owner` this process in `stream_position`."""
        self._settings = settings
        self._database = database
        self._handler = handler
        self._topics = list(topics)
        self._group = group
        self._owner = owner
        self._metrics = metrics
        self._health = health
        self._manual = [TopicPartition(*partition) for partition in assign or ()]
        self._clock = SystemClock()
        self._assignment = Assignment(drain_seconds=REVOKE_SECONDS)
        self._backoff = Backoff()
        self._stop = asyncio.Event()
        self._consumer: AIOKafkaConsumer
        self._gathering: Gathering
        self._report: Report
        self._positions: Positions
        self._doubtful = False
        """Whether what was fetched may not follow what is committed: read and seek first."""

    async def run(self, stop: asyncio.Event) -> None:
        """Consumes until `stop` is set, then drains what is in flight and returns.

        A service that is away is waited for. Raises what must end the process: Stuck,
        OffsetLost, InvalidInput (no position row), InvariantViolated, and bugs.
        """
        self._stop = stop
        if not await self._start():
            return
        watchdog = Watchdog(
            self._consumer,
            self._assignment,
            self._positions,
            self._metrics,
            self._health,
            seconds=self._settings.watchdog_seconds,
        )
        work = asyncio.create_task(self._work(), name="consumer")
        watch = asyncio.create_task(watchdog.run(), name="watchdog")
        report = asyncio.create_task(self._report.run(), name="lag")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        try:
            await asyncio.wait({work, watch, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not (work.done() or watch.done()):
                await self._drain(work)
            for ended in (work, watch):
                if ended.done() and not ended.cancelled():
                    ended.result()
        finally:
            everything: list[asyncio.Task[Any]] = [work, watch, report, stopping]
            for task in everything:
                task.cancel()
            await asyncio.gather(*everything, return_exceptions=True)
            await self._close()

    async def _work(self) -> None:
        while not self._stop.is_set():
            if self._doubtful:
                await self._resynchronise()
            elif self._assignment.unclaimed:
                await self._claim_assigned()
            elif self._assignment.claims:
                if taken := await self._gathering.gather():
                    await self._process(taken)
            else:
                await self._gathering.surface_errors()
                self._assignment.changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._assignment.changed.wait(), 0.5)

    async def _claim_assigned(self) -> None:
        """Claims the assigned partitions in order; a service that is away is waited for.

        Raises InvalidInput when a partition has no position.
        """
        generation = self._assignment.generation
        for partition in sorted(self._assignment.unclaimed):
            try:
                async with self._assignment.busy:
                    held = await self._positions.claim(partition)
            except Retryable as error:
                await self._put_off(error)
                return
            if self._assignment.generation != generation:
                return  # A rebalance came between; its assignment is claimed anew.
            self._consumer.seek(partition, held.next_offset)
            self._assignment.unclaimed.discard(partition)
            self._assignment.claims[partition] = held
            _log.info("claimed", stream=held.name, epoch=held.epoch, next_offset=held.next_offset)
        self._recovered()

    async def _process(self, taken: dict[TopicPartition, list[Any]]) -> None:
        trouble: Retryable | None = None
        async with self._assignment.busy:
            slices = slices_of(taken, self._assignment.claims)
            if not slices:
                return
            started = self._clock.monotonic_seconds()
            self._doubtful = True
            try:
                with self._assignment.working_on(slices):
                    failpoint("consumer: about to handle")
                    await self._handler.handle(list(slices.values()))
                    failpoint("consumer: handled")
                    await self._positions.handled(slices.values())
            except Fenced as error:
                self._fenced(error.claim)
            except Retryable as error:
                trouble = error
            else:
                self._doubtful = False
                self._committed(slices, self._clock.monotonic_seconds() - started)
        if trouble is not None:
            await self._put_off(trouble)

    def _committed(self, slices: dict[TopicPartition, StreamSlice], seconds: float) -> None:
        self._recovered()
        self._backoff.reset()
        for partition, given in slices.items():
            self._assignment.committed(partition, given.claim, given.next_offset)
        self._report.batch(list(slices.values()), seconds=seconds)

    async def _resynchronise(self) -> None:
        """Reads where the claimed streams stand, whatever became of the last batch, and seeks."""
        trouble: Retryable | None = None
        async with self._assignment.busy:
            claims = dict(self._assignment.claims)
            try:
                stands = await self._positions.still_mine(list(claims.values()))
            except Retryable as error:
                trouble = error
            else:
                for partition, held in claims.items():
                    if held.stream_id in stands:
                        self._assignment.committed(partition, held, stands[held.stream_id])
                    else:
                        self._fenced(held)
                self._gathering.put_back(claims)
                self._doubtful = False
                self._recovered()
        if trouble is not None:
            await self._put_off(trouble)

    def _fenced(self, held: Claim) -> None:
        """Another process has taken the stream: leave it alone until it is assigned anew."""
        self._assignment.forget(TopicPartition(held.topic, held.partition))
        self._metrics.count("milepost_fenced_total")
        _log.warning("fenced: another process has claimed it", stream=held.name, epoch=held.epoch)

    async def _put_off(self, error: Retryable) -> None:
        what = self._positions.kept_in
        self._health.waiting_for.add(what)
        self._metrics.count("milepost_retries_total", what=what)
        _log.warning("put off, will try again", error=str(error), tries=self._backoff.tries + 1)
        await self._backoff.wait(self._stop)

    def _recovered(self) -> None:
        self._health.waiting_for.discard(self._positions.kept_in)

    async def _start(self) -> bool:
        """Connects to Kafka, for as long as it takes; says whether it did before a stop."""
        manual, database = self._manual, self._database
        group = None if manual and database else self._group
        consumer = await connected(
            self._settings,
            lambda: new_consumer(self._settings, self._topics, group, self._assignment, manual),
            self._topics,
            stop=self._stop,
            health=self._health,
            metrics=self._metrics,
        )
        if consumer is None:
            return False
        self._consumer = consumer
        where = ", ".join(self._settings.kafka.bootstrap_servers)
        self._gathering = Gathering(consumer, self._assignment, self._settings, where)
        if database is not None:
            self._positions = DatabasePositions(database, self._owner)
        else:
            self._positions = KafkaPositions(consumer)
        told = group if database else None
        self._report = Report(consumer, self._assignment, self._metrics, group=told)
        if manual:
            self._assignment.assign(manual)
        return True

    async def _drain(self, work: asyncio.Task[None]) -> None:
        """Lets the batch in flight end, bounded; then nothing more is begun."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS), self._assignment.busy:
                work.cancel()
                await self._report.tell()

    async def _close(self) -> None:
        with suppress(TimeoutError, KafkaError, OSError):
            await asyncio.wait_for(self._consumer.stop(), CLOSE_SECONDS)
