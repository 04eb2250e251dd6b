"""The page about contracts knows every key, and every example and page that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.accrual.contracts.check import class_of
from services.accrual.contracts.parse import parse
from services.accrual.contracts.schema import contract_schema

HOUSE = Path(__file__).parents[4]
TEXT = (HOUSE / "docs" / "contracts.md").read_text("utf-8")
EXAMPLES = HOUSE / "schemas" / "contracts" / "examples"
SCENARIOS = HOUSE / "tests" / "scenarios"
_TABLE = TEXT.partition("## What the field asks for")[2].splitlines()
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in _TABLE if line[:1] == "|"][2:]


def test_every_key_of_the_language_is_told() -> None:
    schema = contract_schema()
    parts = [schema, *schema["$defs"].values()]
    keys = {key for part in parts for key in part.get("properties", {})}
    told = set(re.findall(r"[a-z_0-9]+", " ".join(re.findall(r"`([^`\n]+)`", TEXT))))
    assert keys - told == set()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_row_of_the_field_has_an_example_and_a_page_or_comes_later(row: list[str]) -> None:
    _, stated, examples, pages = row
    if stated == "later":
        assert (examples, pages) == ("", "")
        return
    for name in _names(pages):
        assert (SCENARIOS / f"{name}.txt").exists(), name
    if examples == "every one":
        return
    classes: set[str] = set()
    for name in _names(examples):
        contract = parse((EXAMPLES / f"{name}.yaml").read_bytes(), file=name).contract
        classes |= {class_of(rule) for rule in contract.rules}
    assert stated == "–" or stated.split(",")[0] in classes


def test_every_example_stands_in_the_table() -> None:
    named = {name for row in ROWS for name in _names(row[2])}
    assert {path.stem for path in EXAMPLES.glob("*.yaml")} - named == set()


def _names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)
