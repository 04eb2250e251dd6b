"""Engines with one old mistake each: a page must fail on every one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from services.accrual.engine import decide
from services.accrual.lifecycle.net import Net, weigh
from services.accrual.lifecycle.purchase import Leg
from tests.support.engine import EngineBook
from tests.support.nets import GIVES, TAKES
from tests.support.pages import read_page
from tests.support.stage import perform

PAGES = Path(__file__).parents[1] / "scenarios"


def _clamped_running_net(legs: list[Leg]) -> Net:
    """The net as a running amount, never below zero: a refund that comes first is lost."""
    running = 0
    for leg in sorted(legs, key=lambda leg: leg.seq):
        if leg.kind in GIVES:
            running += leg.amount
        elif leg.kind in TAKES:
            running = max(0, running - leg.amount)
    return msgspec.structs.replace(weigh(legs), net=running)


def _facts_by_arrival(legs: list[Leg]) -> Net:
    """The facts of whichever presentment was recorded first."""
    found = weigh(legs)
    presented = sorted((leg for leg in legs if leg.kind == "PRESENTMENT"), key=lambda leg: leg.seq)
    return msgspec.structs.replace(found, first=presented[0]) if presented else found


@pytest.mark.parametrize(
    ("mutant", "page"),
    [
        (_clamped_running_net, "refund-before-purchase"),
        (_facts_by_arrival, "legs-across-month-end"),
    ],
)
def test_a_mutant_fails_its_page(
    mutant: Callable[[list[Leg]], Net], page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = read_page((PAGES / f"{page}.txt").read_text("utf-8"))
    perform(played, EngineBook)
    monkeypatch.setattr(decide, "weigh", mutant)
    with pytest.raises(AssertionError, match="line"):
        perform(played, EngineBook)
