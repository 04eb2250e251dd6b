"""Each record has its effect once: through rebalances, fences, lost commits, crashes and kills."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from services.kernel.errors import InvalidInput, InvariantViolated, Retryable
from services.local.stack import Stack
from services.runtime.batch import StreamSlice
from services.runtime.consumer import StreamConsumer
from services.runtime.database import Database
from services.runtime.gathering import OffsetLost
from services.runtime.health import Health
from services.runtime.metrics import Metrics
from services.runtime.migrations import migrate
from services.runtime.producer import BatchProducer, OutgoingRecord
from services.runtime.settings import Settings, load_settings
from services.runtime.stream_position import claim
from services.runtime.topics import TopicAdmin, TopicSpecification, create_positions
from services.runtime.watchdog import Stuck
from tests.support import counting
from tests.support.counting import Counting

TOPIC = "card-transactions"
PARTITIONS = 4


class World:
    """A topic, a database, and what was sent."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self.sent: dict[int, list[bytes]] = {part: [] for part in range(PARTITIONS)}

    async def send(self, count: int, *, partitions: int = PARTITIONS) -> None:
        records = []
        for number in range(count):
            part = number % partitions
            value = b"%d/%d" % (part, len(self.sent[part]))
            self.sent[part].append(value)
            records.append(OutgoingRecord(b"", value, partition=part))
        async with await BatchProducer.connect(self.settings, client="test") as producer:
            await producer.produce(TOPIC, records)

    async def counted(self) -> dict[int, list[bytes]]:
        """The values counted, by partition, in the order of their sequence numbers."""
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT name, seq, value FROM counted JOIN stream USING (stream_id)"
                " ORDER BY stream_id, seq"
            )
        found: dict[int, list[bytes]] = {part: [] for part in range(PARTITIONS)}
        for row in rows:
            values = found[int(row["name"].rpartition("/")[2])]
            values.append(row["value"])
            assert row["seq"] == len(values), "sequence numbers have a gap"
        return found

    async def until_counted(self, seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while sum(map(len, (await self.counted()).values())) < sum(
                map(len, self.sent.values())
            ):
                await asyncio.sleep(0.05)
        assert await self.counted() == self.sent

    async def steal(self, partition: int) -> None:
        async with self.database.transaction() as connection:
            await claim(connection, TOPIC, partition, owner="thief")


@asynccontextmanager
async def world_of(settings: Settings, url: str) -> AsyncIterator[World]:
    await migrate(url)
    async with (
        await Database.connect(url, role=None, size=1) as owner,
        owner.transaction() as connection,
    ):
        await connection.execute(counting.CREATE)
    async with await TopicAdmin.connect(settings) as admin:
        await admin.create([TopicSpecification(TOPIC, PARTITIONS)])
    async with await Database.connect(url, size=8) as database:
        await create_positions(settings, database, {TOPIC: PARTITIONS})
        yield World(settings, database)


def settings_for(bootstrap: str, **more: str) -> Settings:
    return load_settings({"MILEPOST_KAFKA_BOOTSTRAP_SERVERS": bootstrap, **more})


@pytest.fixture
async def world(kafka_bootstrap: str, database_url: str) -> AsyncIterator[World]:
    async with world_of(settings_for(kafka_bootstrap), database_url) as made:
        yield made


class Running:
    """A consumer under way in a task of its own."""

    def __init__(self, world: World, **arguments: object) -> None:
        self.handler = Counting(world.database)
        self.stop = asyncio.Event()
        self.metrics, self.health = Metrics(), Health(waiting_for=set())
        self._made = counting.consumer(
            world.settings,
            world.database,
            self.handler,
            topic=TOPIC,
            metrics=self.metrics,
            health=self.health,
            **arguments,  # type: ignore[arg-type]
        )

    async def __aenter__(self) -> Running:
        self.task = asyncio.create_task(self._made.run(self.stop))
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        self.stop.set()
        if kind is not None:
            self.task.cancel()
        await asyncio.wait({self.task}, timeout=10)
        assert self.task.done()
        if kind is None:
            self.task.result()


def once(what: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """A hook that does it the first time only."""
    left = [what]

    async def hook() -> None:
        if left:
            await left.pop()()

    return hook


async def later() -> None:
    raise Retryable("not now")


async def test_every_record_is_counted_once_and_in_order(world: World) -> None:
    await world.send(20_000)
    async with Running(world) as running:
        await world.until_counted()
        await world.send(8)
        await world.until_counted()
    assert max(running.handler.batches) > 1_000, "one commit a batch, over several partitions"
    text = running.metrics.exposition().decode()
    assert f'milepost_stream_position{{stream="{TOPIC}/3"}} 5002.0' in text
    assert "milepost_batch_seconds_count" in text


async def test_kafka_is_told_where_the_database_stands(world: World, kafka_bootstrap: str) -> None:
    await world.send(100)
    async with Running(world):
        await world.until_counted()
    tool = AIOKafkaConsumer(bootstrap_servers=kafka_bootstrap, group_id="counting")
    await tool.start()
    try:
        told = [await tool.committed(TopicPartition(TOPIC, part)) for part in range(PARTITIONS)]
    finally:
        await tool.stop()
    assert told == [25] * PARTITIONS


async def test_the_database_is_believed_and_not_what_kafka_was_told(
    world: World, kafka_bootstrap: str
) -> None:
    await world.send(400)
    liar = AIOKafkaConsumer(bootstrap_servers=kafka_bootstrap, group_id="counting")
    await liar.start()
    try:
        liar.assign([TopicPartition(TOPIC, part) for part in range(PARTITIONS)])
        await liar.commit({TopicPartition(TOPIC, part): 50 for part in range(PARTITIONS)})
    finally:
        await liar.stop()
    async with Running(world):
        await world.until_counted()


async def test_without_a_database_the_group_remembers_what_was_handled(world: World) -> None:
    class Collecting:
        def __init__(self) -> None:
            self.values: list[bytes | None] = []
            self.fail = True

        async def handle(self, slices: Sequence[StreamSlice]) -> None:
            if self.fail:
                self.fail = False
                raise Retryable("not now")
            self.values += [record.value for part in slices for record in part.records]

    async def handle_all(count: int) -> list[bytes]:
        handler, stop = Collecting(), asyncio.Event()
        made = StreamConsumer(
            world.settings,
            None,
            handler,
            topics=[TOPIC],
            group="stateless",
            owner="test",
            metrics=Metrics(),
            health=Health(waiting_for=set()),
        )
        task = asyncio.create_task(made.run(stop))
        async with asyncio.timeout(20):
            while len(handler.values) < count:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        stop.set()
        await task
        return sorted(filter(None, handler.values))

    await world.send(400)
    first = [value for values in world.sent.values() for value in values]
    assert await handle_all(400) == sorted(first)
    await world.send(40)
    both = [value for values in world.sent.values() for value in values]
    assert await handle_all(40) == sorted(set(both) - set(first))


async def test_workers_come_and_go_and_nothing_is_lost_or_doubled(world: World) -> None:
    await world.send(4_000)
    async with Running(world, owner="one") as one:
        await world.until_counted()
        async with Running(world, owner="two") as two:
            async with asyncio.timeout(30):
                while not two.handler.batches:  # Until the group has shared the partitions out.
                    await world.send(40)
                    await asyncio.sleep(0.2)
            await world.until_counted()
            one_before = len(one.handler.batches)
        await world.send(400)
        await world.until_counted()
    assert len(one.handler.batches) > one_before


async def test_a_fenced_worker_leaves_the_stream_alone(world: World) -> None:
    await world.send(4_000)
    async with Running(world, assign=[0, 1]) as running:
        running.handler.before = once(lambda: world.steal(0))
        async with asyncio.timeout(10):
            while len((await world.counted())[1]) < len(world.sent[1]):
                await asyncio.sleep(0.05)
        assert (await world.counted())[0] == []
        assert "milepost_fenced_total 1.0" in running.metrics.exposition().decode()
    async with Running(world, assign=[0, 2, 3]):
        await world.until_counted()


async def test_work_that_is_put_off_is_done_once(world: World) -> None:
    await world.send(400)
    async with Running(world) as running:
        running.handler.before = once(later)
        await world.until_counted()
    assert running.health.ready


async def test_an_unknown_outcome_that_was_a_commit_is_not_doubled(world: World) -> None:
    await world.send(400)
    async with Running(world) as running:
        running.handler.after = once(later)
        await world.until_counted()
        await world.send(40)
        await world.until_counted()


async def test_a_bug_stops_the_process_and_skips_nothing(world: World) -> None:
    async def bug() -> None:
        raise InvariantViolated("does not balance")

    await world.send(40)
    running = Running(world, assign=[0, 1, 2, 3])
    running.handler.before = once(bug)
    with pytest.raises(InvariantViolated):
        async with running:
            await asyncio.wait_for(asyncio.shield(running.task), 10)
    async with Running(world, assign=[0, 1, 2, 3]):
        await world.until_counted()


async def test_a_partition_without_a_position_stops_the_process(
    kafka_bootstrap: str, database_url: str
) -> None:
    settings = settings_for(kafka_bootstrap)
    await migrate(database_url)
    async with await TopicAdmin.connect(settings) as admin:
        await admin.create([TopicSpecification(TOPIC, 1)])
    async with await Database.connect(database_url) as database:
        made = counting.consumer(settings, database, Counting(database), topic=TOPIC)
        with pytest.raises(InvalidInput, match="run `milepost topics create`"):
            await asyncio.wait_for(made.run(asyncio.Event()), 15)


async def test_records_that_are_gone_halt_the_stream(world: World, kafka_bootstrap: str) -> None:
    await world.send(40)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(TOPIC, 2): RecordsToDelete(before_offset=4)})
    finally:
        await admin.close()
    made = Running(world, assign=[2])
    with pytest.raises(OffsetLost, match=f"{TOPIC}/2: .* offset 0, the topic holds 4 to 10"):
        async with made:
            await asyncio.wait_for(asyncio.shield(made.task), 10)
    assert (await world.counted())[2] == []


