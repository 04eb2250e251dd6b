"""What the application's role may do to each table; the ledger only ever grows."""

from __future__ import annotations

import asyncpg
import pytest

from services.runtime.database import Database

APPEND_ONLY = (
    "stream", "card_event", "event_identity", "dead_letter", "transfer", "contract_version",
    "contract_approval", "member_row", "account_dates", "activation", "settlement_batch",
    "settlement_line", "settlement_member", "settlement_file", "settlement_approval",
    "settlement_announcement", "settlement_state", "settlement_answer", "settlement_payment",
    "settlement_move", "settlement_merge", "acknowledgement", "file_delivery",
    "file_delivery_end", "period_close", "period_close_position", "period_close_balance",
    "audit_link", "dead_letter_replay", "settlement_answer_file",
)  # fmt: skip
DERIVED = ("stream_position", "publisher_cursor", "purchase", "scope_total", "balance")


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
async def test_the_application_cannot_change_what_is_recorded(
    migrated_url: str, table: str, statement: str
) -> None:
    async with await Database.connect(migrated_url) as database, database.connection() as link:
        column = await link.fetchval(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = $1 AND is_generated = 'NEVER' LIMIT 1",
            table,
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await link.execute(statement.format(table, column, column))


@pytest.mark.parametrize("table", DERIVED)
async def test_the_application_cannot_delete_what_is_derived(migrated_url: str, table: str) -> None:
    async with await Database.connect(migrated_url) as database, database.connection() as link:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await link.execute(f"DELETE FROM {table}")


async def test_a_stream_position_never_moves_backwards_not_even_by_its_owner(
    migrated_url: str,
) -> None:
    link = await asyncpg.connect(migrated_url)
    try:
        await link.execute("INSERT INTO stream VALUES (1, 'card-transactions/0')")
        await link.execute("INSERT INTO stream_position (stream_id, next_offset) VALUES (1, 7)")
        with pytest.raises(asyncpg.RaiseError, match="never moves backwards"):
            await link.execute("UPDATE stream_position SET next_offset = 6")
    finally:
        await link.close()


@pytest.mark.parametrize("approver", ["ann", "ANN", " ann ", "ａｎｎ"])
async def test_the_database_itself_refuses_the_author_under_any_spelling(
    migrated_url: str, approver: str
) -> None:
    link = await asyncpg.connect(migrated_url)
    try:
        await link.execute(
            "INSERT INTO contract_version (contract, version, issuer, program, partner, document,"
            " sha256, terms, author, revision, applied_on)"
            " VALUES ('c', 1, 'i', 'p', 'q', 'd', 's', '{}', 'Ann', 1, '2026-01-01')"
        )
        with pytest.raises(asyncpg.CheckViolationError):
            await link.execute(
                "INSERT INTO contract_approval"
                " SELECT contract, version, author_key, $1, 2, '2026-01-02' FROM contract_version",
                approver,
            )
    finally:
        await link.close()
