"""Commands over facts, each given with a login that has one role: its own part and no other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import typer
from typer.testing import CliRunner

from services.cli import activation, contract, lookup, member, proof, rebuild
from services.cli.session import DONE, INVALID, Output, Session
from services.settlement import bootstrap as settlement
from tests.support import builders, ledger
from tests.support.builders import event
from tests.support.ledger import Ledger
from tests.support.logins import login, settings_of, url_of
from tests.support.settlement import Books
from tests.support.trials import agreement

ON = ("--date", "2026-06-30")
APPROVE = ("contract", "approve", "sky-visa/2", "--approver", "Bo", "--retroactive", *ON)
RESOLVE = ("review", "resolve", "first-bank/R1", "--purchase", "first-bank/P1", "--by", "Cy", *ON)
TABLES = ("contract_version", "contract_approval", "member_row", "activation", "card_event",
          "transfer", "purchase", "scope_total", "waiting_event", "balance", "audit")  # fmt: skip


class Office:
    """A database with a contract and purchases, and a login of each role."""

    def __init__(self, books: Books, logins: dict[str, str], folder: Path) -> None:
        self.books, self.logins, self.folder = books, logins, folder

    async def run(self, role: str, *arguments: str | Path, code: int = DONE) -> Any:
        """What a command prints, given by the login that has only this role."""
        app = typer.Typer()
        for group in (contract, member, activation, rebuild, lookup, proof):
            group.register(app)
        environment = {
            "MILEPOST_DATABASE_URL": url_of(self.books, self.logins[role]), "MILEPOST_ROLE": role,
        }  # fmt: skip
        result = await asyncio.to_thread(
            CliRunner().invoke, app, [*map(str, arguments)], env=environment,
            obj=Session(output=Output.JSON, quiet=True, config=None),
        )  # fmt: skip
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result.stderr if code else json.loads(result.stdout)

    async def refused(self, role: str, *arguments: str | Path) -> None:
        """The database permits it not, and nothing is written."""
        before = await self.counts()
        said = await self.run(role, *arguments, code=INVALID)
        assert f"MILEPOST_ROLE: '{role}': permission denied" in said
        assert await self.counts() == before

    async def counts(self) -> list[int]:
        query = "SELECT count(*) FROM "
        return [await self.books.connection.fetchval(query + table) for table in TABLES]

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    async def actions(self, count: int) -> list[tuple[str, str, str, str]]:
        """The newest rows of the audit, oldest first: who, what, of what, in which role."""
        auditor = settings_of(self.books, self.logins["auditor"], "auditor", self.folder)
        rows = await settlement.audit_rows(auditor, subject=None, actor=None, rows_max=count)
        return [(r["actor"], r["action"], r["subject"], r["role"]) for r in reversed(rows)]


@pytest.fixture
async def office(migrated_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with ledger.opened(migrated_url) as book, AsyncExitStack() as stack:
        await fill(book)
        connection = await asyncpg.connect(migrated_url)
        stack.push_async_callback(connection.close)
        books = Books(migrated_url, connection)
        logins = {
            role: await stack.enter_async_context(login(books, role))
            for role in ("author", "approver", "operator", "auditor")
        }
        yield Office(books, logins, tmp_path)


async def fill(book: Ledger) -> None:
    """A contract, purchases of two accounts, and a refund that waits for its purchase."""
    await book.approve(agreement(1, dining="2", limit="60"))
    await book.enrol([builders.row("A1")])
    await book.send(
        event("P1", billing_amount=30_000, mcc="5812", merchant_id="M1"),
        event("R1", "REFUND", original_event_id="gone", billing_amount=20_000),
        event("P2", account_id="A2", billing_amount=30_000),
    )


async def test_an_author_applies_a_contract_and_cannot_approve_it(office: Office) -> None:
    draft = office.file("sky-visa.yaml", agreement(2, dining="4", limit="60", first="2026-02-01"))
    apply = "contract", "apply", draft, "--author", "Ann", *ON
    for role in ("approver", "operator", "auditor"):
        await office.refused(role, *apply)
    assert (await office.run("author", *apply))["contract"] == "sky-visa/2"
    for role in ("author", "operator", "auditor"):
        await office.refused(role, *APPROVE)
    approved = await office.run("approver", *APPROVE)
    assert approved["approved"] is True
    assert approved["purchases"] != []
    assert await office.actions(2) == [
        ("Ann", "contract apply", "sky-visa/2", "milepost_author"),
        ("Bo", "contract approve", "sky-visa/2", "milepost_approver"),
    ]


async def test_an_approver_records_nothing_but_approvals(office: Office) -> None:
    for command in (("account", "A1"), ("contract", "sky-visa")):
        await office.refused("approver", "reconsider", *command, *ON)
    connection = await asyncpg.connect(url_of(office.books, office.logins["approver"]))
    try:
        for taken in ("SET ROLE milepost_approver", "RESET ROLE"):
            await connection.execute(taken)
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="approvals only"):
                await connection.execute(
                    "INSERT INTO card_event SELECT stream_id, seq + 100, offset_at, recorded_at, "
                    "source, role, body, outcome, reason, revision FROM card_event "
                    "WHERE role = 'books' LIMIT 1"
                )
    finally:
        await connection.close()


async def test_an_operator_imports_links_and_decides_anew_and_the_audit_says_who(
    office: Office,
) -> None:
    row = builders.row("A2")
    text = f"{','.join(row)}\n{','.join(value or '' for value in row.values())}\n"
    members = office.file("members.csv", text)
    codes = office.file("codes.csv", "account_id,code,activated_on\nA1,SPRING,2026-02-01\n")
    commands: list[tuple[str | Path, ...]] = [
        ("member", "import", members, "--by", "Dee", *ON),
        ("activation", "import", codes, "--by", "Eve", *ON),
        RESOLVE,
        ("reconsider", "account", "A1", "--by", "Fay", *ON),
    ]
    for command in commands:
        for role in ("author", "approver", "auditor"):
            await office.refused(role, *command)
        await office.run("operator", *command)
    operator = "milepost_operator"
    assert [row[:2] + row[3:] for row in await office.actions(4)] == [
        ("Dee", "member import", operator),
        ("Eve", "activation import", operator),
        ("Cy", "review resolve", operator),
        ("Fay", "reconsider account", operator),
    ]
    await office.run("operator", "reconsider", "contract", "sky-visa", *ON)
    unnamed = office.logins["operator"]
    assert set(await office.actions(2)) == {(unnamed, "reconsider contract", "sky-visa", operator)}


async def test_an_auditor_looks_up_everything_and_writes_nothing(office: Office) -> None:
    before = await office.counts()
    assert (await office.run("auditor", "contract", "list"))["contracts"] != []
    assert (await office.run("auditor", "member", "show", "A1"))["rows"] != []
    assert await office.run("auditor", "explain", "first-bank/P1")
    assert (await office.run("auditor", "review", "list"))["items"] != []
    draft = office.file("draft.yaml", agreement(2, dining="3", limit="60", first="2027-01-01"))
    window = "--from", "2026-02-01", "--to", "2026-04-30"
    assert await office.run("auditor", "contract", "try", draft, *window)
    assert await office.counts() == before


async def test_a_role_that_the_login_was_not_given_is_refused(office: Office) -> None:
    office.logins["operator"] = office.logins["auditor"]
    await office.refused("operator", "contract", "list")
