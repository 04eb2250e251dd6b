"""`milepost contract try`, `check`, `explain` and `diff` beside a record; not a row changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import click.testing
import pytest
import typer
from typer.testing import CliRunner

from services.cli import contract as command
from services.cli.session import INVALID, Output, Session
from tests.support import ledger, servers
from tests.support.trials import agreement, filled

Run = Callable[..., click.testing.Result]


async def checksums(url: str) -> dict[str, str]:
    """Every table of the database, row by row."""
    connection = await asyncpg.connect(url)
    try:
        names = await connection.fetch(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' "
            "AND table_type = 'BASE TABLE' ORDER BY 1"
        )
        return {
            name: await connection.fetchval(
                f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {name} t"
            )
            for (name,) in names
        }
    finally:
        await connection.close()


@pytest.fixture
def run(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MILEPOST_DATABASE_URL", migrated_url)
    app = typer.Typer()
    command.register(app)

    def invoke(*arguments: str | Path, output: Output = Output.TABLE) -> click.testing.Result:
        session = Session(output=output, quiet=True, config=None)
        return CliRunner().invoke(app, ["contract", *map(str, arguments)], obj=session)

    return invoke


@pytest.fixture
def filled_url(migrated_url: str) -> Iterator[str]:
    async def fill() -> None:
        async with ledger.opened(migrated_url) as book:
            await filled(book)

    servers.in_a_thread(fill())
    yield migrated_url


def test_the_command_changes_no_row(filled_url: str, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "draft.yaml"
    path.write_text(agreement(2, dining="2", limit="60", first="2027-01-01"), "utf-8")
    before = servers.in_a_thread(checksums(filled_url))
    window = "--from", "2026-02-01", "--to", "2026-04-30"
    result = run("try", path, *window, output=Output.JSON)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert servers.in_a_thread(checksums(filled_url)) == before
    assert (found["contract"], found["version"], found["beside"]) == ("sky-visa", 2, ["sky-visa/1"])
    assert found["tried_as_if"] == {"from": "2026-02-01", "to": "2029-12-31"}
    assert found["total"]["difference"] == sum(one["difference"] for one in found["rules"]) != 0
    assert len(found["biggest"]) == 10
    assert {one["what"]: one["currency"] for one in found["cost"]} == {
        "rewards": "NOK", "fees": "NOK",
    }  # fmt: skip
    table = run("try", path, *window)
    assert table.exit_code == 0, table.stderr
    assert "sky-visa/2 (draft) beside sky-visa/1, 2026-02-01 to 2026-04-30, on the record" in (
        table.stdout
    )
    assert "it was tried as if it ran from 2026-02-01 to 2029-12-31" in table.stdout


def test_a_window_that_ends_before_it_begins_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "draft.yaml"
    path.write_text(agreement(1, dining="2", limit="60"), "utf-8")
    result = run("try", path, "--from", "2026-03-02", "--to", "2026-03-01")
    assert result.exit_code == INVALID
    assert result.stderr == "--to: '2026-03-01': is before --from (2026-03-02)\n"


def test_merchants_never_seen_on_record_are_doubted(
    filled_url: str, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "c.yaml"
    text = agreement(1, dining="2", limit="60").replace("- M2", "- M2\n    - M-NEVER")
    path.write_text(text, "utf-8")
    result = run("check", path, output=Output.JSON)
    found = json.loads(result.stdout)
    assert [(one["field"], one["why"]) for one in found["warnings"]] == [
        ("rules[1].when.merchant[2]", "no such merchant was ever seen on record of first-bank")
    ]
    assert found["not_asked"] is None


def test_a_recorded_version_is_explained_and_compared_by_its_id(
    filled_url: str, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "draft.yaml"
    path.write_text(agreement(2, dining="2", limit="50", first="2027-01-01"), "utf-8")
    told = run("explain", "sky-visa/1")
    assert told.exit_code == 0, told.stderr
    assert told.stdout.startswith("sky-visa, version 1\n")
    result = run("diff", "sky-visa/1", path)
    assert result.exit_code == 1
    assert "dining earns 2 instead of 3 SKY-MILE for each whole 10.00 NOK" in result.stdout
    assert run("explain", "sky-visa/9").exit_code == INVALID
