"""Every action of a person is a row that nobody wrote by hand, in a chain that holds it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from services.runtime.database import Database
from services.settlement import bootstrap as settlement
from services.settlement.adapters.chain_store import PostgresChainStore
from services.settlement.audit import seal_audit
from tests.support.partner import APRIL_3, acknowledge, answered, sent
from tests.support.settlement import Books, broken, settings_for, settle


async def seal(books: Books, delay_seconds: int = 0) -> int:
    async with (
        await Database.connect(books.url, size=1) as database,
        database.transaction() as connection,
    ):
        return await seal_audit(PostgresChainStore(connection), delay_seconds=delay_seconds)


async def history(books: Books, folder: Path) -> None:
    """Seal, approve, deliver, an answer, a payment, a withdrawal, and a closing."""
    settings = settings_for(books.url, folder)
    batch = "sky-air-000001"
    await settle(books, folder)
    await acknowledge(books, folder, answered(await sent(books, folder)))
    await settlement.pay_batch(settings, batch, by="Dee", reference="R1", on=APRIL_3)
    await books.grant("acc-1", "P2", 10)
    await settle(books, folder)
    await settlement.withdraw_batch(
        settings, "sky-air-000002", by="Cy", reason="wrong month", on=APRIL_3
    )
    await settlement.close_period(settings, "2026-03", by="Fay", on=APRIL_3)


async def test_every_action_names_who_did_what_to_which_and_when(
    books: Books, folder: Path
) -> None:
    await history(books, folder)
    rows = await settlement.audit_rows(
        settings_for(books.url, folder), subject=None, actor=None, rows_max=100
    )
    assert [(row["actor"], row["action"], row["subject"]) for row in reversed(rows)] == [
        ("Ann", "contract apply", "sky-visa/1"),
        (rows[-1]["login"], "member import", "revision 2"),
        ("Ann", "batch sealed", "sky-air-000001"),
        ("Bo", "batch approved", "sky-air-000001"),
        ("Dee", "batch sent", "sky-air-000001"),
        ("Dee", "batch deliver", "sky-air-000001"),
        ("Dee", "acknowledge", "sky-air-000001"),
        ("Dee", "batch answered", "sky-air-000001"),
        ("Dee", "batch pay", "sky-air-000001"),
        ("Ann", "batch sealed", "sky-air-000002"),
        ("Cy", "batch withdrawn", "sky-air-000002"),
        ("Fay", "period close", "2026-03"),
    ]
    withdrawn = rows[1]
    assert (withdrawn["recorded_on"], withdrawn["role"]) == (APRIL_3, "milepost_app")
    assert withdrawn["detail"]["reason"] == "wrong month"


async def test_what_is_written_by_hand_is_audited_too_and_the_audit_is_not_written_by_hand(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    connection = await asyncpg.connect(books.url)
    try:
        await connection.execute("SET ROLE milepost_app")
        await connection.execute(
            "INSERT INTO settlement_approval VALUES ('sky-air-000001', 'ann', 'Eve', $1)", APRIL_3
        )
        row = await connection.fetchrow("SELECT * FROM audit ORDER BY id DESC LIMIT 1")
        assert row is not None
        assert (row["actor"], row["action"]) == ("Eve", "batch approved")
        for statement in (
            "INSERT INTO audit (actor, action, subject, login, role, program, detail) "
            "VALUES ('Ann', 'x', 'y', 'z', '', '', '{}')",
            "UPDATE audit SET actor = 'Ann'",
            "DELETE FROM audit",
            "UPDATE audit_link SET nth = 1",
            "DELETE FROM audit_link",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_rows_are_linked_in_order_once_they_are_old_enough(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    assert await seal(books, delay_seconds=3600) == 0
    assert await seal(books) == 3
    assert await seal(books) == 0
    await history(books, folder)
    sealed = await asyncio.gather(*(seal(books) for _ in range(3)))
    assert sum(sealed) == await books.connection.fetchval("SELECT count(*) - 3 FROM audit")
    assert await broken(books, folder) == []


async def test_a_row_that_commits_late_is_linked_after_those_that_overtook_it(
    books: Books, folder: Path
) -> None:
    other = await asyncpg.connect(books.url)
    try:
        transaction = other.transaction()
        await transaction.start()
        await other.execute(
            "INSERT INTO period_close (period, who, recorded_on) VALUES ('2026-01', 'Fay', $1)",
            APRIL_3,
        )
        await settle(books, folder)
        assert await seal(books) == 3
        await transaction.commit()
        assert await seal(books) == 1
    finally:
        await other.close()
    last = await books.connection.fetchrow(
        "SELECT a.action, a.id < (SELECT max(id) FROM audit) AS overtaken "
        "FROM audit_link AS l JOIN audit AS a USING (id) ORDER BY nth DESC LIMIT 1"
    )
    assert tuple(last or ()) == ("period close", True)


async def test_the_head_leaves_with_each_batch_in_the_manifest_that_is_sent(
    books: Books, folder: Path
) -> None:
    await seal(books)
    await settle(books, folder)
    ours = folder / "sky-air/pending/sky-air-000001.manifest.json"
    assert "audit" not in json.loads(ours.read_text()), "its bytes hang on no clock"
    await seal(books)
    await sent(books, folder)
    away = folder / "sky-air/sent/sky-air-000001.manifest.json"
    link = await books.connection.fetchrow("SELECT nth, link FROM audit_link WHERE nth = 3")
    assert json.loads(away.read_text())["audit"] == dict(link or {})
    assert settlement.check_file(away).problems == ()
    assert await broken(books, folder) == []


async def test_a_change_of_any_column_names_the_first_broken_link(
    books: Books, folder: Path
) -> None:
    await history(books, folder)
    await seal(books)
    changes = {
        "recorded_at": "recorded_at + interval '1 microsecond'",
        "actor": "actor || 'x'",
        "action": "'batch approved '",
        "subject": "subject || '1'",
        "recorded_on": "'2026-04-04'::date",
        "login": "login || 'x'",
        "role": "'none'",
        "program": "''",
        "detail": "detail || '{\"x\": 1}'",
    }
    for column, value in changes.items():
        where = "WHERE id = (SELECT id FROM audit_link WHERE nth = 5)"
        detail = await planted(books, folder, f"UPDATE audit SET {column} = {value} {where}")
        assert detail["audit-chain"].startswith("link 5 of audit row "), column
        assert detail["audit-chain"].endswith("the row is not what was sealed"), column


async def test_a_row_or_a_link_that_is_taken_out_is_named(books: Books, folder: Path) -> None:
    await history(books, folder)
    await seal(books)
    row = "(SELECT id FROM audit_link WHERE nth = 4)"
    found = await planted(books, folder, f"DELETE FROM audit WHERE id = {row}")
    assert found["audit-chain"].startswith("link 4 ")
    assert found["audit-chain"].endswith("the row is gone")
    found = await planted(books, folder, "DELETE FROM audit_link WHERE nth = 4")
    assert "link 5 of audit row" in found["audit-chain"]
    assert "stands after link 3: links are missing" in found["audit-chain"]
    found = await planted(
        books, folder, "UPDATE audit_link SET link = repeat('a', 64) WHERE nth = 4"
    )
    assert found["audit-chain"].startswith("link 4 ")


async def test_a_chain_that_was_written_anew_differs_from_the_heads_that_left_the_house(
    books: Books, folder: Path
) -> None:
    await seal(books)
    await settle(books, folder)
    await sent(books, folder)
    await books.corrupt("UPDATE audit SET actor = 'Eve' WHERE action = 'contract apply'")
    await books.corrupt("DELETE FROM audit_link")
    await seal(books)
    details = await failures(books, folder)
    assert list(details) == ["audit-heads"]
    assert "sky-air-000001 SEALED left with link 2" in details["audit-heads"]
    assert "manifest.json left with link 2" in details["audit-heads"]
    for table in ("settlement_state", "file_delivery"):
        await books.corrupt(f"UPDATE {table} SET chain_nth = NULL, chain_link = NULL")
    assert "manifest.json left with link 2" in (await failures(books, folder))["audit-heads"]


async def planted(books: Books, folder: Path, statement: str) -> dict[str, str]:
    transaction = books.connection.transaction()
    await transaction.start()
    try:
        await books.connection.execute("SET LOCAL session_replication_role = replica")
        await books.connection.execute(statement)
        return await failures(books, folder)
    finally:
        await transaction.rollback()


async def failures(books: Books, folder: Path) -> dict[str, str]:
    found = await settlement.invariants(books.connection, folder)
    return {finding.id: finding.detail for finding in found if not finding.ok}
