"""The transaction knows whether it committed, the parameters are not bent, errors have families."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from decimal import Decimal
from typing import Self
from urllib.parse import urlsplit

import asyncpg
import pytest

from services.kernel.errors import InvalidInput, Retryable, Unreachable
from services.local.stack import Stack
from services.runtime.database import (
    CommitRefused,
    CommitUnknown,
    Connection,
    Database,
    copy_rows,
    savepoint,
)
from services.runtime.session import assert_durable


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with await Database.connect(database_url, role=None) as connected:
        async with connected.transaction() as connection:
            await connection.execute("CREATE TABLE t (id bigint PRIMARY KEY, n numeric)")
        yield connected


async def rows(database: Database) -> list[int]:
    async with database.connection() as connection:
        return [row["id"] for row in await connection.fetch("SELECT id FROM t ORDER BY id")]


async def insert(connection: Connection, number: object) -> None:
    await connection.execute("INSERT INTO t (id) VALUES ($1)", number)


async def test_leaving_the_block_has_committed(database: Database) -> None:
    async with database.transaction() as connection:
        await insert(connection, 1)
        assert await rows(database) == []
    assert await rows(database) == [1]


async def test_an_exception_rolls_back_and_goes_on(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await insert(connection, 1)
            raise ZeroDivisionError
    assert await rows(database) == []


async def test_a_swallowed_error_does_not_pass_for_a_commit(database: Database) -> None:
    with pytest.raises(CommitRefused, match="ROLLBACK"):
        async with database.transaction() as connection:
            await insert(connection, 1)
            with suppress(asyncpg.UniqueViolationError):
                await insert(connection, 1)
    assert await rows(database) == []
    async with database.transaction() as connection:
        await insert(connection, 2)
    assert await rows(database) == [2]


async def test_a_savepoint_undoes_its_own_block_only(database: Database) -> None:
    async with database.transaction() as connection:
        await insert(connection, 1)
        with pytest.raises(asyncpg.UniqueViolationError):
            async with savepoint(connection, "one_event"):
                await insert(connection, 2)
                await insert(connection, 1)
        async with savepoint(connection, "one_event"):
            await insert(connection, 3)
    assert await rows(database) == [1, 3]


async def test_a_cancelled_transaction_leaves_nothing_and_frees_its_connection(
    database: Database,
) -> None:
    async def hang() -> None:
        async with database.transaction() as connection:
            await insert(connection, 1)
            await connection.execute("SELECT pg_sleep(30)")

    tasks = [asyncio.create_task(hang()) for _ in range(4)]
    await asyncio.sleep(0.3)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await asyncio.wait_for(rows(database), 5) == []


class Proxy:
    """Stands between us and the server; when it is deaf it drops an answer and cuts the line."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self.deaf = False
        self._pumps: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    @property
    def url(self) -> str:
        port = self._listener.sockets[0].getsockname()[1]
        netloc = self._parts.netloc.replace(f":{self._parts.port}", f":{port}")
        return self._parts._replace(netloc=netloc).geturl()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._parts.hostname, self._parts.port
        server_reader, server_writer = await asyncio.open_connection(host, port)
        ways = self._asked(reader, server_writer), self._answered(server_reader, writer)
        self._pumps += [asyncio.create_task(way) for way in ways]

    async def _asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (data := await reader.read(65536)) and not self.deaf:
            writer.write(data)
        writer.close()


async def test_a_lost_answer_to_commit_is_an_unknown_outcome(database_url: str) -> None:
    async with (
        Proxy(database_url) as proxy,
        await Database.connect(proxy.url, role=None) as database,
    ):
        async with database.transaction() as connection:
            await connection.execute("CREATE TABLE t (id bigint PRIMARY KEY)")
        with pytest.raises(CommitUnknown) as caught:
            async with database.transaction() as connection:
                await insert(connection, 1)
                proxy.deaf = True
        assert isinstance(caught.value, Retryable)
        proxy.deaf = False
        assert await rows(database) == [1]


@pytest.mark.parametrize("value", [1.0, Decimal(1), True, "1"])
async def test_a_whole_number_column_takes_nothing_but_whole_numbers(
    database: Database, value: object
) -> None:
    with pytest.raises(asyncpg.DataError, match="takes an int"):
        async with database.transaction() as connection:
            await insert(connection, value)
    with pytest.raises(asyncpg.DataError, match="takes an int"):
        async with database.connection() as connection:
            await connection.fetchval("SELECT $1::bigint[]", [value])
    with pytest.raises(TypeError, match="takes an int"):
        async with database.transaction() as connection:
            await copy_rows(connection, table="t", columns=["id"], rows=[(value,)])
    assert await rows(database) == []


async def test_exact_values_come_back_as_they_went(database: Database) -> None:
    big = 2**63 - 1
    async with database.transaction() as connection:
        written = [(big,), (-big - 1,), (7,)]
        assert await copy_rows(connection, table="t", columns=["id"], rows=written) == 3
        await connection.execute("UPDATE t SET n = $1 WHERE id = 7", Decimal("0.10"))
    assert await rows(database) == [-big - 1, 7, big]
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT n FROM t WHERE id = 7") == Decimal("0.10")
        assert await connection.fetchval("SELECT $1::numeric", 10**30) == 10**30
        with pytest.raises(asyncpg.DataError):
            await connection.fetchval("SELECT $1::numeric", 0.1)
        with pytest.raises(asyncpg.DataError):
            await connection.fetchval("SELECT $1::numeric", Decimal("NaN"))
        with pytest.raises(asyncpg.DataError):
            await connection.fetchval("SELECT $1::bigint", big + 1)


