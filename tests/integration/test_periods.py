"""A closed period is the same for ever; what comes later counts from the first open day."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import asyncpg
import pytest

from services.accrual import bootstrap as accrual
from services.kernel.errors import InvalidInput
from services.settlement import bootstrap as settlement
from services.settlement.bootstrap import Closed
from tests.support.settlement import APRIL_END, MARCH_END, Books, broken, settings_for, settle

APRIL_2 = date(2026, 4, 2)
Sums = dict[tuple[str, str], tuple[int, int]]


async def close(books: Books, folder: Path, period: str, on: date = APRIL_2) -> Closed:
    settings = settings_for(books.url, folder)
    return await settlement.close_period(settings, period, by="Fay", on=on)


async def trial_balance(books: Books, folder: Path, through: date) -> Sums:
    async with accrual.books(settings_for(books.url, folder)) as found:
        rows = await found.trial_balance(through, members=False)
    return {(row.unit, row.account): (row.debit, row.credit) for row in rows}


async def accounted(books: Books) -> list[tuple[date, date]]:
    rows = await books.connection.fetch(
        "SELECT effective_on, accounted_on FROM accounting_date ORDER BY stream_id, seq, leg"
    )
    return [tuple(row) for row in rows]


async def test_the_trial_balance_of_a_closed_period_is_the_same_for_ever(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    closed = await close(books, folder, "2026-03")
    march = await trial_balance(books, folder, MARCH_END)
    assert {(row.unit, row.account): (row.debit, row.credit) for row in closed.balances} == march
    await books.grant("acc-1", "P2", 7)
    await books.grant("acc-1", "P3", 5, stream_id=2)
    await settle(books, folder)
    await settlement.withdraw_batch(
        settings_for(books.url, folder), "sky-air-000001", by="Cy", reason="x", on=APRIL_2
    )
    assert await trial_balance(books, folder, MARCH_END) == march
    april = await trial_balance(books, folder, APRIL_END)
    assert april["SKY-MILE", "partner-payable/sky-air"] == (10, 22)
    assert await broken(books, folder) == []


async def test_what_is_posted_late_keeps_its_effective_date_and_counts_from_the_first_open_day(
    books: Books, folder: Path
) -> None:
    await close(books, folder, "2026-03")
    await books.grant("acc-1", "P2", 7)
    await books.grant("acc-1", "P3", 5, governing_on=date(2026, 4, 9))
    await close(books, folder, "2026-04", date(2026, 5, 1))
    await books.grant("acc-1", "P4", 3)
    march, open_march, open_april = date(2026, 3, 5), date(2026, 4, 1), date(2026, 5, 1)
    assert await accounted(books) == [
        (march, march),
        (march, open_march),
        (date(2026, 4, 9), date(2026, 4, 9)),
        (march, open_april),
    ]
    for through, sum_ in ((MARCH_END, 10), (date(2026, 4, 5), 17), (APRIL_END, 22)):
        found = await trial_balance(books, folder, through)
        assert found["SKY-MILE", "member/*"] == (0, sum_)
    assert (await trial_balance(books, folder, open_april))["SKY-MILE", "member/*"] == (0, 25)


async def test_a_stream_that_came_after_a_closing_counts_after_it(
    books: Books, folder: Path
) -> None:
    await close(books, folder, "2026-03")
    march = await trial_balance(books, folder, MARCH_END)
    await settle(books, folder)
    assert await trial_balance(books, folder, MARCH_END) == march
    assert await broken(books, folder) == []


async def test_periods_are_closed_in_order_once_and_only_when_they_are_over(
    books: Books, folder: Path
) -> None:
    with pytest.raises(InvalidInput, match="'2026-04': is not over on 2026-04-02"):
        await close(books, folder, "2026-04")
    with pytest.raises(InvalidInput, match="is no month"):
        await close(books, folder, "2026-13")
    assert (await close(books, folder, "2026-03")).fresh
    assert not (await close(books, folder, "2026-03")).fresh
    with pytest.raises(InvalidInput, match="2026-03 is closed, and every month before it"):
        await close(books, folder, "2026-02")
    insert = (
        "INSERT INTO period_close (period, previous, who, recorded_on) VALUES ($1, $2, 'E', $3)"
    )
    for period, previous, on, constraint in (
        ("2026-02", "2026-03", APRIL_2, "period_close_in_order"),
        ("2026-02", None, APRIL_2, "period_close_first"),
        ("2026-04", "2026-03", APRIL_2, "period_close_is_over"),
        ("2026-13", "2026-03", APRIL_2, "period_close_period_check"),
    ):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await books.connection.execute(insert, period, previous, on)
        assert constraint in str(refused.value) or "out of range" in str(refused.value)


async def test_a_closing_waits_for_what_is_being_recorded(books: Books, folder: Path) -> None:
    other = await asyncpg.connect(books.url)
    try:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("UPDATE stream_position SET next_seq = next_seq WHERE stream_id = 2")
        closing = asyncio.create_task(close(books, folder, "2026-03"))
        done, _ = await asyncio.wait([closing], timeout=0.5)
        assert not done
        await transaction.rollback()
        assert (await closing).fresh
    finally:
        await other.close()


async def test_a_change_of_a_closed_period_is_found(books: Books, folder: Path) -> None:
    await settle(books, folder)
    await close(books, folder, "2026-03")
    await close(books, folder, "2026-04", date(2026, 5, 1))
    assert await broken(books, folder) == []
    for statement in (
        "UPDATE transfer SET amount = amount + 1 WHERE debit LIKE 'reward-cost/%'",
        "UPDATE transfer SET effective_on = '2026-04-01' WHERE debit LIKE 'reward-cost/%'",
        "UPDATE period_close_balance SET debit = debit + 1 WHERE account LIKE 'reward%'",
        "UPDATE period_close_position SET seq = 0",
        "DELETE FROM period_close_position WHERE period = '2026-03'",
        "UPDATE period_close SET previous = NULL",
    ):
        transaction = books.connection.transaction()
        await transaction.start()
        await books.connection.execute("SET LOCAL session_replication_role = replica")
        await books.connection.execute("DROP INDEX period_close_first")
        await books.connection.execute(statement)
        found = await settlement.invariants(books.connection, folder)
        assert "periods" in [finding.id for finding in found if not finding.ok], statement
        await transaction.rollback()
