"""`milepost contract explain` and `milepost contract diff`: what they print and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click.testing
import pytest
import typer
from typer.testing import CliRunner

from services.cli import contract
from services.cli.session import INVALID, Output, Session

EXAMPLES = Path(__file__).parents[3] / "schemas" / "contracts" / "examples"
SKY_VISA, AMENDED = EXAMPLES / "sky-visa.yaml", EXAMPLES / "sky-visa-amended.yaml"
Run = Callable[..., click.testing.Result]


@pytest.fixture
def run() -> Run:
    app = typer.Typer()
    contract.register(app)

    def invoke(*arguments: str | Path, output: Output = Output.TABLE) -> click.testing.Result:
        session = Session(output=output, quiet=False, config=None)
        return CliRunner().invoke(app, ["contract", *map(str, arguments)], obj=session)

    return invoke


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """The example's next version, that earns less in restaurants."""
    text = SKY_VISA.read_text("utf-8")
    for old, new in (("version: 3 ", "version: 4 "), ("from: 2026-01-01", "from: 2026-04-01"),
                     ('units: "3"', 'units: "2"')):  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "changed.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_contract_is_told_in_sections(run: Run) -> None:
    result = run("explain", SKY_VISA)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[:3] == ["sky-visa, version 3", "", "Parties and term"]
    at = lines.index("Rule dining")
    assert lines[at + 1 : at + 3] == [
        "  From 1 January 2026 to 31 December 2026 members of sky-rewards earn 3 SKY-MILE for",
        "    each whole 10.00 NOK on purchases at merchants with category 5812 to 5814, rounded",
    ]


def test_as_json_every_sentence_is_whole(run: Run) -> None:
    found = json.loads(run("explain", SKY_VISA, output=Output.JSON).stdout)
    assert (found["contract"], found["version"], found["language"]) == ("sky-visa", 3, "en")
    assert "A day ends at midnight." in found["sections"][0]["sentences"]


def test_one_change_is_one_sentence_and_exit_1(run: Run, changed: Path) -> None:
    result = run("diff", SKY_VISA, changed)
    assert result.exit_code == 1
    assert result.stdout == (
        "sky-visa, version 3 → sky-visa, version 4\n"
        "dining earns 2 instead of 3 SKY-MILE for each whole 10.00 NOK from 1 April 2026 on;\n"
        "  nothing else changes.\n"
    )  # fmt: skip


def test_several_changes_are_listed_under_their_day(run: Run) -> None:
    result = run("diff", SKY_VISA, AMENDED)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[1] == "From 15 March 2026 on:"
    assert "  - base earns at most 60 instead of 50 SKY-MILE a calendar month and account" in lines
    assert lines[-1] == "Nothing else changes."


def test_equal_contracts_exit_0(run: Run) -> None:
    result = run("diff", SKY_VISA, SKY_VISA)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "Nothing changes."


def test_differences_as_json(run: Run, changed: Path) -> None:
    result = run("diff", SKY_VISA, changed, output=Output.JSON)
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "equal": False,
        "old": {"contract": "sky-visa", "version": 3},
        "new": {"contract": "sky-visa", "version": 4},
        "from": "2026-04-01",
        "changes": [
            {
                "what": "changed", "rule": "dining", "aspect": "earn",
                "old": "3 SKY-MILE for each whole 10.00 NOK",
                "new": "2 SKY-MILE for each whole 10.00 NOK",
                "text": "dining earns 2 instead of 3 SKY-MILE for each whole 10.00 NOK",
            }
        ],
    }  # fmt: skip


def test_what_is_neither_file_nor_id_is_refused(run: Run) -> None:
    result = run("diff", SKY_VISA, "nowhere.yaml")
    assert result.exit_code == INVALID
    assert (
        result.stderr == "nowhere.yaml: is neither a contract file nor an ID such as sky-visa/3\n"
    )


def test_a_contract_with_problems_is_not_told(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("contract: [", "utf-8")
    result = run("explain", path)
    assert result.exit_code == INVALID
    assert result.stderr.startswith(f"{path}:2:1: is not YAML")


def test_a_language_without_a_catalogue_is_refused(run: Run) -> None:
    result = run("explain", SKY_VISA, "--language", "xx")
    assert result.exit_code == INVALID
    assert result.stderr == "--language: 'xx': there is no catalogue for it; there is: en\n"
