"""The engine against the naive model: equal purchase by purchase, after every event."""

from __future__ import annotations

from hypothesis import given, settings

from tests.support.audit import Auditor
from tests.support.books import NaiveBook
from tests.support.dice import made_by
from tests.support.engine import EngineBook
from tests.support.histories import Arrives, History, hold, play
from tests.support.lifecycles import Key
from tests.support.sights import Sights
from tests.support.strategies import histories


def test_the_engine_and_the_naive_model_agree_after_every_event() -> None:
    sights = Sights()

    @settings(max_examples=6 * settings().max_examples)
    @given(made_by(histories))
    def agree(history: History) -> None:
        sights.begin()
        hold(lambda found: _walk(found, sights), history)

    agree()
    sights.check()


def _walk(history: History, sights: Sights) -> None:
    naive, engine = NaiveBook(), EngineBook()
    auditor = Auditor(engine)
    for step in history.steps:
        before = naive.picture
        expected = play(step, naive)
        assert play(step, engine) == expected
        sights.outcome(expected)
        event = step.event if isinstance(step, Arrives) else None
        auditor.look(naive.picture, event)
        assert engine.grants() == naive.grants()
        assert engine.waiting() == naive.waiting()
        own: Key | None = None
        if event is not None:
            own = naive.picture.linked.purchase_of.get((event.issuer_id, event.event_id))
        sights.look(before, naive.picture, own)
