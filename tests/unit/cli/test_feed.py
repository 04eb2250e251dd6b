"""`milepost feed list|check`: what they print and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from services.cli import feed
from services.cli.session import Output, Session
from tests.support.feeds import line

EXAMPLE = Path(__file__).parents[3] / "schemas/feeds/examples/feeds.yaml"
PAN = "4111111111111111"
Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MILEPOST_FEEDS_FILE", str(EXAMPLE))
    app = typer.Typer()
    feed.register(app)

    def invoke(*arguments: str | Path, output: Output = Output.TABLE) -> Result:
        session = Session(output=output, quiet=False, config=None)
        return CliRunner().invoke(app, ["feed", *map(str, arguments)], obj=session)

    return invoke


def test_the_feeds_are_listed(run: Run) -> None:
    result = run("list", output=Output.CSV)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:2] == [
        "name,issuer,role,topic,format,numeric_ids,exact_keys",
        'first-bank,first-bank,books,card-feed.first-bank,milepost-json,"arn, scheme_reference",',
    ]
    found = json.loads(run("list", output=Output.JSON).stdout)["feeds"]
    assert [entry["format"] for entry in found] == [
        "milepost-json", "lithic-events", "milepost-avro",
    ]  # fmt: skip


def test_a_good_file_is_checked_with_exit_0(run: Run, tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(line() + b"\n" + line(event_id="e2"))
    result = run("check", tmp_path / "lines", "--feed", "first-bank", output=Output.JSON)
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"records": 2, "valid": 2, "problems": []}


@pytest.mark.parametrize("output", Output)
def test_bad_lines_are_listed_with_exit_1_and_without_their_values(
    run: Run, tmp_path: Path, output: Output
) -> None:
    lines = [line(), line(merchant_name=PAN), line(**{PAN: 1}), line(mcc="xyzzy")]
    (tmp_path / "lines").write_bytes(b"\n".join(lines))
    result = run("check", tmp_path / "lines", "--feed", "first-bank", output=output)
    assert result.exit_code == 1
    assert PAN not in result.stdout + result.stderr
    assert "xyzzy" not in result.stdout + result.stderr
    if output is Output.JSON:
        document = json.loads(result.stdout)
        assert (document["records"], document["valid"]) == (4, 1)
        assert document["problems"][2] == {
            "line": 4, "reason": "BAD_VALUE", "field": "mcc", "message": "must be four digits",
        }  # fmt: skip
        assert [problem["reason"] for problem in document["problems"]] == [
            "CARD_NUMBER", "UNKNOWN_FIELD", "BAD_VALUE",
        ]  # fmt: skip
    else:
        assert "CARD_NUMBER" in result.stdout
        assert "4 records checked: 1 valid (1 events), 3 bad" in result.stderr


def test_a_wrong_feeds_file_ends_with_every_problem_and_exit_2(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "feeds.yaml"
    broken.write_text("feeds:\n  - name: a b\n    issuer: x\n    role: y\n")
    monkeypatch.setenv("MILEPOST_FEEDS_FILE", str(broken))
    result = run("list")
    assert result.exit_code == 2
    assert f"{broken}:2: name: 'a b': must be" in result.stderr
    assert f"{broken}:4: role: 'y': must be one of books, compare" in result.stderr
    assert f"{broken}:2: topic: is missing" in result.stderr


def test_an_unknown_feed_or_file_ends_with_exit_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(line())
    unknown = run("check", tmp_path / "lines", "--feed", "x")
    assert unknown.exit_code == 2
    assert "none of the feeds: first-bank, fjord-cards, first-bank-network" in unknown.stderr
    missing = run("check", tmp_path / "missing", "--feed", "first-bank")
    assert missing.exit_code == 2
    assert "No such file" in missing.stderr
