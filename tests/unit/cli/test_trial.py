"""`milepost contract try` on a file of events."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import click.testing
import pytest
import typer
from typer.testing import CliRunner

from services.cli import contract
from services.cli.session import INVALID, Output, Session
from tests.support.feeds import line

SKY_VISA = Path(__file__).parents[3] / "schemas" / "contracts" / "examples" / "sky-visa.yaml"
MARCH = "--from", "2026-03-01", "--to", "2026-03-31"
Run = Callable[..., click.testing.Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("MILEPOST_DATABASE_URL", raising=False)
    app = typer.Typer()
    contract.register(app)

    def invoke(*arguments: str | Path, output: Output = Output.TABLE) -> click.testing.Result:
        session = Session(output=output, quiet=False, config=None)
        return CliRunner().invoke(app, ["contract", "try", *map(str, arguments)], obj=session)

    return invoke


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    path = tmp_path / "draft.yaml"
    text = SKY_VISA.read_text("utf-8").replace('units: "3"', 'units: "2"')
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """20 miles at the table (2 per 10 kroner instead of 3), 5 elsewhere; one line comes twice."""
    dinner = line(event_id="P1", mcc="5812", billing_amount=10_000, card_product="SKY-GOLD")
    rest = line(event_id="P2", mcc="5411", billing_amount=5_000, card_product="SKY-GOLD")
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join([dinner, rest, dinner, b""]))
    return path


def test_every_sum_is_a_row_of_the_csv(run: Run, draft: Path, events: Path) -> None:
    arguments = draft, *MARCH, "--events", events, "--against", SKY_VISA
    result = run(*arguments, output=Output.CSV)
    assert result.exit_code == 0, result.stderr
    rows = list(csv.reader(io.StringIO(result.stdout)))
    assert rows[0] == ["what", "name", "old", "new", "difference", "unit"]
    assert rows[1:7] == [
        ["total", "", "35", "25", "-10", "SKY-MILE"],
        ["rule", "base", "5", "5", "0", "SKY-MILE"],
        ["rule", "dining", "30", "20", "-10", "SKY-MILE"],
        ["partner", "sky-air", "35", "25", "-10", "SKY-MILE"],
        ["funder", "first-bank", "35", "25", "-10", "SKY-MILE"],
        ["cost", "rewards base", "0.45", "0.45", "0.00", "NOK"],
    ]
    assert rows[7] == ["cost", "rewards bonus", "2.10", "1.40", "-0.70", "NOK"]


def test_the_tables_name_the_purchase(run: Run, draft: Path, events: Path) -> None:
    result = run(draft, *MARCH, "--events", events, "--against", SKY_VISA)
    assert result.exit_code == 0, result.stderr
    assert "1 accounts, 2 events, 2 purchases with a reward: 0 get more, 1 less, 1 the same" in (
        result.stdout
    )
    assert "first-bank/P1" in result.stdout
    assert "dining 30 → 20" in result.stdout
    assert "nothing was changed" in result.stdout


def test_without_anything_to_stand_beside_all_is_new(run: Run, draft: Path, events: Path) -> None:
    result = run(draft, *MARCH, "--events", events, output=Output.JSON)
    assert json.loads(result.stdout)["total"] == {"old": 0, "new": 25, "difference": 25}
    assert result.stderr.splitlines()[0] == (
        "no database is configured and no --against: beside it stands nothing"
    )


def test_what_was_activated_is_tried_where_a_file_tells_it(
    run: Run, tmp_path: Path, events: Path
) -> None:
    path = tmp_path / "fuel.yaml"
    when = 'when: {mcc: ["5812-5814"], activated: {code: Q1, counts: from_activation}}'
    text = SKY_VISA.read_text("utf-8").replace('when: {mcc: ["5812-5814"]}', when)
    path.write_text(text, "utf-8")
    told = tmp_path / "activations.csv"
    told.write_text("account_id,code,activated_on\na1,Q1,2026-03-01\n", "utf-8")
    arguments = path, *MARCH, "--events", events
    without = json.loads(run(*arguments, output=Output.JSON).stdout)
    having = json.loads(run(*arguments, "--activations", told, output=Output.JSON).stdout)
    assert [found["total"]["new"] for found in (without, having)] == [15, 35]


def test_a_version_of_another_contract_does_not_stand_beside_the_draft(
    run: Run, draft: Path, events: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(SKY_VISA.read_text("utf-8").replace("contract: sky-visa", "contract: moon"))
    result = run(draft, *MARCH, "--events", events, "--against", other)
    assert result.exit_code == INVALID
    assert "'moon': is another contract: only versions of sky-visa stand beside it" in (
        result.stderr
    )


def test_every_bad_line_of_the_events_is_told(run: Run, draft: Path, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"{\n" + line(issuer_id="other-bank") + b"\n")
    result = run(draft, *MARCH, "--events", path)
    assert result.exit_code == INVALID
    assert [found.partition(str(path))[2][:12] for found in result.stderr.splitlines()[-2:]] == [
        ":1: NOT_JSON", ":2: issuer_id"[:12],
    ]  # fmt: skip


def test_what_goes_with_events_only_is_refused_without_them(run: Run, draft: Path) -> None:
    result = run(draft, *MARCH, "--against", SKY_VISA, "--activations", "a.csv")
    assert result.exit_code == INVALID
    assert [found[:30] for found in result.stderr.splitlines()] == [
        "--against: goes with --events:", "--activations: goes with --eve",
    ]  # fmt: skip