async def test_work_that_may_be_tried_again_says_so(database: Database) -> None:
    async with database.transaction() as connection:
        await insert(connection, 1)
    async with database.transaction() as holder:
        await holder.execute("SELECT FROM t FOR UPDATE")
        with pytest.raises(Retryable, match="LockNotAvailable"):
            async with database.transaction(lock_seconds=1) as connection:
                await connection.execute("DELETE FROM t")
    with pytest.raises(Retryable, match="QueryCanceled"):
        async with database.transaction(statement_seconds=1) as connection:
            await connection.execute("SELECT pg_sleep(5)")
    with pytest.raises(asyncpg.UniqueViolationError) as caught:
        async with database.transaction() as connection:
            await insert(connection, 1)
    assert caught.value.constraint_name == "t_pkey"


async def test_a_server_that_is_away_is_named_without_the_password() -> None:
    with pytest.raises(Unreachable) as caught:
        await Database.connect("postgresql://milepost:hunter2@127.0.0.1:1/milepost")
    said = str(caught.value)
    assert said.startswith("PostgreSQL cannot be reached at 127.0.0.1:1/milepost. ")
    assert "start PostgreSQL or correct MILEPOST_DATABASE_URL" in said
    assert "hunter2" not in said


async def test_what_is_wrong_at_the_door_is_said_with_the_way_out(
    database_url: str, database: Database
) -> None:
    missing = urlsplit(database_url)._replace(path="/no_such_database").geturl()
    with pytest.raises(Unreachable, match="The database does not exist: create it"):
        await Database.connect(missing, role=None)
    with pytest.raises(Unreachable, match="run `milepost migrate`"):
        await Database.connect(database_url, role="no_such_role")
    with pytest.raises(Unreachable, match="run `milepost migrate`"):
        async with database.connection() as connection:
            await connection.fetch("SELECT FROM no_such_table")


async def test_another_host_is_spoken_to_only_with_its_certificate_checked() -> None:
    with pytest.raises(InvalidInput, match="root certificate"):
        await Database.connect("postgresql://milepost@db.bank.example/milepost")


async def test_the_session_is_what_it_should_be(database_url: str) -> None:
    async with await Database.connect(
        database_url, role=None, schema='Odd "name', application_name="milepost-test"
    ) as database:
        for _ in range(2):  # The second time the connection has been in the pool.
            async with database.connection() as connection:
                found = [
                    await connection.fetchval("SELECT current_setting($1)", name)
                    for name in ("timezone", "application_name", "search_path")
                ]
            assert found == ["UTC", "milepost-test", '"Odd ""name"']


async def test_a_hot_path_looks_up_by_index_however_small_the_table_is(database_url: str) -> None:
    query = "EXPLAIN SELECT FROM t JOIN unnest($1::bigint[]) AS w (id) USING (id)"
    wanted = list(range(5_000))
    plans: dict[bool, str] = {}
    for by_index in (False, True):
        async with (
            await Database.connect(database_url, role=None, by_index=by_index) as connected,
            connected.connection() as connection,
        ):
            await connection.execute("CREATE TABLE IF NOT EXISTS t (id bigint PRIMARY KEY)")
            plans[by_index] = "\n".join(row[0] for row in await connection.fetch(query, wanted))
    assert "Index" in plans[True]
    assert "Seq Scan on t" not in plans[True]
    assert plans[True] != plans[False]


async def test_the_role_is_taken_on_every_connection(database_url: str) -> None:
    async with (
        await Database.connect(database_url, role="pg_monitor") as database,
        database.connection() as one,
        database.connection() as two,
    ):
        for connection in (one, two):
            assert await connection.fetchval("SELECT current_user::text") == "pg_monitor"


async def test_a_server_that_may_lose_commits_is_refused(database: Database) -> None:
    async with database.connection() as connection:
        await assert_durable(connection)
        await connection.execute("SET synchronous_commit = off")
        with pytest.raises(InvalidInput, match="synchronous_commit: 'off': must be on or remote"):
            await assert_durable(connection)


@pytest.mark.slow
async def test_the_pool_recovers_from_a_crash_of_the_server(fresh_stack: Stack) -> None:
    async with await Database.connect(fresh_stack.database_url, role=None) as database:
        async with database.transaction() as connection:
            await connection.execute("CREATE TABLE t (id bigint PRIMARY KEY)")
        with pytest.raises(Retryable):
            async with database.transaction() as connection:
                await insert(connection, 1)
                await asyncio.to_thread(fresh_stack.postgres.crash)
                await insert(connection, 2)
        with pytest.raises(Unreachable):
            await rows(database)
        await asyncio.to_thread(fresh_stack.postgres.start)
        assert await rows(database) == []
