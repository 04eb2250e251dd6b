"""How far the stream has come: sent, taken in by ingest, recorded by accrual, published."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.kernel.errors import MilepostError
from services.kernel.topics import ACCRUALS, CARD_TRANSACTIONS, DEAD_LETTERS, stream_name
from services.local.generator.plan import Sent
from services.runtime import stream_position
from services.runtime.database import Database
from services.runtime.producer import BatchProducer, OutgoingRecord
from services.runtime.security import kafka_arguments, unreachable
from services.runtime.settings import Settings

CHUNK = 2_000
"""Records sent at once, so that progress can be seen."""
POLL_SECONDS = 0.05
STALLED_SECONDS = 60
"""So long nothing moved before somebody must look at the logs."""


class Stalled(MilepostError):
    """The stream does not move though something is left to do."""


class Progress(NamedTuple):
    """Counts of records at one moment; `recorded` is of `canonical`, rejections included."""

    sent: int
    taken_in: int
    canonical: int
    recorded: int
    published: int

    @property
    def drained(self) -> bool:
        """Nothing waits before the ledger."""
        return self.taken_in == self.sent and self.recorded == self.canonical


Watch = Callable[[Progress], None]


@dataclass(slots=True)
class Flow:
    """Sends a play's records, and watches them arrive."""

    database: Database
    producer: BatchProducer
    group: AIOKafkaConsumer
    """A view of ingest's consumer group; it never joins."""
    feeds: Sequence[TopicPartition]
    streams: Sequence[TopicPartition]
    accruals: Sequence[TopicPartition]
    sent: int = 0

    @classmethod
    async def open(cls, settings: Settings, *, group: str, topics: Sequence[str]) -> Self:
        """Connect; `group` is the consumer group of ingest, `topics` are those of the feeds.

        Raises Unreachable.
        """
        kafka = settings.kafka
        view = AIOKafkaConsumer(
            **kafka_arguments(kafka), client_id="milepost-demo", group_id=group,
            enable_auto_commit=False,
        )  # fmt: skip
        try:
            await view.start()
        except (KafkaError, OSError) as error:
            await view.stop()
            raise await unreachable(kafka, error) from error
        producer = await BatchProducer.connect(settings, client="demo")

        async def parts(*names: str) -> list[TopicPartition]:
            return [
                TopicPartition(name, number)
                for name in names
                for number in range(await producer.partitions(name))
            ]

        return cls(
            database=await Database.connect(settings.require_database(), size=1),
            producer=producer,
            group=view,
            feeds=await parts(*topics),
            streams=await parts(CARD_TRANSACTIONS, DEAD_LETTERS),
            accruals=await parts(ACCRUALS),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self.producer.close()
        await self.group.stop()
        await self.database.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def send(self, records: Sequence[Sent], watch: Watch) -> None:
        """Send every record, in order within each account.

        The broker stamps them with its clock: under their own dates of long ago the topics'
        retention would delete them. Nothing that milepost computes looks at that stamp.
        """
        for at in range(0, len(records), CHUNK):
            chunk = records[at : at + CHUNK]
            for feed in sorted({record.feed for record in chunk}):
                own = [OutgoingRecord(r.key or None, r.value) for r in chunk if r.feed == feed]
                self.sent += await self.producer.produce(f"card-feed.{feed}", own)
            watch(await self.progress())

    async def drain(self, watch: Watch, check: Callable[[], None]) -> None:
        """Wait until everything sent is recorded. `check` raises when a service is gone.

        Raises Stalled.
        """
        await self._until(lambda now: now.drained, watch, check)

    async def published(self, transfers: int, check: Callable[[], None]) -> None:
        """Wait until so many records lie in `accruals`. Raises Stalled."""
        await self._until(lambda now: now.published >= transfers, lambda now: None, check)

    async def _until(
        self, done: Callable[[Progress], bool], watch: Watch, check: Callable[[], None]
    ) -> None:
        seen, since = await self.progress(), time.monotonic()
        while not done(seen):
            check()
            await asyncio.sleep(POLL_SECONDS)
            now = await self.progress()
            if now != seen:
                seen, since = now, time.monotonic()
            elif time.monotonic() - since > STALLED_SECONDS:
                raise Stalled(f"nothing has moved for {STALLED_SECONDS} s at {now}")
            watch(now)
        watch(seen)

    async def progress(self) -> Progress:
        """Where everything stands, asked from the start of the chain to its end."""
        taken_in = [await self.group.committed(part) or 0 for part in self.feeds]
        ends = await self.group.end_offsets([*self.streams, *self.accruals])
        async with self.database.connection() as connection:
            stands = await stream_position.offsets(
                connection, [stream_name(*part) for part in self.streams]
            )
        return Progress(
            sent=self.sent,
            taken_in=sum(taken_in),
            canonical=sum(ends[part] for part in self.streams),
            recorded=sum(stands.values()),
            published=sum(ends[part] for part in self.accruals),
        )
