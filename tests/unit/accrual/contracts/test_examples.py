"""The examples that ship with milepost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.accrual.contracts.check import check, class_of
from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.parse import parse
from services.accrual.contracts.running import chains_of
from services.accrual.contracts.schema import contract_schema
from services.accrual.contracts.settlement import settlement_terms
from services.accrual.contracts.terms import After, Kind, Refunds, Scope
from services.kernel.calendar import Per

EXAMPLES = Path(__file__).parents[4] / "schemas" / "contracts" / "examples"
FILES = sorted(EXAMPLES.glob("*.yaml"))


def test_all_examples_together_have_no_problem_and_no_warning() -> None:
    report = check((path.name, path.read_bytes()) for path in FILES)
    assert len(report.signed) == len(FILES) >= 6
    assert report.problems == ()
    assert report.warnings == ()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_compiles_and_names_its_schema(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../contract.schema.json\n")
    contract = parse(text, file=path.name).contract
    terms = compile_terms(contract)
    assert sum(terms.funding.shares) == 1
    assert [rule.id for rule in terms.rules] == [rule.id for rule in contract.rules]


def test_the_examples_show_every_form_of_earning_and_period() -> None:
    contracts = [parse(path.read_text("utf-8"), file=path.name).contract for path in FILES]
    rules = [rule for contract in contracts for rule in contract.rules]
    assert {type(rule.earn).__name__ for rule in rules} == {
        "PercentEarn", "PerUnitEarn", "PerBlockEarn", "FlatEarn", "NoneType",
    }  # fmt: skip
    totals = [
        total for contract in contracts for chain in chains_of(contract).values() for total in chain
    ]
    assert {total.per for total in totals} == set(Per)
    assert {total.kind for total in totals} == set(Kind)
    assert {total.scope for total in totals} == set(Scope)
    assert {contract.refunds.policy for contract in contracts} == set(Refunds)
    assert {contract.release.after for contract in contracts} == set(After)
    assert {contract.currency for contract in contracts} >= {"NOK", "JPY", "KWD", "SKY-MILE"}


def test_the_examples_use_every_key_of_the_language() -> None:
    used = {
        key
        for path in FILES
        for key in _keys(yaml.load(path.read_text("utf-8"), Loader=yaml.CBaseLoader))
    }
    schema = contract_schema()
    known = {key for part in (schema, *schema["$defs"].values()) for key in _named(part)}
    assert known - used == {"format"}, "left out where it is 1"


def _keys(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        yield from content
    for below in content.values() if isinstance(content, dict) else content:
        if isinstance(below, dict | list):
            yield from _keys(below)


def _named(part: dict[str, Any]) -> Iterator[str]:
    yield from part.get("properties", {})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_states_the_class_of_its_rules(path: Path) -> None:
    text = path.read_text("utf-8")
    stated = re.search(r"^# Class: (pure|total|pure and total)\. [A-Z0-9]", text, re.MULTILINE)
    assert stated is not None
    classes = {class_of(rule) for rule in parse(text, file=path.name).contract.rules}
    assert stated.group(1) == " and ".join(sorted(classes))


def test_a_rule_without_a_cap_is_pure_and_one_with_a_cap_is_total() -> None:
    contract = parse((EXAMPLES / "gulf-cashback.yaml").read_bytes(), file="gulf.yaml").contract
    assert [(rule.id, class_of(rule)) for rule in contract.rules] == [
        ("cash", "total"),
        ("fuel", "pure"),
    ]


def test_what_settlement_needs_of_a_mile_contract() -> None:
    contract = parse((EXAMPLES / "sky-visa.yaml").read_bytes(), file="sky.yaml").contract
    assert settlement_terms(contract) == {
        "unit": "SKY-MILE",
        "spend_currency": "NOK",
        "cycle": "monthly",
        "adjustments": "send",
        "price": {"currency": "NOK", "base": "0.09", "bonus": "0.07"},
        "file": {
            "layout": "air-miles-rewards",
            "provider_code": "SKYA",
            "offer_codes": {"base": "B001", "dining": "D001"},
        },
        "awards": {"base": "base", "dining": "bonus"},
        "partner": "sky-air",
        "program": "sky-rewards",
        "issuer": "first-bank",
    }


def test_what_settlement_needs_of_a_cash_contract() -> None:
    contract = parse((EXAMPLES / "oslo-cashback.yaml").read_bytes(), file="oslo.yaml").contract
    terms = settlement_terms(contract)
    assert (terms["unit"], terms["price"]) == ("NOK", None)
    assert terms["file"] == {"layout": "statement-credit"}
