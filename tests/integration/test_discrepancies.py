"""A discrepancy lives: found, found again, explained by two people, gone, and back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import click.testing
import pytest
import typer
from typer.testing import CliRunner

from services.cli import reconcile
from services.cli.session import Output, Session
from services.kernel.errors import InvalidInput
from services.settlement import bootstrap as settlement
from services.settlement.bootstrap import reconciling
from services.settlement.reconcile.discrepancy import damaged_name
from services.settlement.reconcile.month import read_month
from services.settlement.reconciliation import Terms
from tests.support.logins import login, settings_of
from tests.support.partner import sent
from tests.support.reconciling import APRIL_10, run, sole
from tests.support.settlement import Books, broken, settle

Invoke = Callable[..., Awaitable[click.testing.Result]]
REWARDS = "sky-air-air-miles-rewards-000001.txt"


async def test_what_is_found_again_is_the_same_and_what_is_gone_is_closed(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    path = folder / "sky-air/pending" / REWARDS
    content = path.read_bytes()
    path.unlink()
    first, second = await run(books, folder), await run(books, folder)
    assert sole(first) == sole(second)
    assert [(one.recorded.run, one.recorded.new) for one in (first, second)] == [(1, 1), (2, 0)]
    path.write_bytes(content)
    third = await run(books, folder)
    assert (third.recorded.gone, third.recorded.standing) == (1, ())
    path.unlink()
    back = sole(await run(books, folder))
    assert (back.id != sole(first).id, back.subject) == (True, REWARDS)
    states = await books.connection.fetch("SELECT state FROM discrepancy_state ORDER BY state")
    assert [row["state"] for row in states] == ["CLOSED", "OPEN"]
    assert await broken(books, folder) == []


async def test_a_file_that_is_damaged_otherwise_is_another_discrepancy(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    path = folder / "sky-air/pending" / REWARDS
    content = path.read_bytes()
    seen = []
    for damaged in (content + b" " * 8, content + b" " * 9, content + b" " * 8):
        path.write_bytes(damaged)
        one = sole(await run(books, folder))
        seen.append((one.id, one.subject))
        assert one.detail.endswith(f": {len(damaged)} now, {len(content)} then")
    assert len({id for id, _ in seen}) == 3
    assert seen[0][1] == seen[2][1] == damaged_name(REWARDS, content + b" " * 8)
    assert await broken(books, folder) == ["settlement-files"]


async def test_two_runs_at_once_find_one_discrepancy(books: Books, folder: Path) -> None:
    await settle(books, folder)
    (folder / "sky-air/pending" / REWARDS).unlink()
    done = await asyncio.gather(*(run(books, folder) for _ in range(3)))
    assert sorted(one.recorded.run for one in done) == [1, 2, 3]
    assert len({sole(one).id for one in done}) == 1
    assert await broken(books, folder) == []


async def test_an_operator_reconciles_an_approver_agrees_and_an_auditor_only_reads(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    (folder / "sky-air/pending" / REWARDS).unlink()
    async with (
        login(books, "operator") as operator,
        login(books, "approver") as approver,
        login(books, "auditor") as auditor,
    ):
        terms = Terms("sky-air", read_month("2026-03"), "Rae", APRIL_10, 0, answer_days=5)
        own = settings_of(books, operator, "operator", folder)
        done = await reconciling.reconcile_month(own, terms, to=None)
        found = sole(done)
        await reconciling.resolve_discrepancy(own, found.id, by="Rae", reason="lost", on=APRIL_10)
        with pytest.raises(InvalidInput, match="permission denied"):
            await reconciling.approve_discrepancy(own, found.id, by="Bo", on=APRIL_10)
        agreed = await reconciling.approve_discrepancy(
            settings_of(books, approver, "approver", folder), found.id, by="Bo", on=APRIL_10
        )
        assert agreed.state == "RESOLVED"
        reader = settings_of(books, auditor, "auditor", folder)
        assert await reconciling.list_discrepancies(reader, partner=None, period=None) == [agreed]
        with pytest.raises(InvalidInput, match="permission denied"):
            await reconciling.reconcile_month(reader, terms, to=None)


@pytest.fixture
def invoke(books: Books, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    monkeypatch.setenv("MILEPOST_DATABASE_URL", books.url)
    monkeypatch.setenv("MILEPOST_FILES_DIR", str(folder))
    app = typer.Typer()
    reconcile.register(app)

    async def call(*arguments: str | Path, output: Output = Output.JSON) -> click.testing.Result:
        session = Session(output=output, quiet=False, config=None)
        given = list(map(str, arguments))
        return await asyncio.to_thread(CliRunner().invoke, app, given, obj=session)

    return call


RUN = ("reconcile", "--partner", "sky-air", "--period", "2026-03", "--date", "2026-04-10",
       "--answer-days", "30")  # fmt: skip


def document(result: click.testing.Result) -> Any:
    return json.loads(result.stdout)


async def test_above_the_limit_a_second_person_must_agree(
    books: Books, folder: Path, invoke: Invoke
) -> None:
    await settle(books, folder)
    await sent(books, folder)
    (folder / "sky-air/outgoing" / REWARDS).unlink()
    found = await invoke(*RUN, "--limit", "9", "--by", "Rae")
    assert found.exit_code == 1, found.stderr
    (one,) = document(found)["discrepancies"]
    assert (one["code"], one["amount"], one["second_eyes"]) == ("MISSING_FILE", 10, True)
    said = ("discrepancy", "resolve", one["id"][:10], "--reason", "lost in a move")
    resolved = await invoke(*said, "--by", "Ann", "--date", "2026-04-12")
    assert (document(resolved)["state"], document(resolved)["days"]) == ("PROPOSED", 2)
    assert (await invoke(*RUN)).exit_code == 1
    same = await invoke("discrepancy", "approve", one["id"], "--approver", "ＡＮＮ")
    assert (same.exit_code, "somebody else must approve" in same.stderr) == (2, True)
    with pytest.raises(asyncpg.CheckViolationError, match="four_eyes"):
        await books.connection.execute(
            "INSERT INTO discrepancy_approval SELECT id, nth, who_key, 'ann', '2026-04-12' "
            "FROM discrepancy_resolution"
        )
    approved = await invoke("discrepancy", "approve", one["id"], "--approver", "Bo")
    assert document(approved)["state"] == "RESOLVED"
    again = await invoke(*RUN)
    assert (again.exit_code, len(document(again)["discrepancies"])) == (0, 1)
    assert document(await invoke("discrepancy", "list"))["discrepancies"] == []
    (kept,) = document(await invoke("discrepancy", "list", "--all"))["discrepancies"]
    assert (kept["resolved_by"], kept["approved_by"]) == ("Ann", "Bo")
    assert (await invoke(*said, "--by", "Cy")).exit_code == 2
    actions = await books.connection.fetch(
        "SELECT actor, action FROM audit WHERE action LIKE 'discrepancy%' ORDER BY id"
    )
    assert [tuple(row) for row in actions] == [
        ("Ann", "discrepancy resolve"), ("Bo", "discrepancy approve"),
    ]  # fmt: skip


async def test_below_the_limit_one_person_is_enough(
    books: Books, folder: Path, invoke: Invoke
) -> None:
    await settle(books, folder)
    (folder / "sky-air/pending" / REWARDS).unlink()
    (one,) = document(await invoke(*RUN))["discrepancies"]
    done = await invoke("discrepancy", "resolve", one["id"], "--by", "Ann", "--reason", "lost")
    assert document(done)["state"] == "RESOLVED"
    refused = await invoke("discrepancy", "approve", one["id"], "--approver", "Bo")
    assert (refused.exit_code, "is RESOLVED" in refused.stderr) == (2, True)


async def test_the_control_sheet_is_printed(books: Books, folder: Path, invoke: Invoke) -> None:
    await settle(books, folder)
    shown = await invoke(*RUN, output=Output.TABLE)
    assert shown.exit_code == 0, shown.stderr
    for text in ("opening", "granted", "sealed", "closing", "difference to the ledger"):
        assert text in shown.stdout
    assert "payable 10 SKY-MILE, in clearing 0 SKY-MILE" in shown.stderr
    assert "everything ties" in shown.stderr
    assert document(await invoke(*RUN))["ties"] is True


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--partner", "nobody", "--period", "2026-03"), "'nobody': no contract is signed"),
        (("--partner", "sky-air", "--period", "2026-13"), "'2026-13': is no month"),
        (("--partner", "sky-air", "--period", "2026-03", "--by", " "), "say who reconciles"),
        (("--partner", "sky-air", "--period", "2026-03", "--to", "a.csv"), "must end with .xlsx"),
    ],
)
async def test_what_cannot_be_reconciled_is_refused(
    invoke: Invoke, arguments: tuple[str, ...], told: str
) -> None:
    refused = await invoke("reconcile", *arguments)
    assert (refused.exit_code, told in refused.stderr) == (2, True), refused.stderr
    for nobody in ("x", ""):
        refused = await invoke("discrepancy", "resolve", nobody, "--by", "A", "--reason", "b")
        assert (refused.exit_code, "no such discrepancy" in refused.stderr) == (2, True)


async def test_planted_corruptions_are_found(books: Books, folder: Path, invoke: Invoke) -> None:
    await settle(books, folder)
    path = folder / "sky-air/pending" / REWARDS
    content = path.read_bytes()
    path.unlink()
    gone = sole(await run(books, folder))
    path.write_bytes(content)
    await run(books, folder)
    path.unlink()
    found = sole(await run(books, folder, limit=0))
    for who, command in (("Ann", "resolve"), ("Bo", "approve")):
        more = ("--by", who, "--reason", "lost") if who == "Ann" else ("--approver", who)
        assert (await invoke("discrepancy", command, found.id, *more)).exit_code == 0
    path.write_bytes(content)
    assert await broken(books, folder) == []
    for invariant, statements in CORRUPTIONS.items():
        for statement in statements:
            transaction = books.connection.transaction()
            await transaction.start()
            try:
                await books.connection.execute("SET LOCAL session_replication_role = replica")
                await books.connection.execute(statement.format(id=found.id, gone=gone.id))
                told = await settlement.invariants(books.connection, folder)
                assert invariant in [one.id for one in told if not one.ok], statement
            finally:
                await transaction.rollback()


CORRUPTIONS = {
    "discrepancy-ids": [
        "UPDATE discrepancy SET amount = 1 WHERE id = '{id}'",
        "UPDATE discrepancy SET subject = 'x' WHERE id = '{id}'",
    ],
    "discrepancy-runs": [
        "DELETE FROM discrepancy WHERE id = '{id}'",
        "DELETE FROM discrepancy_closing",
        "INSERT INTO discrepancy_closing VALUES ('{id}', 'sky-air', 3)",
        "DELETE FROM reconciliation_run WHERE nth = 2",
        "UPDATE reconciliation_run SET second_above = 99 WHERE nth = 3",
        "UPDATE discrepancy SET first_seen = '2026-04-11' WHERE id = '{id}'",
    ],
    "discrepancy-eyes": [
        "ALTER TABLE discrepancy_approval DROP CONSTRAINT discrepancy_approval_four_eyes; "
        "UPDATE discrepancy_approval SET approver = 'ann'",
        "DELETE FROM discrepancy_resolution",
        "ALTER TABLE discrepancy_resolution DROP CONSTRAINT discrepancy_resolution_reason_check; "
        "UPDATE discrepancy_resolution SET reason = ' '",
        "UPDATE discrepancy_resolution SET id = 'x'; UPDATE discrepancy_approval SET id = 'x'",
    ],
}
