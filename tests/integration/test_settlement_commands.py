"""`milepost settle` and `milepost batch`, as people and machines call them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import click.testing
import pytest
import typer
from typer.testing import CliRunner

from services.cli import settle
from services.cli.session import Output, Session
from tests.support.settlement import Books

Run = Callable[..., click.testing.Result]
SETTLE = ("settle", "--partner", "sky-air", "--through", "2026-03-31", "--by", "Ann")
DATED = ("--date", "2026-04-01")


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    await books.contract()
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 125)
    await books.grant("acc-2", "P2", 7)
    yield books
    await books.close()


@pytest.fixture
def run(books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MILEPOST_DATABASE_URL", books.url)
    monkeypatch.setenv("MILEPOST_FILES_DIR", str(tmp_path / "files"))
    app = typer.Typer()
    settle.register(app)

    def invoke(*arguments: str | Path, output: Output = Output.TABLE) -> click.testing.Result:
        session = Session(output=output, quiet=False, config=None)
        return CliRunner().invoke(app, list(map(str, arguments)), obj=session)

    return invoke


def document(result: click.testing.Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_settle_says_what_it_sealed_and_what_is_next(run: Run) -> None:
    settled = run(*SETTLE, *DATED, output=Output.JSON)
    assert settled.exit_code == 0, settled.stderr
    found = document(settled)
    assert list(found) == [
        "batch", "partner", "through", "sequence", "revision", "lines", "totals", "held", "carried",
        "files",
    ]  # fmt: skip
    assert (found["batch"], found["lines"], found["held"]) == ("sky-air-000001", 1, 1)
    assert found["totals"] == {"SKY-MILE": 125}
    assert all(Path(file["path"]).stat().st_size == file["bytes"] for file in found["files"])
    again = run(*SETTLE, output=Output.JSON)
    assert (again.exit_code, document(again)["batch"]) == (0, None)
    assert "no batch (members held: 1, carried: 0)" in run(*SETTLE).stderr


def test_show_prints_miles_by_kind_price_amount_due_and_who_is_held(run: Run) -> None:
    run(*SETTLE, *DATED)
    shown = run("batch", "show", "sky-air-000001")
    for text in ("base", "125", "0.09", "11.25", "acc-2", "no membership number"):
        assert text in shown.stdout
    found = document(run("batch", "show", "sky-air-000001", output=Output.JSON))
    assert found["kinds"] == [
        {"unit": "SKY-MILE", "award": "base", "amount": 125, "price": "0.09", "currency": "NOK",
         "amount_due": 1125}
    ]  # fmt: skip
    assert found["amount_due"] == {"NOK": 1125}


def test_a_line_opens_down_to_its_source_event(run: Run) -> None:
    run(*SETTLE, *DATED)
    opened = document(run("batch", "show", "sky-air-000001", "--line", "1", output=Output.JSON))
    (transfer,) = opened["transfers"]
    assert transfer["event"]["event_id"] == "P1.1"
    assert transfer["event"]["kind"] == "PRESENTMENT"
    assert "P1.1" in run("batch", "show", "sky-air-000001", "--line", "1").stdout
    missing = run("batch", "show", "sky-air-000001", "--line", "9")
    assert (missing.exit_code, "has no such line" in missing.stderr) == (2, True)


def test_a_second_person_approves_and_the_first_one_cannot(run: Run, tmp_path: Path) -> None:
    run(*SETTLE, *DATED)
    refused = run("batch", "approve", "sky-air-000001", "--approver", "ANN", *DATED)
    assert refused.exit_code == 2
    assert "'ANN': sky-air-000001 was sealed by 'Ann', the same person" in refused.stderr
    approved = run("batch", "approve", "sky-air-000001", "--approver", "Bo", *DATED)
    assert (approved.exit_code, "approved by Bo on 2026-04-01" in approved.stderr) == (0, True)
    again = run("batch", "approve", "sky-air-000001", "--approver", "Bo")
    assert (again.exit_code, "was already approved" in again.stderr) == (0, True)
    assert run("batch", "approve", "sky-air-000001", "--approver", "Cy").exit_code == 2
    (listed,) = document(run("batch", "list", output=Output.JSON))["batches"]
    assert (listed["state"], listed["approved_by"]) == ("APPROVED", "Bo")


def test_reproduce_gives_the_same_bytes_or_fails(run: Run, tmp_path: Path) -> None:
    run(*SETTLE, *DATED)
    assert run("batch", "reproduce", "sky-air-000001").exit_code == 0
    file = tmp_path / "files/sky-air/pending/sky-air-gl-journal-000001.csv"
    file.write_bytes(file.read_bytes() + b"x")
    changed = run("batch", "reproduce", "sky-air-000001")
    assert (changed.exit_code, "other bytes" in changed.stderr) == (4, True)
    assert run("batch", "reproduce", "sky-air-000002").exit_code == 2


def test_check_reads_a_file_and_lists_what_is_wrong(run: Run, tmp_path: Path) -> None:
    run(*SETTLE, *DATED)
    pending = tmp_path / "files/sky-air/pending"
    for path in pending.iterdir():
        sound = run("batch", "check", path)
        assert (sound.exit_code, "sound" in sound.stderr) == (0, True)
    cut = tmp_path / "cut.txt"
    content = (pending / "sky-air-air-miles-rewards-000001.txt").read_bytes()
    cut.write_bytes(content[:300])
    found = run("batch", "check", cut, output=Output.JSON)
    assert found.exit_code == 1
    assert document(found)["problems"][0]["line"] == 2
    assert run("batch", "check", tmp_path / "nowhere").exit_code == 2
