"""Every running total is a non-decreasing function F with F(0) = 0, and the one that the contract
says: the engine's integers beside the naive model's fractions, over random contracts."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings

from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.parse import parse
from services.accrual.contracts.terms import Entry, Rule, Running
from services.kernel.errors import InvalidInput
from tests.support import builders
from tests.support.chains import Link, chain_of
from tests.support.dates import Read
from tests.support.dice import Dice, made_by
from tests.support.rulebook import RATES, text_of
from tests.support.strategies import FAMILIES, family

GRID = (1, 2, 7, 50, 333, 1_000, 4_999, 5_000, 5_001, 9_999, 25_000, 30_000, 60_000, 61_234)


def _contract(dice: Dice) -> str:
    """One version of a random contract."""
    home = dice.pick("NOK", "NOK", "JPY", "KWD")
    return str(dice.pick(*family(dice.upto(FAMILIES - 1), "c1", home)))


@settings(max_examples=settings().max_examples // 4)
@given(made_by(_contract, size=64))
def test_totals_rise_from_zero_and_are_what_the_contract_says(text: str) -> None:
    document = builders.as_read(text)
    for rule in compile_terms(parse(text, file="test.yaml").contract).rules:
        chain = chain_of(document, rule.id)
        assert [one.kind.value for one in rule.totals] == [link.kind for link in chain]
        assert [one.owner for one in rule.totals] == [link.owner for link in chain]
        for place, (running, link) in enumerate(zip(rule.totals, chain, strict=True)):
            each = _unit(rule) if place == 0 else Fraction(1)
            _same_function(running, link, each)


def _unit(rule: Rule) -> Fraction:
    """What one of what enters the first total is in the model: a piece is worth its reward."""
    pieces = rule.entry is Entry.PIECES and rule.earn is not None
    return rule.earn.each if pieces and rule.earn is not None else Fraction(1)


def _same_function(running: Running, link: Link, each: Fraction) -> None:
    assert running.worth(0) == link.worth(Fraction(0)) == 0
    before = 0
    for total in GRID:
        found = running.worth(total)
        assert found == link.worth(total * each), (running.text, total)
        assert found >= before, f"{running.text} falls at {total}"
        if total <= running.straight:
            assert found == total
        before = found


def _falling(dice: Dice) -> tuple[Read, bool]:
    """A contract of bands whole with any rates, and whether F falls somewhere."""
    rates = [dice.pick(*RATES) for _ in range(dice.pick(2, 3))]
    steps = [
        {"from": text_of(start, "NOK"), "units": rate}
        for start, rate in zip((0, 10_000, 30_000), rates, strict=False)
    ]
    runs = {"per": "month", "scope": "account"}
    rule = {
        "id": "r0", "award": "base", "bands": {"kind": "whole"} | runs | {"steps": steps},
        "rounding": {"mode": "down", "scale": 0, "level": "per_period"} | runs,
    }  # fmt: skip
    places = [RATES.index(rate) for rate in rates]
    document = builders.as_read(builders.as_text(builders.contract(rules=[rule])))
    return document, places != sorted(places)


@settings(max_examples=settings().max_examples // 10)
@given(made_by(_falling, size=16))
def test_a_table_whose_total_falls_is_refused(case: tuple[Read, bool]) -> None:
    document, falls = case
    text = builders.as_text(document)
    if falls:
        with pytest.raises(InvalidInput, match="steps"):
            parse(text, file="test.yaml")
    else:
        parse(text, file="test.yaml")
