"""Whatever is changed in a contract is told: "nothing else changes" is true."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.accrual.contracts.parse import parse
from services.accrual.contracts.prose.contract import Spoken, speak
from services.accrual.contracts.prose.difference import difference
from services.accrual.languages import catalogue
from services.kernel.errors import InvalidInput
from tests.support import builders

EXAMPLES = sorted((Path(__file__).parents[5] / "schemas" / "contracts" / "examples").glob("*.yaml"))
WORDS = catalogue("en")
VALUES = (
    ("down", "up", "half_up", "half_even"),
    ("day", "month", "quarter", "year", "membership_year", "billing_cycle", "lifetime", "week"),
    ("card", "account"), ("reward", "spend"), ("base", "bonus"), ("marginal", "whole"),
    ("highest", "lowest"), ("gross", "without_cash", "without_tip_fee_tax"),
    ("transaction", "posting"), ("send", "carry"), ("recompute", "none", "full", "proportional"),
    ("from_activation", "always"), ("IN_STORE", "ONLINE", "PHONE", "RECURRING"),
    ("following", "modified_following", "preceding"), ("Europe/Oslo", "Asia/Tokyo"),
    ("ADJUSTMENT_DEBIT", "ADJUSTMENT_CREDIT"), ("NO", "SE", "DK"), ("NOK", "EUR", "SEK"),
    ("MON", "TUE", "SAT", "SUN"),
)  # fmt: skip
"""Values that stand in each other's place."""
MUTANTS_MIN = 20


def others(value: str) -> Iterator[str]:
    """Values that a lawyer would read as other terms."""
    for values in VALUES:
        if value in values:
            yield values[(values.index(value) + 1) % len(values)]
            return
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        yield str(date.fromisoformat(value) + timedelta(days=1))
        yield str(date.fromisoformat(value) - timedelta(days=1))
    elif re.fullmatch(r"\d\d:\d\d", value):
        yield "12:34"
    elif re.fullmatch(r"\d+", value):
        yield str(int(value) + 1)
    elif re.fullmatch(r"\d+\.\d+", value):
        yield value[:-1] + str((int(value[-1]) + 1) % 10)
    else:
        yield value[:-1] + ("A" if value[-1] != "A" else "B")


def mutants(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The contract with one value changed, and with one key or entry left out."""
    for path, value in leaves(document):
        if path == ("version",):
            continue  # a higher version is no difference by itself
        for other in others(value) if isinstance(value, str) else ():
            yield f"{path} = {other}", changed(document, path, other)
        yield f"{path} left out", changed(document, path, None)


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if path:
        yield path, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from leaves(value, (*path, index))


def changed(document: dict[str, Any], path: tuple[Any, ...], value: str | None) -> dict[str, Any]:
    found: Any = copy.deepcopy(document)
    parent = found
    for key in path[:-1]:
        parent = parent[key]
    if value is None:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return dict(found)


def spoken(document: dict[str, Any]) -> Spoken:
    signed = parse(builders.as_text(document), file="test.yaml")
    return speak(signed.document.content, WORDS)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_no_change_of_a_contract_goes_untold(path: Path) -> None:
    document = dict(builders.as_read(path.read_text("utf-8")))
    before, silent, tried = spoken(document), [], 0
    for what, other in mutants(document):
        try:
            after = spoken(other)
        except InvalidInput:
            continue
        tried += 1
        told = [change.text for change in difference(before, after, WORDS)]
        if not all(told) or not told:
            silent.append(what)
    assert silent == (["('settlement', 'holidays', 'weekend') left out"]  # it says the same
                      if path.stem == "fees" else [])  # fmt: skip
    assert tried >= MUTANTS_MIN
