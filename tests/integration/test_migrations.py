"""Several starters migrate one database once; an edited or unknown migration stops them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace

import pytest

from services.kernel.errors import InvalidInput
from services.runtime.database import Database
from services.runtime.migrations import Migration, migrate, shipped

FIRST = Migration(1, "0001_pre_first", "CREATE TABLE a (id int); SELECT pg_sleep(0.2);")
SECOND = Migration(2, "0002_post_second", "CREATE TABLE b (id int);")
BROKEN = Migration(3, "0003_pre_broken", "CREATE TABLE c (id int); CREATE TABLE a (id int);")


async def tables(url: str, schema: str = "public") -> list[str]:
    async with await Database.connect(url, role=None) as database, database.connection() as c:
        found = await c.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY tablename", schema
        )
        return [row["tablename"] for row in found]


async def test_starters_at_the_same_time_apply_each_file_once(database_url: str) -> None:
    wanted = [FIRST, SECOND]
    ran = await asyncio.gather(*(migrate(database_url, migrations=wanted) for _ in range(4)))
    assert sorted(ran, key=len) == [[], [], [], ["0001_pre_first", "0002_post_second"]]
    assert await tables(database_url) == ["a", "b", "schema_migration"]


async def test_starters_in_processes_of_their_own_do_not_disturb_each_other(
    database_url: str,
) -> None:
    code = (
        "import asyncio, sys; from services.runtime.migrations import migrate;"
        "print(asyncio.run(migrate(sys.argv[1])))"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", code, database_url], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    printed = [await asyncio.to_thread(run.communicate) for run in runs]
    names = str([migration.name for migration in shipped()])
    assert sorted(out.decode().strip() for out, _ in printed) == sorted(["[]", names])


async def test_an_edited_file_is_named_and_nothing_is_applied(database_url: str) -> None:
    await migrate(database_url, migrations=[FIRST])
    edited = replace(FIRST, sql=FIRST.sql + " -- a remark")
    with pytest.raises(InvalidInput, match="0001_pre_first: was edited after it was applied"):
        await migrate(database_url, migrations=[edited, SECOND])
    assert await tables(database_url) == ["a", "schema_migration"]


async def test_a_database_of_a_newer_milepost_is_left_alone(database_url: str) -> None:
    await migrate(database_url, migrations=[FIRST, SECOND])
    with pytest.raises(InvalidInput, match="0002_post_second: is in the database but unknown"):
        await migrate(database_url, migrations=[FIRST])


async def test_a_migration_that_fails_leaves_nothing_of_itself(database_url: str) -> None:
    with pytest.raises(InvalidInput, match='0003_pre_broken: was refused: relation "a" already'):
        await migrate(database_url, migrations=[FIRST, SECOND, BROKEN])
    assert await tables(database_url) == ["a", "b", "schema_migration"]
    assert await migrate(database_url, migrations=[FIRST, SECOND]) == []


async def test_the_same_tables_can_be_made_in_another_schema(database_url: str) -> None:
    names = [migration.name for migration in shipped()]
    assert await migrate(database_url) == names
    assert await migrate(database_url, schema="Rebuild 1") == names
    assert await migrate(database_url, schema="Rebuild 1") == []
    assert await tables(database_url, "Rebuild 1") == await tables(database_url)


async def test_the_shipped_ones_have_numbers_of_their_own_in_order() -> None:
    versions = [migration.version for migration in shipped()]
    assert versions == sorted(set(versions))
