"""What each role may do to each table, and that a partner sees its own rows only."""

from __future__ import annotations

from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.kernel.errors import InvalidInput
from services.runtime.named_queries import load_queries
from services.settlement import bootstrap as settlement
from services.settlement.batches.order import Order
from tests.support.logins import login, settings_of, url_of
from tests.support.partner import APRIL_3, BATCH, Verdict, acknowledge, answered, sent
from tests.support.settlement import MARCH_END, SEALED_ON, Books, settings_for, settle

ROLES = ("author", "approver", "operator", "auditor", "partner")
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
PARTNER_READS = {
    "settlement_batch", "settlement_line", "settlement_file", "settlement_approval",
    "settlement_state", "settlement_answer", "settlement_payment", "acknowledgement",
    "file_delivery", "file_delivery_end", "settlement_batch_state", "settlement_line_outcome",
    "discrepancy", "discrepancy_closing", "discrepancy_resolution", "discrepancy_approval",
    "discrepancy_state",
}  # fmt: skip
OPERATOR_WRITES = {
    "member_row", "account_dates", "activation", "stream", "card_event", "transfer",
    "settlement_batch", "settlement_line",
    "settlement_member", "settlement_file", "settlement_state", "settlement_answer",
    "settlement_payment", "settlement_payout", "settlement_account_change",
    "settlement_answer_file", "settlement_move", "settlement_merge",
    "acknowledgement", "file_delivery", "file_delivery_end", "period_close",
    "period_close_position", "period_close_balance", "stream_position", "balance",
    "reconciliation_run", "discrepancy", "discrepancy_closing", "discrepancy_resolution",
    "purchase", "scope_total", "waiting_event", "event_identity", "dead_letter_replay",
}  # fmt: skip
WRITES = {
    ("author", "INSERT"): {"contract_version"},
    ("author", "UPDATE"): {"fact_revision"},
    ("approver", "INSERT"): {
        "contract_approval", "settlement_approval", "discrepancy_approval",
        "card_event", "transfer", "balance", "purchase", "scope_total", "waiting_event",
    },
    ("approver", "UPDATE"): {"fact_revision"},
    ("approver", "DELETE"): {"waiting_event"},
    ("operator", "INSERT"): OPERATOR_WRITES,
    ("operator", "UPDATE"): {"fact_revision", "stream_position", "balance"},
    ("operator", "DELETE"): {"waiting_event"},
}  # fmt: skip
"""(role, verb) → the tables; whatever is not here no person may do."""
DERIVED = {
    "purchase.body", "purchase.exact_keys", "purchase.label", "scope_total.granted",
    "scope_total.total",
}  # fmt: skip
COLUMNS = {
    ("approver", "UPDATE"): {"balance.amount", "stream_position.next_seq"} | DERIVED,
    ("operator", "UPDATE"): DERIVED,
}
"""Where a table is not granted: (role, verb) → its columns that are, and no others."""
UNREAD = {
    ("author", "settlement_payout"), ("author", "settlement_account_change"),
    ("author", "settlement_account_change_open"),
    ("author", "settlement_answer_file"),
}  # fmt: skip
"""Who writes contracts needs no account, not even sealed."""
GUARDED = {
    "settlement_account_change",
    "settlement_batch", "settlement_answer", "settlement_merge", "settlement_line",
    "settlement_member", "settlement_file", "settlement_approval", "settlement_announcement",
    "settlement_state", "settlement_payment", "settlement_move", "file_delivery",
    "file_delivery_end", "acknowledgement", "settlement_payout", "reconciliation_run",
    "settlement_answer_file",
    "discrepancy", "discrepancy_closing", "discrepancy_resolution", "discrepancy_approval",
}  # fmt: skip
DISCREPANCIES = (
    "INSERT INTO reconciliation_run (partner, nth, period, who, recorded_on, second_above, "
    "answer_days, found) VALUES ('sky-air', 1, '2026-03', 'Cy', '2026-04-10', 0, 5, 1)",
    "INSERT INTO discrepancy (id, partner, run, period, first_seen, second_above, comparison, "
    "code, subject, amount, unit, again, owner, detail) VALUES (repeat('a', 20), 'sky-air', 1, "
    "'2026-03', '2026-04-10', 0, 'answers', 'NOT_ANSWERED', 'sky-air-000001/1', 10, 'SKY-MILE', "
    "0, 'partner', 'acc-1')",
    "INSERT INTO discrepancy_resolution (id, nth, who, recorded_on, reason) "
    "VALUES (repeat('a', 20), 1, 'Cy', '2026-04-10', 'asked')",
    "INSERT INTO discrepancy_approval (id, nth, resolver_key, approver, recorded_on) "
    "SELECT id, nth, who_key, 'Bo', '2026-04-10' FROM discrepancy_resolution",
    "INSERT INTO discrepancy_closing VALUES (repeat('a', 20), 'sky-air', 1)",
)
FILES = (
    "seal_store", "batch_store", "audit_store", "refold_store", "life_store", "period_store",
    "chain_store", "answer_store", "payout_store", "review_store",
    "reconcile_store", "discrepancy_audit",
)  # fmt: skip


