"""Takes a batch of records from the claimed partitions, with a pause that grows with the load.

The driver drops the records of healthy partitions when another one in the same call fails, so
each partition is asked by itself, and one that fails is put back to where the database stands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
)

from services.kernel.errors import InvalidInput, InvariantViolated, Problem, Unreachable
from services.kernel.topics import stream_name
from services.runtime.assignment import Assignment
from services.runtime.backoff import Backoff
from services.runtime.failpoint import failpoint
from services.runtime.settings import Settings
from services.runtime.system_clock import SystemClock
from services.runtime.telemetry import get_logger

IDLE_MS = 200
WORTH_WAITING = 40
"""The part of a full batch, one in so many, that is worth the longest wait."""
NOWHERE = TopicPartition("", 0)
_log = get_logger("milepost.consumer")


def linger_seconds(records: int, *, records_max: int, seconds_max: float) -> float:
    """How long to let a batch grow, after one that held so many records.

    Each batch costs the same few milliseconds, in us, in the broker and in the database, however
    little is in it. So from WORTH_WAITING on it is worth the longest wait; below, the wait shrinks
    with the batch. After a full batch there is more already.
    """
    if records >= records_max:
        return 0.0
    return seconds_max * min(1.0, records * WORTH_WAITING / records_max)


class OffsetLost(InvariantViolated):
    """The topic does not hold the offset at which we stand."""

    def __init__(self, stream: str, *, stands_at: int, first: int, end: int) -> None:
        what = (
            "Its records were removed before they were processed: restore them, or move the "
            f"position (next_offset in stream_position, or the group's offset) to {first} and "
            "reconcile what is missing."
            if stands_at < first
            else "The topic was made anew or lost its end: restore it, or use a new topic name."
        )
        super().__init__(
            f"{stream}: the position is offset {stands_at}, the topic holds {first} to {end}. "
            f"Nothing was skipped. {what}"
        )


class Gathering:
    """Gathers batches. `records` are aiokafka's own, raw."""

    def __init__(
        self, consumer: AIOKafkaConsumer, assignment: Assignment, settings: Settings, where: str
    ) -> None:
        self._consumer = consumer
        self._assignment = assignment
        self._records_max = settings.batch_records_max
        self._wait_seconds_max = settings.batch_wait_ms_max / 1000
        self._fetch_bytes_max = settings.fetch_partition_bytes_max
        self._where = where
        self._clock = SystemClock()
        self._linger_seconds = 0.0
        self._turn = 0
        self._parked: dict[TopicPartition, tuple[float, Backoff]] = {}

    async def gather(self) -> dict[TopicPartition, list[Any]]:
        """What is there now, or the first to come within a moment; at most batch_records_max.

        Raises OffsetLost, InvalidInput or Unreachable when going on would be of no use.
        """
        taken: dict[TopicPartition, list[Any]] = {}
        await self._take_each(taken)
        if not taken:
            await self._wait_for_any(taken)
        elif self._room(taken) and self._linger_seconds:
            # Sleep once, then take once: fewer and larger batches cost less each.
            await asyncio.sleep(self._linger_seconds)
            await self._take_each(taken)
        if taken:
            failpoint("gathering: polled")
        self._linger_seconds = linger_seconds(
            sum(map(len, taken.values())),
            records_max=self._records_max,
            seconds_max=self._wait_seconds_max,
        )
        return taken

    async def surface_errors(self) -> None:
        """Raises what the group's coordinator has to say while nothing is claimed."""
        try:
            await self._consumer.getmany(NOWHERE)
        except Exception as error:
            await self._failed(error, ())

    def put_back(self, partitions: Iterable[TopicPartition]) -> None:
        """The next records of these come from where their claims stand."""
        for partition in partitions:
            held = self._assignment.claims.get(partition)
            if held is not None:
                with suppress(IllegalStateError):  # Revoked; the next claim seeks.
                    self._consumer.seek(partition, held.next_offset)

    async def _take_each(self, taken: dict[TopicPartition, list[Any]]) -> None:
        partitions = self._open()
        self._turn += 1
        start = self._turn % max(1, len(partitions))
        for partition in partitions[start:] + partitions[:start]:
            if not (room := self._room(taken)):
                return
            try:
                found = await self._consumer.getmany(partition, max_records=room)
            except Exception as error:
                taken.pop(partition, None)
                await self._failed(error, (partition,))
                continue
            for records in found.values():
                taken.setdefault(partition, []).extend(records)
                self._parked.pop(partition, None)

    async def _wait_for_any(self, taken: dict[TopicPartition, list[Any]]) -> None:
        partitions = self._open()
        if not partitions:
            await asyncio.sleep(IDLE_MS / 1000)
            return
        try:
            found = await self._consumer.getmany(
                *partitions, timeout_ms=IDLE_MS, max_records=self._records_max
            )
        except Exception as error:
            await self._failed(error, partitions)
            return
        taken.update(found)

    def _open(self) -> list[TopicPartition]:
        """The claimed partitions that are not parked after a failure."""
        now = self._clock.monotonic_seconds()
        return sorted(
            partition
            for partition in self._assignment.claims
            if self._parked.get(partition, (0.0, None))[0] <= now
        )

    def _room(self, taken: dict[TopicPartition, list[Any]]) -> int:
        return self._records_max - sum(map(len, taken.values()))

    async def _failed(self, error: Exception, partitions: Iterable[TopicPartition]) -> None:
        """Puts the partitions back and, when only one failed, lets it rest for a while."""
        match error:
            case OffsetOutOfRangeError():
                await self._raise_offset_lost(error)
            case RecordTooLargeError():
                why = "is smaller than a record in the topic: raise it above max.message.bytes"
                field, value = "MILEPOST_FETCH_PARTITION_BYTES_MAX", str(self._fetch_bytes_max)
                raise InvalidInput([Problem(why, field=field, value=value)]) from error
            case TopicAuthorizationFailedError() | GroupAuthorizationFailedError():
                hint = f"It refuses this user ({error}): grant READ on the topic and the group."
                raise Unreachable("Kafka", self._where, hint) from error
            case KafkaError() if type(error) is KafkaError:
                raise error  # The coordinator's task has ended; nothing would ever come.
        self.put_back(partitions)
        if isinstance(error, IllegalStateError | NoOffsetForPartitionError):
            return  # A rebalance passed by.
        rest = 0.0
        for partition in partitions:
            _, backoff = self._parked.get(partition, (0.0, Backoff(first=0.5, longest=30.0)))
            rest = backoff.seconds()
            self._parked[partition] = (self._clock.monotonic_seconds() + rest, backoff)
        _log.warning(
            "records cannot be read, will try again",
            error=f"{type(error).__name__}: {error}",
            streams=[stream_name(*partition) for partition in partitions],
            wait_seconds=round(rest, 1),
        )

    async def _raise_offset_lost(self, error: OffsetOutOfRangeError) -> None:
        for partition in error.args[0]:
            held = self._assignment.claims.get(partition)
            if held is None:
                continue
            firsts = await self._consumer.beginning_offsets([partition])
            ends = await self._consumer.end_offsets([partition])
            raise OffsetLost(
                held.name,
                stands_at=held.next_offset,
                first=firsts[partition],
                end=ends[partition],
            ) from error
