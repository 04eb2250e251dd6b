"""A partner merged a member's number into another one: `member show` tells it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from services.cli import member
from services.cli.session import Output, Session
from tests.support.partner import Verdict, acknowledge, answered, sent
from tests.support.settlement import APRIL_END, Books, lines, settle

FIRST, SECOND = "sky-air-000001", "sky-air-000002"


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    await books.contract()
    for nth in (1, 2):
        await books.member(f"acc-{nth}", str(nth) * 5)
        await books.grant(f"acc-{nth}", f"P{nth}", 10 * nth)
    yield books
    await books.close()


async def show(books: Books, identifier: str, output: Output = Output.JSON) -> str:
    app = typer.Typer()
    member.register(app)
    session = Session(output=output, quiet=False, config=None)
    told = await asyncio.to_thread(
        CliRunner(env={"MILEPOST_DATABASE_URL": books.url, "COLUMNS": "200"}).invoke,
        app, ["member", "show", identifier], obj=session,
    )  # fmt: skip
    assert told.exit_code == 0, told.stderr
    return told.stdout


async def test_a_merge_is_shown_with_its_day_and_the_line_that_told_of_it(
    books: Books, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    assert json.loads(await show(books, "acc-2"))["merges"] == []
    await settle(books, folder)
    await acknowledge(books, folder, answered(await sent(books, folder), {2: Verdict("M", "777")}))
    await books.grant("acc-2", "P3", 5)
    await settle(books, folder, through=APRIL_END)
    assert [line[1] for line in await lines(books, SECOND)] == ["777"]
    content = await sent(books, folder, SECOND)
    await acknowledge(books, folder, answered(content, {1: Verdict("M", "888")}))

    shown = json.loads(await show(books, "acc-2"))
    assert [row["membership_number"] for row in shown["rows"]] == ["22222"]
    assert [
        (one["number_from"], one["membership_number"], one["since"], one["batch"], one["line"])
        for one in shown["merges"]
    ] == [
        ("22222", "777", "2026-04-05", FIRST, 2), ("777", "888", "2026-04-05", SECOND, 1),
    ]  # fmt: skip
    assert json.loads(await show(books, "acc-1"))["merges"] == []
    table = await show(books, "acc-2", Output.TABLE)
    for text in ("merged by the partner", "since", "777", "888", SECOND):
        assert text in table
