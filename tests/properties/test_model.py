"""The engine against the naive model: equal purchase by purchase, after every event.

The auditor looks at the engine's books beside it: what is granted is never below zero, no cap is
ever exceeded, every total is what its purchases add up to, funders' parts and fees are the model's,
and each ledger is in balance; every outcome and reason is the first that applies, in their order.
"""

from __future__ import annotations

from hypothesis import given

from tests.support.dice import made_by
from tests.support.histories import History, hold
from tests.support.laws import agrees
from tests.support.sights import Sights
from tests.support.strategies import histories


def test_the_engine_and_the_naive_model_agree_after_every_event() -> None:
    sights = Sights()

    @given(made_by(histories))
    def agree(history: History) -> None:
        sights.begin()
        hold(lambda found: agrees(found, sights), history)

    agree()
    sights.check()