async def test_a_topic_that_was_made_anew_halts_the_stream(world: World) -> None:
    async with world.database.transaction() as connection:
        await connection.execute("UPDATE stream_position SET next_offset = 7")
    made = Running(world, assign=[0])
    with pytest.raises(OffsetLost, match=r"offset 7, the topic holds 0 to 0.*made anew"):
        async with made:
            await asyncio.wait_for(asyncio.shield(made.task), 10)


async def test_a_stop_lets_the_batch_in_flight_commit(world: World) -> None:
    await world.send(400)
    async with Running(world) as running:
        entered = asyncio.Event()

        async def slow() -> None:
            entered.set()
            await asyncio.sleep(0.5)

        running.handler.before = slow
        await asyncio.wait_for(entered.wait(), 15)
        running.stop.set()
        await asyncio.wait_for(asyncio.shield(running.task), 5)
        assert len(running.handler.batches) == 1
        assert sum(map(len, (await world.counted()).values())) == running.handler.batches[0]


async def test_only_committed_records_of_transactions_are_seen(
    world: World, kafka_bootstrap: str
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, transactional_id="test")
    await producer.start()
    try:
        for number in range(3):
            await producer.begin_transaction()
            await producer.send_and_wait(TOPIC, b"%d" % number, partition=1)
            if number == 1:
                await producer.abort_transaction()
            else:
                await producer.commit_transaction()
    finally:
        await producer.stop()
    world.sent[1] = [b"0", b"2"]
    async with Running(world, assign=[1]):
        await world.until_counted()


