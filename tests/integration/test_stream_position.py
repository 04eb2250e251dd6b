"""A stream has one mover at a time, and what it took is never taken twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.kernel.errors import InvalidInput, InvariantViolated, Retryable
from services.runtime import stream_position
from services.runtime.database import Database
from services.runtime.migrations import migrate
from services.runtime.stream_position import Claim, Fenced

TOPIC = "card-transactions"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url)
    async with await Database.connect(database_url) as connected:
        await create(connected, {f"{TOPIC}/0": 0, f"{TOPIC}/1": 40})
        yield connected


async def create(database: Database, starts: dict[str, int]) -> dict[str, int]:
    async with database.transaction() as connection:
        return await stream_position.create_streams(connection, starts)


async def claim(database: Database, partition: int, owner: str = "me") -> Claim:
    async with database.transaction() as connection:
        return await stream_position.claim(connection, TOPIC, partition, owner=owner)


async def advance(database: Database, held: Claim, to: int, count: int) -> int:
    async with database.transaction() as connection:
        return await stream_position.advance(connection, held, next_offset=to, count=count)


async def test_a_claim_says_where_to_go_on(database: Database) -> None:
    held = await claim(database, 1)
    assert (held.name, held.next_offset) == (f"{TOPIC}/1", 40)
    assert (await claim(database, 1)).epoch == held.epoch + 1


async def test_a_partition_without_a_position_is_named_with_the_way_out(
    database: Database,
) -> None:
    with pytest.raises(InvalidInput, match=f"{TOPIC}/7: .* `milepost topics create`"):
        await claim(database, 7)


async def test_sequence_numbers_have_no_gaps_whoever_takes_them(database: Database) -> None:
    held = await claim(database, 0)
    assert await advance(database, held, 10, 3) == 1
    async with database.transaction() as connection:
        assert await stream_position.lock(connection, [held.stream_id]) == {held.stream_id: 4}
        assert await stream_position.draw(connection, held.stream_id, 2) == 4
    assert await advance(database, held.at(10), 25, 1) == 6


async def test_the_old_owner_is_fenced(database: Database) -> None:
    old = await claim(database, 0, "old")
    new = await claim(database, 0, "new")
    with pytest.raises(Fenced, match="another process has claimed it") as caught:
        await advance(database, old, 10, 1)
    assert caught.value.claim == old
    assert await advance(database, new, 10, 1) == 1


async def test_the_same_batch_is_not_applied_twice(database: Database) -> None:
    held = await claim(database, 0)
    await advance(database, held, 10, 10)
    with pytest.raises(Fenced):
        await advance(database, held, 10, 10)


async def test_a_claim_waits_for_the_batch_in_flight_and_sees_its_commit(
    database: Database,
) -> None:
    old = await claim(database, 0, "old")
    async with database.transaction() as connection:
        await stream_position.advance(connection, old, next_offset=10, count=10)
        waiting = asyncio.create_task(claim(database, 0, "new"))
        await asyncio.sleep(0.2)
        assert not waiting.done()
    assert (await waiting).next_offset == 10


async def test_a_claim_does_not_wait_for_ever(database: Database) -> None:
    old = await claim(database, 0, "old")
    async with database.transaction() as connection:
        await stream_position.advance(connection, old, next_offset=10, count=10)
        with pytest.raises(Retryable):
            async with database.transaction(lock_seconds=1) as other:
                await stream_position.claim(other, TOPIC, 0, owner="new")


async def test_a_position_never_moves_backwards(database: Database) -> None:
    held = await claim(database, 1)
    with pytest.raises(asyncpg.RaiseError, match="never moves backwards"):
        await advance(database, held, 39, 0)


async def test_only_what_is_still_ours_is_read_back(database: Database) -> None:
    mine, lost = await claim(database, 0), await claim(database, 1)
    await advance(database, mine, 5, 5)
    await claim(database, 1, "other")
    async with database.connection() as connection:
        assert await stream_position.still_mine(connection, [mine, lost]) == {mine.stream_id: 5}
        names = [mine.name, lost.name, "unknown/0"]
        found = await stream_position.offsets(connection, names)
    assert found == {mine.name: 5, lost.name: 40}


async def test_a_lock_on_a_stream_that_is_not_there_is_refused(database: Database) -> None:
    with pytest.raises(InvariantViolated, match=r"without a position: \[99\]"):
        async with database.transaction() as connection:
            await stream_position.lock(connection, [99, 1])


async def test_commands_that_lock_the_same_streams_do_not_wait_in_a_ring(
    database: Database,
) -> None:
    async def command(order: list[int]) -> None:
        for _ in range(20):
            async with database.transaction() as connection:
                await stream_position.lock(connection, order)
                await asyncio.sleep(0)

    await asyncio.gather(command([1, 2]), command([2, 1]), command([1, 2]))


async def test_creators_at_the_same_time_give_each_stream_one_id(database: Database) -> None:
    names = {f"settlement/{n}": 0 for n in range(20)}
    made = await asyncio.gather(*(create(database, names) for _ in range(4)))
    assert made[0] == made[1] == made[2] == made[3]
    assert sorted(made[0].values()) == list(range(3, 23))


async def test_creating_leaves_a_stream_where_it_stands(database: Database) -> None:
    await create(database, {f"{TOPIC}/1": 0, f"{TOPIC}/2": 7})
    assert (await claim(database, 1)).next_offset == 40
    assert (await claim(database, 2)).next_offset == 7
