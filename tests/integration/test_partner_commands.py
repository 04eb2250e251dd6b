"""Withdraw, deliver, acknowledge, pay, `period` and `audit`, as people call them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import click.testing
import pytest
import typer
from typer.testing import CliRunner

from services.cli import audit, partner, period, settle
from services.cli.session import Output, Session
from tests.support.partner import Verdict, answered
from tests.support.settlement import Books

Run = Callable[..., click.testing.Result]
BATCH = "sky-air-000001"
DATED = ("--date", "2026-04-03")


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    await books.contract()
    await books.member("acc-1", "11111")
    await books.member("acc-2", "22222")
    await books.grant("acc-1", "P1", 125)
    await books.grant("acc-2", "P2", 7)
    yield books
    await books.close()


@pytest.fixture
def run(books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MILEPOST_DATABASE_URL", books.url)
    monkeypatch.setenv("MILEPOST_FILES_DIR", str(tmp_path / "files"))
    app = typer.Typer()
    for group in (settle, partner, period, audit):
        group.register(app)

    def invoke(*arguments: str | Path, output: Output = Output.TABLE) -> click.testing.Result:
        session = Session(output=output, quiet=False, config=None)
        return CliRunner().invoke(app, list(map(str, arguments)), obj=session)

    return invoke


def document(result: click.testing.Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def seal(run: Run) -> None:
    run("settle", "--partner", "sky-air", "--through", "2026-03-31", "--by", "Ann", *DATED)


def test_a_batch_goes_out_and_its_answer_comes_home(run: Run, tmp_path: Path) -> None:
    seal(run)
    deliver = ("batch", "deliver", BATCH, "--by", "Dee", *DATED)
    early = run(*deliver)
    assert (early.exit_code, "is SEALED" in early.stderr) == (2, True)
    run("batch", "approve", BATCH, "--approver", "Bo", *DATED)
    sent = document(run(*deliver, "--to", tmp_path / "airline", output=Output.JSON))
    assert (sent["state"], sent["rerun"], len(sent["files"])) == ("SENT", 0, 4)
    assert "say --resend" in run(*deliver, "--to", tmp_path / "airline").stderr
    again = run(*deliver, "--to", tmp_path / "airline", "--resend")
    assert "rerun 1" in again.stderr
    (file,) = (tmp_path / "airline").glob("*.txt")
    answer = tmp_path / "answer.txt"
    answer.write_bytes(answered(file.read_bytes(), {2: Verdict("E", flags="Y")}))
    told = ("acknowledge", answer, "--partner", "sky-air", "--by", "Dee", *DATED)
    found = document(run(*told, output=Output.JSON))
    assert (found["state"], found["fresh"]) == ("ANSWERED", 2)
    assert found["outcomes"] == {"ACCEPTED": 1, "REJECTED": 1}
    assert "lines told something new: 0" in run(*told).stderr
    answer.write_bytes(answer.read_bytes()[:300])
    cut = run(*told)
    assert (cut.exit_code, "answer.txt:2: the file ends inside a record" in cut.stderr) == (2, True)
    pay = ("batch", "pay", BATCH, "--by", "Dee", "--reference", "R1", *DATED)
    assert document(run(*pay, output=Output.JSON))["paid"] == 1
    assert "lines paid by R1: 0" in run(*pay).stderr


def test_a_batch_is_withdrawn_with_a_reason_and_listed_as_withdrawn(run: Run) -> None:
    seal(run)
    withdraw = ("batch", "withdraw", BATCH, "--by", "Cy", *DATED)
    assert run(*withdraw).exit_code == 2
    silent = run(*withdraw, "--reason", " ")
    assert (silent.exit_code, "say why" in silent.stderr) == (2, True)
    found = document(run(*withdraw, "--reason", "wrong month", output=Output.JSON))
    assert (found["state"], found["fresh"]) == ("WITHDRAWN", True)
    assert "was already withdrawn" in run(*withdraw, "--reason", "wrong month").stderr
    (listed,) = document(run("batch", "list", output=Output.JSON))["batches"]
    assert listed["state"] == "WITHDRAWN"


def test_a_period_is_closed_and_listed(run: Run) -> None:
    seal(run)
    close = ("period", "close", "2026-03", "--by", "Fay")
    early = run(*close, "--date", "2026-03-31")
    assert (early.exit_code, "'2026-03': is not over" in early.stderr) == (2, True)
    closed = document(run(*close, *DATED, output=Output.JSON))
    assert (closed["opens_on"], closed["fresh"]) == ("2026-04-01", True)
    assert {"unit": "SKY-MILE", "account": "member/*", "debit": 132, "credit": 132} in (
        closed["accounts"]
    )
    assert "first open day is 2026-04-01" in run(*close, *DATED).stderr
    (listed,) = document(run("period", "list", output=Output.JSON))["periods"]
    assert (listed["period"], listed["who"]) == ("2026-03", "Fay")
    assert "2026-03" in run("period", "list").stdout


def test_the_audit_is_listed_by_person_and_by_subject(run: Run) -> None:
    seal(run)
    run("batch", "approve", BATCH, "--approver", "Bo", *DATED)
    (found,) = document(run("audit", "list", "--actor", "Bo", output=Output.JSON))["actions"]
    assert (found["action"], found["subject"]) == ("batch approved", BATCH)
    assert found["recorded_on"] == "2026-04-03"
    assert "batch sealed" in run("audit", "list", "--subject", BATCH).stdout