@pytest.mark.slow
async def test_a_worker_that_makes_no_progress_ends(
    kafka_bootstrap: str, database_url: str
) -> None:
    async def ends_by_itself(running: Running, stream: str) -> None:
        with pytest.raises(Stuck, match=f"{stream}: 10 records wait"):
            async with running:
                await asyncio.wait_for(asyncio.shield(running.task), 15)

    settings = settings_for(kafka_bootstrap, MILEPOST_WATCHDOG_SECONDS="5")
    async with world_of(settings, database_url) as world:
        await world.send(40)
        stolen, hanging = Running(world, assign=[0]), Running(world, assign=[1])
        stolen.handler.before = once(lambda: world.steal(0))
        hanging.handler.before = lambda: asyncio.sleep(600)
        await asyncio.gather(
            ends_by_itself(stolen, f"{TOPIC}/0"), ends_by_itself(hanging, f"{TOPIC}/1")
        )


@pytest.mark.slow
async def test_a_crash_of_the_database_and_of_the_broker_are_waited_out(
    fresh_stack: Stack,
) -> None:
    settings = settings_for(fresh_stack.kafka_bootstrap)
    async with world_of(settings, fresh_stack.database_url) as world:
        await world.send(2_000)
        async with Running(world) as running:
            running.handler.before = once(lambda: asyncio.to_thread(fresh_stack.postgres.crash))
            async with asyncio.timeout(20):
                while running.health.ready:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(1)
            await asyncio.to_thread(fresh_stack.postgres.start)
            await world.until_counted()
            await asyncio.to_thread(fresh_stack.kafka.kill)
            await asyncio.to_thread(fresh_stack.kafka.start)
            await world.send(2_000)
            await world.until_counted(60)


@pytest.mark.slow
async def test_killed_at_any_step_it_goes_on_as_if_nothing_had_been(
    world: World, kafka_bootstrap: str, database_url: str
) -> None:
    environment = {
        **os.environ,
        "MILEPOST_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "MILEPOST_DATABASE_URL": database_url,
        "MILEPOST_BATCH_RECORDS_MAX": "7",
    }
    places = []
    for fail_at in range(1, 100):
        await world.send(10, partitions=2)  # two batches
        total = sum(map(len, world.sent.values()))
        arguments = [TOPIC, f"run-{fail_at}", str(total), "0", "1"]
        ended = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "tests.support.counting", *arguments],
            env={**environment, "MILEPOST_FAIL_AT": str(fail_at)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        for part, values in (await world.counted()).items():
            assert values == world.sent[part][: len(values)]
        if ended.returncode == 0:
            break
        assert ended.returncode == 137, ended.stderr
        places.append(ended.stderr.strip().splitlines()[-1])
    assert await world.counted() == world.sent
    assert {place.removeprefix("failpoint: ") for place in places} == {
        "claim: updated",
        "gathering: polled",
        "consumer: about to handle",
        "transaction: begun",
        "advance: updated",
        "copied: counted",
        "transaction: about to commit",
        "transaction: committed",
        "consumer: handled",
    }
