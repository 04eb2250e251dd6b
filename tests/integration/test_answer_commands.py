"""What comes back, as people call it: acknowledge, payout accept, settle --cycle."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import click.testing
import pytest
import typer
from typer.testing import CliRunner

from services.cli.session import Output, Session
from services.runtime.settings import load_settings
from services.settlement import bootstrap as settlement
from tests.support.bank import APRIL_3, import_payouts, trusted
from tests.support.batches import ACH_PAYOUTS
from tests.support.settlement import Books, cash_terms

Run = Callable[..., click.testing.Result]
TERMS = cash_terms("USD", adjustments="carry", file={"layout": "nacha-ppd"})
ROLLING = {**TERMS, "holidays": {"roll": "following", "days": ["2026-03-31", "2026-04-02"]}}


@pytest.fixture
async def books(database_url: str, tmp_path: Path) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    await books.contract("cash", partner="first-bank", terms=ROLLING)
    await books.grant("acc-1", "P1", 1250, contract="cash", rule="cash", unit="USD")
    settings = trusted(books, tmp_path / "files")
    await import_payouts(settings, tmp_path / "files", "first-bank", ACH_PAYOUTS)
    yield books
    await books.close()


@pytest.fixture
def run(books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    keys = tmp_path / "payout-keys"
    monkeypatch.setenv("MILEPOST_DATABASE_URL", books.url)
    monkeypatch.setenv("MILEPOST_FILES_DIR", str(tmp_path / "files"))
    monkeypatch.setenv("MILEPOST_PAYOUT_KEY_FILE", str(keys / "quarantine.pub"))
    monkeypatch.setenv("MILEPOST_PAYOUT_IDENTITY_FILE", str(keys / "quarantine.key"))
    app = typer.Typer()
    for group in ("settle", "partner", "payout"):
        import_module(f"services.cli.{group}").register(app)

    def invoke(*arguments: str | Path) -> click.testing.Result:
        session = Session(output=Output.JSON, quiet=False, config=None)
        return CliRunner().invoke(app, list(map(str, arguments)), obj=session)

    return invoke


def document(result: click.testing.Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_change_comes_in_is_listed_is_accepted_and_is_gone(run: Run, tmp_path: Path) -> None:
    settle = ("settle", "--partner", "first-bank", "--by", "Ann", "--date", "2026-04-01")
    assert run(*settle).exit_code == 2
    sealed = document(run(*settle, "--cycle", "2026-03"))
    assert (sealed["batch"], sealed["through"]) == ("first-bank-000001", "2026-04-01")
    (path,) = [file["path"] for file in sealed["files"] if file["path"].endswith(".ach")]
    sent = Path(path).read_text().split("\n")
    assert sent[1][69:75] == "260403", "2 April is a holiday"
    document(run("batch", "approve", sealed["batch"], "--approver", "Bo"))
    document(run("batch", "deliver", sealed["batch"], "--by", "Dee", "--date", "2026-04-03"))

    entry = sent[2].replace("622", "621", 1)[:78] + "1" + sent[2][79:]
    change = f"798C01{sent[2][79:94]}      09100001{'111222333':29}{'':15}091000010000001"
    control = sent[3][:4] + "000002" + sent[3][10:]
    total = sent[4][:13] + "00000002" + sent[4][21:]
    answer = tmp_path / "change.ach"
    answer.write_text("\n".join([*sent[:2], entry, change, control, total, *["9" * 94] * 4, ""]))
    acknowledge = ("acknowledge", answer, "--partner", "first-bank", "--by", "Dee")
    said = document(run(*acknowledge))
    assert (said["outcomes"], said["fresh"], said["changes"]) == ({"WARNED": 1}, 1, 1)
    assert said["batches"] == ["first-bank-000001"]

    settings = load_settings(os.environ)
    (item,) = asyncio.run(settlement.list_waiting(settings, today=APRIL_3))
    assert (item.what, item.about) == ("account-change", "first-bank-000001/1")
    assert run("payout", "accept", "nonsense", "--by", "Bo").exit_code == 2
    accepted = document(run("payout", "accept", "first-bank-000001/1", "--by", "Bo"))
    assert accepted["account_id"] == "acc-1"
    assert asyncio.run(settlement.list_waiting(settings, today=APRIL_3)) == []
    refused = run("payout", "accept", "first-bank-000001/1", "--by", "Bo")
    assert refused.exit_code == 2
    assert "no change waits there" in refused.stderr
    answer.write_text("PK")
    wrong = run(*acknowledge)
    assert wrong.exit_code == 2
    assert "change.ach:1: is no answer of a layout that we read" in wrong.stderr
