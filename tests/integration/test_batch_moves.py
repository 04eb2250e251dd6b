"""The database itself refuses moves of batches and lines that may not be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import asyncpg
import pytest

from tests.support.partner import BATCH, approved, sent
from tests.support.settlement import Books, settle

ILLEGAL = {
    "settlement_state_legal": "INSERT INTO settlement_state (batch, state, previous, who, "
    "recorded_on) VALUES ('{batch}', 'SENT', 'SEALED', 'Eve', '2026-04-03')",
    "settlement_state_follows": "INSERT INTO settlement_state (batch, state, previous, who, "
    "recorded_on) VALUES ('{batch}', 'ANSWERED', 'SENT', 'Eve', '2026-04-03')",
    "settlement_state_once": "INSERT INTO settlement_state (batch, state, who, recorded_on) "
    "VALUES ('{batch}', 'SEALED', 'Eve', '2026-04-03')",
    "settlement_state_approval_fkey": "INSERT INTO settlement_state (batch, state, previous, who, "
    "recorded_on) VALUES ('{batch}', 'APPROVED', 'SEALED', 'Eve', '2026-04-03')",
    "settlement_state_reason": "INSERT INTO settlement_state (batch, state, previous, who, "
    "recorded_on) VALUES ('{batch}', 'WITHDRAWN', 'SEALED', 'Eve', '2026-04-03')",
    "file_delivery_of": "INSERT INTO file_delivery (batch, run, who, recorded_on, place) "
    "VALUES ('{batch}', 0, 'Eve', '2026-04-03', 'x')",
    "acknowledgement_sent": "INSERT INTO acknowledgement (batch, line, nth, outcome, who, "
    "recorded_on, stream_id, seq) VALUES ('{batch}', 1, 1, 'ACCEPTED', 'Eve', '2026-04-03', 1, 1)",
}


@pytest.mark.parametrize("constraint", list(ILLEGAL))
async def test_the_database_refuses_an_illegal_move_of_a_batch(
    books: Books, folder: Path, constraint: str
) -> None:
    await settle(books, folder)
    async with books.connection.transaction():
        await books.connection.execute("SET LOCAL ROLE milepost_app")
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match=constraint):
            async with books.connection.transaction():
                await books.connection.execute(ILLEGAL[constraint].format(batch=BATCH))


async def test_of_a_delivery_and_a_withdrawal_at_once_one_is_refused(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    await approved(books, folder)
    other = await asyncpg.connect(books.url)
    step = (
        "INSERT INTO settlement_state (batch, state, previous, who, recorded_on, reason) "
        f"VALUES ('{BATCH}', $1, 'APPROVED', 'Eve', $2, 'x')"
    )
    try:
        async with books.connection.transaction():
            await books.connection.execute(step, "SENT", date(2026, 4, 3))
            await other.execute("SET lock_timeout = '200ms'")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await other.execute(step, "WITHDRAWN", date(2026, 4, 3))
        with pytest.raises(asyncpg.UniqueViolationError, match="settlement_state_left_once"):
            await other.execute(step, "WITHDRAWN", date(2026, 4, 3))
    finally:
        await other.close()


LEGAL: dict[str | None, set[str]] = {
    None: {"ACCEPTED", "WARNED", "REJECTED", "UNKNOWN", "PAID"},
    "UNKNOWN": {"ACCEPTED", "WARNED", "REJECTED", "PAID"},
    "ACCEPTED": {"REJECTED", "PAID"},
    "WARNED": {"REJECTED", "PAID"},
    "PAID": {"REJECTED"},
    "REJECTED": set(),
}


async def test_the_database_says_what_may_be_told_of_a_line_after_what(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    await sent(books, folder)
    tell = (
        "INSERT INTO acknowledgement (batch, line, nth, outcome, previous, code, who, recorded_on, "
        f"stream_id, seq) VALUES ('{BATCH}', 1, $1, $2, $3, 'X', 'Eve', '2026-04-03', 1, 1)"
    )
    for before, legal in LEGAL.items():
        for outcome in ("ACCEPTED", "WARNED", "REJECTED", "UNKNOWN", "PAID", "LOST"):
            transaction = books.connection.transaction()
            await transaction.start()
            nth = 1
            if before is not None:
                await books.connection.execute(tell, nth, before, None)
                nth = 2
            if outcome in legal:
                await books.connection.execute(tell, nth, outcome, before)
            else:
                with pytest.raises(asyncpg.CheckViolationError, match="acknowledgement_legal"):
                    await books.connection.execute(tell, nth, outcome, before)
            await transaction.rollback()
