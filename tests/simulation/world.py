"""A whole milepost of processes on a real broker and database, to be killed and looked at."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.kernel.topics import ACCRUALS, CARD_TRANSACTIONS, DEAD_LETTERS
from services.local.stack import Stack
from services.runtime.producer import partition_for

FEEDS = """feeds:
  - {name: first-bank, issuer: first-bank, role: books, topic: card-feed.first-bank,
     format: milepost-json, numeric_ids: [], exact_keys: []}
  - {name: network, issuer: first-bank, role: compare, topic: card-feed.network,
     format: milepost-json, numeric_ids: [], exact_keys: []}
"""
T = TypeVar("T")


class World:
    """Processes by name; `folder` keeps their logs, keys and files."""

    def __init__(self, stack: Stack, folder: Path, **settings: str) -> None:
        self.stack = stack
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.kills = 0
        feeds = folder / "feeds.yaml"
        feeds.write_text(FEEDS)
        self.environment = {
            **{name: text for name, text in os.environ.items() if "MILEPOST" not in name},
            **stack.environment,
            "MILEPOST_FEEDS_FILE": str(feeds),
            "MILEPOST_QUARANTINE_KEY_FILE": str(folder / "quarantine.pub"),
            "MILEPOST_FILES_DIR": str(folder),
            **settings,
        }

    def cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "services.cli", *arguments], env=self.environment,
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        if check and done.returncode != 0:
            raise AssertionError(f"milepost {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done

    def found(self, *arguments: str) -> Any:
        """The JSON document of a command."""
        return json.loads(self.cli("--output", "json", *arguments).stdout)

    def start(self, name: str) -> None:
        """Start a service; `accrual-2` is a second `accrual`."""
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-m", "services.cli", "run", name.partition("-")[0]],
            env=self.environment, stdout=log, stderr=log,
        )  # fmt: skip

    def kill(self, name: str) -> None:
        """Kill a service as the kernel would, and start it again."""
        process = self.processes[name]
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.kills += 1
        self.start(name)

    def revive(self) -> None:
        """What a supervisor does: start again whatever has ended."""
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                self.start(name)

    def stop(self) -> None:
        """End everything."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()

    def send(self, topic: str, records: Sequence[tuple[str, bytes]]) -> None:
        """Produce (account, line) records in order, each account to its partition."""

        async def produce() -> None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self.stack.kafka_bootstrap, enable_idempotence=True
            )
            await producer.start()
            try:
                count = len(await producer.partitions_for(topic))
                for account, line in records:
                    key = account.encode()
                    await producer.send(topic, line, key=key, partition=partition_for(key, count))
                await producer.flush()
            finally:
                await producer.stop()

        asyncio.run(produce())

    def consumed(self, topic: str) -> list[Any]:
        """Every record of a topic."""

        async def read() -> list[Any]:
            consumer = AIOKafkaConsumer(bootstrap_servers=self.stack.kafka_bootstrap)
            await consumer.start()
            try:
                parts = [TopicPartition(topic, p) for p in consumer.partitions_for_topic(topic)]
                consumer.assign(parts)
                ends = await consumer.end_offsets(parts)
                found: list[Any] = []
                for part in parts:
                    consumer.seek(part, 0)
                while any([await consumer.position(part) < ends[part] for part in parts]):
                    for records in (await consumer.getmany(timeout_ms=500)).values():
                        found.extend(records)
                return found
            finally:
                await consumer.stop()

        topics = asyncio.run(self._known(topic))
        return asyncio.run(read()) if topics else []

    async def _known(self, topic: str) -> bool:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.stack.kafka_bootstrap)
        await consumer.start()
        try:
            return topic in await consumer.topics()
        finally:
            await consumer.stop()

    def rows(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """What the database says, asked as its superuser."""

        async def ask() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.stack.database_url)
            try:
                return await connection.fetch(sql, *arguments)
            finally:
                await connection.close()

        return asyncio.run(ask())

    def lag(self) -> int:
        """Records of the topics that the database has not taken yet, and events not published."""

        async def ends(topics: Sequence[str]) -> dict[str, int]:
            consumer = AIOKafkaConsumer(bootstrap_servers=self.stack.kafka_bootstrap)
            await consumer.start()
            try:
                await consumer.topics()
                parts = [
                    TopicPartition(topic, p)
                    for topic in topics
                    for p in consumer.partitions_for_topic(topic)
                ]
                found = await consumer.end_offsets(parts)
                return {f"{part.topic}/{part.partition}": end for part, end in found.items()}
            finally:
                await consumer.stop()

        ahead = asyncio.run(ends([CARD_TRANSACTIONS, DEAD_LETTERS]))
        at = {row["name"]: row["next_offset"] for row in self.rows(
            "SELECT name, next_offset FROM stream JOIN stream_position USING (stream_id)"
        )}  # fmt: skip
        unpublished = self.rows(
            "SELECT coalesce(sum(p.next_seq - 1 - coalesce(c.seq, 0)), 0)::int AS n"
            "  FROM stream_position p JOIN stream s USING (stream_id)"
            "  LEFT JOIN publisher_cursor c USING (stream_id) WHERE s.name LIKE 'card%'"
        )[0]["n"]
        return sum(end - at[name] for name, end in ahead.items()) + int(unpublished)

    def recorded(self) -> int:
        """Consumed records that have an outcome."""
        return int(
            self.rows(
                "SELECT (SELECT count(*) FROM card_event WHERE role <> 'command')"
                "     + (SELECT count(*) FROM dead_letter) AS n"
            )[0]["n"]
        )

    def wait(self, done: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Until `done`, reviving what has ended meanwhile."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.revive()
            try:
                if done():
                    return
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                pass
            time.sleep(0.3)
        raise AssertionError(f"not within {seconds} s: {what}")


def published_ids(world: World) -> set[str]:
    """The `transfer_id` of every record of the topic `accruals`."""
    return {dict(record.headers)["transfer_id"].decode() for record in world.consumed(ACCRUALS)}
