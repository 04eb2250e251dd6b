"""The examples that ship with milepost."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.accrual.contracts.check import check, class_of
from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.parse import parse
from services.accrual.contracts.settlement import settlement_terms

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
    assert sum(terms.shares) == 1
    assert [rule.id for rule in terms.rules] == [rule.id for rule in contract.rules]


def test_the_examples_show_every_form_of_earning_and_period() -> None:
    contracts = [parse(path.read_text("utf-8"), file=path.name).contract for path in FILES]
    rules = [rule for contract in contracts for rule in contract.rules]
    assert {type(rule.earn).__name__ for rule in rules} == {
        "PercentEarn", "PerUnitEarn", "PerBlockEarn", "FlatEarn",
    }  # fmt: skip
    periods = {getattr(rule.cap, "per", None) for rule in rules} - {None}
    assert periods == {"day", "month", "year", "lifetime"}
    assert {contract.currency for contract in contracts} >= {"NOK", "JPY", "KWD", "SKY-MILE"}


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
