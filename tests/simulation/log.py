"""Short looks at a broker and a database, each with a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from services.kernel.topics import stream_name
from services.runtime.producer import partition_for

_Reading = tuple[AIOKafkaConsumer, list[TopicPartition]]


class Line(NamedTuple):
    """A record to send; its account decides the partition."""

    topic: str
    account: str
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()


def send(kafka: str, lines: Sequence[Line]) -> None:
    """Produce lines, in order within each partition."""

    async def produce() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True)
        await producer.start()
        try:
            counts = {
                topic: len(await producer.partitions_for(topic))
                for topic in {line.topic for line in lines}
            }
            for topic, account, value, headers in lines:
                key = account.encode()
                part = partition_for(key, counts[topic])
                await producer.send(topic, value, key=key, partition=part, headers=headers)
            await producer.flush()
        finally:
            await producer.stop()

    asyncio.run(produce())


def consumed(kafka: str, topic: str, *, first: Mapping[str, int] | None = None) -> list[Any]:
    """Every record of a topic, from these offsets of `ends` on where they are given."""

    async def read() -> list[Any]:
        async with _reader(kafka, (topic,)) as (reader, parts):
            last = await reader.end_offsets(parts)
            for part in parts:
                reader.seek(part, (first or {}).get(stream_name(*part), 0))
            found: list[Any] = []
            while any([await reader.position(part) < last[part] for part in parts]):
                for records in (await reader.getmany(timeout_ms=200)).values():
                    found.extend(records)
            return found

    return asyncio.run(read())


def ends(kafka: str, topics: Sequence[str]) -> dict[str, int]:
    """The end of every partition, by `topic/partition`."""

    async def ask() -> dict[str, int]:
        async with _reader(kafka, topics) as (reader, parts):
            found = await reader.end_offsets(parts)
            return {stream_name(*part): end for part, end in found.items()}

    return asyncio.run(ask())


def committed(kafka: str, group: str, topics: Sequence[str]) -> dict[str, int]:
    """Where a consumer group stands in these topics; a partition without an offset is left out."""

    async def ask() -> dict[str, int]:
        client = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await client.start()
        try:
            found = await client.list_consumer_group_offsets(group)
        finally:
            await client.close()
        return {
            stream_name(*part): place.offset
            for part, place in found.items()
            if part.topic in topics and place.offset >= 0
        }

    return asyncio.run(ask())


def rows(url: str, sql: str, *arguments: object) -> list[asyncpg.Record]:
    """What a database says."""

    async def ask() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(sql, *arguments)
        finally:
            await connection.close()

    return asyncio.run(ask())


def execute(url: str, script: str) -> None:
    """Several statements for a database."""

    async def do() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(script)
        finally:
            await connection.close()

    asyncio.run(do())


def wait(url: str, sql: str, *arguments: object, seconds: float) -> None:
    """Until a database says yes."""

    async def ask() -> None:
        connection = await asyncpg.connect(url)
        try:
            async with asyncio.timeout(seconds):
                while not await connection.fetchval(sql, *arguments):
                    await asyncio.sleep(0.01)
        finally:
            await connection.close()

    asyncio.run(ask())


@asynccontextmanager
async def _reader(kafka: str, topics: Sequence[str]) -> AsyncIterator[_Reading]:
    """A consumer of these topics, and all of their partitions."""
    reader = AIOKafkaConsumer(*topics, bootstrap_servers=kafka)
    await reader.start()
    try:
        yield (
            reader,
            [
                TopicPartition(topic, part)
                for topic in topics
                for part in sorted(reader.partitions_for_topic(topic))
            ],
        )
    finally:
        with suppress(asyncio.CancelledError):  # the driver lets that of its own task through
            await reader.stop()