async def test_each_role_may_do_to_each_table_what_is_written_here_and_no_more(
    books: Books,
) -> None:
    rows = await books.connection.fetch(
        "SELECT role, c.relname AS name, verb, "
        "has_table_privilege('milepost_' || role, c.oid, verb) AS may "
        "FROM pg_class AS c, unnest($1::text[]) AS role, unnest($2::text[]) AS verb "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v')",
        list(ROLES),
        list(VERBS),
    )
    assert len(rows) > 1000
    for role, name, verb, may in rows:
        if verb == "SELECT":
            wanted = name in PARTNER_READS if role == "partner" else (role, name) not in UNREAD
        else:
            wanted = name in WRITES.get((role, verb), set())
        assert may == wanted, (role, name, verb)


async def test_what_commands_derive_is_changed_in_its_values_only(books: Books) -> None:
    rows = await books.connection.fetch(
        "SELECT role, privilege_type AS verb, c.relname || '.' || a.attname AS name "
        "FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid, "
        "aclexplode(a.attacl) AS acl, unnest($1::text[]) AS role "
        "WHERE acl.grantee = ('milepost_' || role)::regrole",
        list(ROLES),
    )
    found: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        found.setdefault((row["role"], row["verb"]), set()).add(row["name"])
    assert found == COLUMNS


async def test_every_settlement_table_guards_its_rows_even_from_its_owner(books: Books) -> None:
    rows = await books.connection.fetch(
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
    )
    assert {row["relname"] for row in rows} == GUARDED
    own = await books.connection.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND (relname LIKE 'settlement%' "
        "OR relname LIKE 'file_delivery%' OR relname = 'acknowledgement')"
    )
    assert {row["relname"] for row in own} - GUARDED == {"settlement_partner_login"}


async def test_people_do_their_own_part_and_no_other(books: Books, folder: Path) -> None:
    order = Order(partner="sky-air", through=MARCH_END, by="Ann", on=SEALED_ON)
    async with (
        login(books, "operator") as operator,
        login(books, "approver") as approver,
        login(books, "auditor") as auditor,
    ):
        sealing = settings_of(books, operator, "operator", folder)
        approving = settings_of(books, approver, "approver", folder)
        reading = settings_of(books, auditor, "auditor", folder)
        for person in (approving, reading):
            with pytest.raises(InvalidInput, match=r"MILEPOST_ROLE.*permission denied"):
                await settlement.settle(person, order)
        assert (await settlement.settle(sealing, order)).header is not None
        for person in (sealing, reading):
            with pytest.raises(InvalidInput, match="permission denied for table settlement_appr"):
                await settlement.approve_batch(person, BATCH, approver="Bo", on=SEALED_ON)
        await settlement.approve_batch(approving, BATCH, approver="Bo", on=SEALED_ON)
        for person in (approving, reading):
            with pytest.raises(InvalidInput, match="permission denied"):
                await settlement.deliver_batch(
                    person, BATCH, by="Dee", on=APRIL_3, to=None, resend=False
                )
        delivered = await settlement.deliver_batch(
            sealing, BATCH, by="Dee", on=APRIL_3, to=None, resend=False
        )
        content = next(Path(f.path).read_bytes() for f in delivered.files if ".txt" in f.path)
        answer = folder.parent / "answer.txt"
        answer.write_bytes(answered(content, {1: Verdict("E")}))
        header, _ = await settlement.acknowledge_file(
            sealing, answer, partner="sky-air", by="Dee", on=APRIL_3
        )
        assert header.state == "ANSWERED"
        assert len(await settlement.list_batches(reading)) == 1
        actions = await settlement.audit_rows(reading, subject=BATCH, actor=None, rows_max=9)
        assert {(row["role"], row["login"]) for row in actions} == {
            ("milepost_operator", operator),
            ("milepost_approver", approver),
        }


