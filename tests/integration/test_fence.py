"""What the database itself refuses, whoever asks."""

from __future__ import annotations

import asyncpg
import pytest

from services.runtime.database import APPLICATION_ROLE, Database
from services.runtime.stream_position import create_streams
from tests.support.servers import in_a_thread


@pytest.fixture
def url(migrated_url: str) -> str:
    async def create() -> None:
        async with (
            await Database.connect(migrated_url) as database,
            database.transaction() as connection,
        ):
            await create_streams(connection, {"card-transactions/0": 7})
            await connection.execute("UPDATE stream_position SET next_seq = 7, epoch = 7")

    in_a_thread(create())
    return migrated_url


@pytest.mark.parametrize("role", [APPLICATION_ROLE, None])
@pytest.mark.parametrize("column", ["next_offset", "next_seq", "epoch"])
async def test_nobody_moves_a_position_backwards(url: str, column: str, role: str | None) -> None:
    async with (
        await Database.connect(url, role=role) as database,
        database.connection() as connection,
    ):
        await connection.execute(f"UPDATE stream_position SET {column} = 8")
        with pytest.raises(asyncpg.RaiseError, match="never moves backwards"):
            await connection.execute(f"UPDATE stream_position SET {column} = 7")
        assert await connection.fetchval(f"SELECT {column} FROM stream_position") == 8


@pytest.mark.parametrize("statement", ["DELETE FROM", "TRUNCATE"])
@pytest.mark.parametrize("table", ["stream_position", "card_event", "event_identity", "transfer"])
async def test_the_services_remove_no_position_and_no_record(
    url: str, statement: str, table: str
) -> None:
    async with (
        await Database.connect(url) as database,
        database.connection() as connection,
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"{statement} {table}")
