"""`milepost contract check` and `milepost contract schema`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click.testing
import pytest
import typer
from typer.testing import CliRunner

from services.accrual.contracts.schema import contract_schema
from services.cli import contract
from services.cli.session import Output, Session

SCHEMAS = Path(__file__).parents[3] / "schemas" / "contracts"
Run = Callable[..., click.testing.Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("MILEPOST_DATABASE_URL", raising=False)
    app = typer.Typer()
    contract.register(app)

    def invoke(*arguments: str | Path, output: Output = Output.TABLE) -> click.testing.Result:
        session = Session(output=output, quiet=False, config=None)
        return CliRunner().invoke(app, ["contract", *map(str, arguments)], obj=session)

    return invoke


def test_sound_contracts_are_listed_with_the_class_of_each_rule(run: Run) -> None:
    result = run("check", SCHEMAS / "examples", output=Output.CSV)
    assert result.exit_code == 0
    lines = [line.partition("examples/")[2] for line in result.stdout.splitlines()]
    assert "gulf-cashback.yaml,gulf-cashback/1,cash,total,0.0125 KWD per 1 KWD" in lines
    assert "gulf-cashback.yaml,gulf-cashback/1,fuel,pure,0.250 KWD per purchase" in lines
    assert result.stderr == (
        "whether merchants were ever seen was not asked: no database is configured\n"
    )


def test_a_record_that_does_not_answer_is_not_asked(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILEPOST_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    result = run("check", SCHEMAS / "examples" / "fjord-points.yaml")
    assert result.exit_code == 0
    assert result.stderr.startswith(
        "whether merchants were ever seen was not asked: PostgreSQL cannot be reached at "
    )


def test_problems_of_every_file_go_to_stderr_and_the_exit_code_is_2(run: Run) -> None:
    broken = SCHEMAS / "broken"
    result = run("check", broken / "credit.yaml", broken / "list.yaml", "nowhere.yaml")
    assert result.exit_code == 2
    assert [line.rpartition("broken/")[2] for line in result.stderr.splitlines()] == [
        "nowhere.yaml: No such file or directory",
        "credit.yaml:17:21: rules[0].earn.percent: '1': SKY-MILE is no money: use per_unit, "
        "per_block or flat",
        "credit.yaml:28:18: settlement.file.layout: 'statement-credit': SKY-MILE is no money: "
        "use air-miles-rewards",
        "list.yaml:2:1: must hold keys, each with a value",
    ]


def test_a_folder_without_contracts_is_a_problem(run: Run, tmp_path: Path) -> None:
    result = run("check", tmp_path)
    assert result.exit_code == 2
    assert result.stderr == f"{tmp_path}: holds no contract file (*.yaml)\n"


def test_a_warning_refuses_nothing(run: Run, tmp_path: Path) -> None:
    text = (SCHEMAS / "examples" / "sky-visa.yaml").read_text("utf-8")
    path = tmp_path / "c.yaml"
    path.write_text(text.replace("currency: SKY-MILE", "currency: NKO"), encoding="utf-8")
    result = run("check", path)
    assert result.exit_code == 0
    assert result.stderr.startswith(f"warning: {path}:8:11: currency: 'NKO': is no ISO 4217 code")


def test_json_is_one_document_with_every_part_of_a_problem(run: Run) -> None:
    path = SCHEMAS / "broken" / "miles.yaml"
    result = run("check", path, SCHEMAS / "examples" / "oslo-cashback.yaml", output=Output.JSON)
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert document["ok"] is False
    assert document["contracts"] == [
        {
            "file": str(SCHEMAS / "examples" / "oslo-cashback.yaml"),
            "contract": "oslo-cashback",
            "version": 1,
            "rules": [{"id": "cash", "class": "total", "earns": "1.5 % of the spend"}],
        }
    ]
    assert document["problems"][0] == {
        "file": str(path),
        "line": 8,
        "column": 30,
        "field": "term.to",
        "value": "2026-01-01",
        "why": "is before its `from` (2026-12-31)",
    }
    assert document["warnings"] == []
    assert result.stderr == ""


def test_the_schema_is_printed_as_it_is_stored(run: Run) -> None:
    result = run("schema")
    assert json.loads(result.stdout) == contract_schema()
    assert result.stdout == (SCHEMAS / "contract.schema.json").read_text("utf-8")
