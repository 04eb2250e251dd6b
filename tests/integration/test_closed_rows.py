"""What is closed or sealed takes no more rows, by whatever program they come."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Literal

import asyncpg
import pytest

from services.runtime.migrations import migrate, shipped
from services.settlement import bootstrap as settlement
from tests.support.partner import BATCH
from tests.support.settlement import Books, broken, lines, settings_for, settle

APRIL_2 = date(2026, 4, 2)
LINE = (
    "INSERT INTO settlement_line SELECT (l).* FROM (SELECT jsonb_populate_record(l, "
    f"'{{\"line\": 9}}') AS l FROM settlement_line AS l WHERE (batch, line) = ('{BATCH}', 1)) AS n"
)
BATCH_ROW = (
    "INSERT INTO settlement_batch (batch, partner, sequence, revision, through, sealed_by, "
    "stream_id, seq, last_seq, vector, facts, totals, held, carried) SELECT {name}, {partner}, "
    "{sequence}, revision, through, sealed_by, stream_id, seq, last_seq, vector, facts, totals, "
    f"held, carried FROM settlement_batch WHERE batch = '{BATCH}'"
)
SKIPPED = BATCH_ROW.format(name="'sky-air-000003'", partner="partner", sequence=3)
NOT_FIRST = BATCH_ROW.format(name="'new-air-000002'", partner="'new-air'", sequence=2)
CLOSE = (
    "INSERT INTO period_close (period, previous, who, recorded_on) "
    "VALUES ('2026-04', '2026-03', 'Eve', '2026-05-01')"
)
POSITION = "INSERT INTO period_close_position VALUES"
LATER = f"{POSITION} ('2026-03', (SELECT max(stream_id) FROM stream), 1000000)"
ILLEGAL = {
    "period_close_position_at_once": [
        LATER,
        f"{POSITION} ('2026-03', (SELECT max(stream_id) FROM stream), 1)",
    ],
    "period_close_balance_at_once": [
        "INSERT INTO period_close_balance VALUES ('2026-03', 'SKY-MILE', 'member/x', 1, 0)"
    ],
    "period_close_position_of": [
        f"{CLOSE}; {POSITION} ('2026-04', 1, 1000000)",
        f"{CLOSE}; {POSITION} ('2026-04', 77, 1)",
    ],
    "transfer_after_closings": [
        "INSERT INTO transfer SELECT (t).* FROM (SELECT jsonb_populate_record(t, '{\"leg\": 9}') "
        "AS t FROM transfer AS t WHERE (stream_id, seq) = (1, 1)) AS n"
    ],
    "settlement_line_at_once": [LINE],
    "settlement_member_at_once": [
        f"INSERT INTO settlement_member VALUES (1, 900, 1, '{BATCH}', 1)"
    ],
    "settlement_file_at_once": [
        f"INSERT INTO settlement_file VALUES ('{BATCH}', 'more.txt', 'x', 1, 'x', 1, '{{}}')"
    ],
    "settlement_batch_follows": [SKIPPED, NOT_FIRST],
}


async def closed(books: Books, folder: Path) -> None:
    """March is closed, then the batch is sealed: its stream came after the closing."""
    await close(books, folder)
    await settle(books, folder)


async def close(books: Books, folder: Path) -> None:
    settings = settings_for(books.url, folder)
    await settlement.close_period(settings, "2026-03", by="Fay", on=APRIL_2)


@pytest.mark.parametrize("role", ["milepost_app", "milepost_operator"])
async def test_the_database_refuses_a_row_of_what_is_closed_or_sealed(
    books: Books, folder: Path, role: str
) -> None:
    await closed(books, folder)
    await books.connection.execute(f"SET ROLE {role}")
    for constraint, statements in ILLEGAL.items():
        for statement in statements:
            with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
                await books.connection.execute(statement)
            assert refused.value.constraint_name == constraint, statement
    await books.connection.execute("RESET ROLE")
    assert await broken(books, folder) == []


@pytest.mark.parametrize("isolation", ["read_committed", "repeatable_read"])
async def test_who_began_before_a_closing_or_a_seal_adds_no_row_after_it(
    books: Books, folder: Path, isolation: Literal["read_committed", "repeatable_read"]
) -> None:
    for step, constraint in (
        (close, "transfer_after_closings"),
        (settle, "settlement_file_at_once"),
    ):
        other = await asyncpg.connect(books.url)
        try:
            await other.transaction(isolation=isolation).start()
            await other.execute("SET LOCAL ROLE milepost_app")
            await other.fetchval("SELECT count(*) FROM settlement_batch")
            await step(books, folder)
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await other.execute(ILLEGAL[constraint][0])
        finally:
            await other.close()
    assert await broken(books, folder) == []


async def test_a_closing_waits_for_whoever_posts(books: Books, folder: Path) -> None:
    other = await asyncpg.connect(books.url)
    try:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("SET LOCAL ROLE milepost_app")
        await other.execute(ILLEGAL["transfer_after_closings"][0])
        closing = asyncio.create_task(close(books, folder))
        done, _ = await asyncio.wait([closing], timeout=0.5)
        assert not done
        await transaction.commit()
        await closing
    finally:
        await other.close()
    closed_with = "SELECT sum(debit) FROM period_close_balance WHERE account LIKE 'reward-cost/%'"
    assert await books.connection.fetchval(closed_with) == 20


async def test_a_table_of_the_same_name_in_front_changes_nothing(
    books: Books, folder: Path
) -> None:
    await closed(books, folder)
    async with books.connection.transaction():
        await books.connection.execute("SET LOCAL ROLE milepost_app")
        await books.connection.execute(
            "CREATE TEMP TABLE settlement_batch AS SELECT * FROM settlement_batch"
        )
        with pytest.raises(asyncpg.PostgresError, match="settlement_file_at_once"):
            await books.connection.execute(ILLEGAL["settlement_file_at_once"][0])


async def test_a_withdrawn_batch_is_sealed_again_and_the_next_month_is_closed(
    books: Books, folder: Path
) -> None:
    await closed(books, folder)
    settings = settings_for(books.url, folder)
    await settlement.withdraw_batch(settings, BATCH, by="Cy", reason="x", on=APRIL_2)
    await settle(books, folder)
    assert await lines(books, "sky-air-000002") == [(1, "11111", "acc-1", "P1", 10, f"{BATCH}/1")]
    on = date(2026, 5, 1)
    april = await settlement.close_period(settings, "2026-04", by="Fay", on=on)
    assert april.fresh
    streams = await books.connection.fetch("SELECT streams FROM period_close ORDER BY period")
    assert [row["streams"] for row in streams] == [2, 3]
    assert await broken(books, folder) == []


PLANTED = (
    LATER,
    f"{POSITION} ('2026-03', (SELECT max(stream_id) FROM stream), 1)",
    "INSERT INTO period_close_balance VALUES ('2026-03', 'SKY-MILE', 'member/x', 1, 0)",
    "UPDATE period_close_position SET seq = seq + 1 WHERE stream_id = 2",
    "DELETE FROM period_close_position WHERE stream_id = 2",
    f"{CLOSE}; {POSITION} ('2026-04', 1, 1), ('2026-04', 2, 0)",
    "INSERT INTO transfer SELECT (t).* FROM (SELECT jsonb_populate_record(t, '{\"leg\": 9}') "
    "AS t FROM transfer AS t WHERE (stream_id, seq) = (1, 1)) AS n",
)


@pytest.mark.parametrize("planted", PLANTED)
async def test_a_row_planted_in_a_closed_period_is_found(
    books: Books, folder: Path, planted: str
) -> None:
    await closed(books, folder)
    assert await broken(books, folder) == []
    await books.corrupt(planted)
    assert "periods" in await broken(books, folder)


async def test_closings_and_batches_from_before_the_guards_stand_and_are_guarded(
    database_url: str, folder: Path
) -> None:
    before = [migration for migration in shipped() if migration.version < 40]
    await migrate(database_url, migrations=before)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            "INSERT INTO period_close (period, who, recorded_on) "
            "VALUES ('2026-03', 'Fay', '2026-04-02');"
            "INSERT INTO stream VALUES (1, 'card-transactions/0'), (2, 'card-transactions/1');"
            "INSERT INTO stream_position (stream_id, next_seq) VALUES (1, 3), (2, 1);"
            f"{POSITION} ('2026-03', 1, 2), ('2026-03', 2, 0)"
        )
        assert "0040_pre_closed_rows" in await migrate(database_url)
        assert await connection.fetchval("SELECT streams FROM period_close") == 2
        await connection.execute(
            "INSERT INTO stream VALUES (3, 'card-transactions/2');"
            "INSERT INTO stream_position (stream_id) VALUES (3)"
        )
        with pytest.raises(asyncpg.PostgresError, match="period_close_position_at_once"):
            await connection.execute(LATER)
        await connection.execute(CLOSE)
        assert await connection.fetchval("SELECT max(streams) FROM period_close") == 3
    finally:
        await connection.close()