async def test_nobody_takes_a_role_that_the_login_was_not_given(books: Books, folder: Path) -> None:
    async with login(books, "auditor") as auditor:
        for role in ("app", "operator", "approver"):
            with pytest.raises(InvalidInput, match=f"MILEPOST_ROLE: '{role}': permission denied"):
                await settlement.list_batches(settings_of(books, auditor, role, folder))


async def test_a_partner_reads_its_own_rows_and_no_others(books: Books, folder: Path) -> None:
    await history(books, folder)
    async with (
        login(books, "partner", partner="sky-air") as own,
        login(books, "partner", partner="sea-air") as foreign,
        login(books, "partner") as nobody,
    ):
        for name, seen in ((own, 1), (foreign, 0), (nobody, 0)):
            settings = settings_of(books, name, "partner", folder)
            if name == nobody:
                with pytest.raises(InvalidInput, match="the login is of no partner"):
                    await settlement.list_batches(settings)
            else:
                assert len(await settlement.list_batches(settings)) == seen
            connection = await asyncpg.connect(url_of(books, name))
            try:
                for table in PARTNER_READS - {"settlement_answer", "settlement_payment"}:
                    rows = await connection.fetchval(f"SELECT count(*) FROM {table}")
                    assert (rows > 0) == bool(seen), table
            finally:
                await connection.close()


async def test_a_foreign_partner_gets_nothing_from_any_query_of_settlement(
    books: Books, folder: Path
) -> None:
    await history(books, folder)
    async with login(books, "partner", partner="sea-air") as foreign:
        connection = await asyncpg.connect(url_of(books, foreign))
        seen = []
        try:
            await connection.execute("SET ROLE milepost_partner")
            for name, query in queries():
                house = await answers(books.connection, query)
                if any(telling(rows) for rows in house):
                    seen.append(name)
                for rows in await answers(connection, query):
                    assert not telling(rows), name
        finally:
            await connection.close()
    assert len(seen) > 25, "the queries tell their own house nothing: this test proves nothing"


async def history(books: Books, folder: Path) -> None:
    await settle(books, folder)
    await acknowledge(books, folder, answered(await sent(books, folder)))
    await books.grant("acc-1", "P2", 5)
    for statement in DISCREPANCIES:
        await books.connection.execute(statement)


def queries() -> list[tuple[str, str]]:
    """Every named query of settlement, by file and name."""
    found = []
    for file in FILES:
        loaded = load_queries("services.settlement.adapters", f"{file}.sql")
        found += [(f"{file}: {name}", loaded[name]) for name in loaded]
    return found


def telling(rows: list[asyncpg.Record]) -> bool:
    """Whether rows say anything of the airline's batch, its member, or the ledger behind it."""
    text = str(rows)
    return any(word in text for word in ("sky-air", "acc-1", "11111", "Ann", "SENT", "base"))


async def answers(
    connection: asyncpg.Connection[asyncpg.Record], query: str
) -> list[list[asyncpg.Record]]:
    """What a query gives for values that mean something in the house; undone at once."""
    try:
        prepared = await connection.prepare(query)
    except asyncpg.InsufficientPrivilegeError:
        return []
    found = []
    choices = [VALUES.get(parameter.name, (None,)) for parameter in prepared.get_parameters()]
    for values in list(product(*choices))[:64]:
        transaction = connection.transaction()
        await transaction.start()
        try:
            found.append(await connection.fetch(query, *values))
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.DataError):
            pass  # refused, or values that the query cannot use
        finally:
            await transaction.rollback()
    return found


VALUES: dict[str, tuple[Any, ...]] = {
    "text": ("sky-air", BATCH, None),
    "date": (date(2026, 12, 31),),
    "int2": (3,),
    "int4": (1, 100),
    "int8": (1, 1 << 40),
    "int2[]": ([1],),
    "int8[]": ([1],),
    "int4[]": ([1],),
    "text[]": (["x"],),
}


async def test_an_unset_role_is_that_of_the_services(books: Books, folder: Path) -> None:
    settings = settings_for(books.url, folder)
    assert settings.role == "app"
    assert await settlement.list_batches(settings) == []
