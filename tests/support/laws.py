"""The laws of accrual over random contracts and histories, each as a check that fails loudly.

`tests/properties` states them one by one; `tests/soak.py` tries them for as long as one likes.
"""

from __future__ import annotations

from typing import Any

from tests.support.audit import Auditor
from tests.support.books import NaiveBook
from tests.support.engine import EngineBook
from tests.support.histories import Arrives, History, play, played
from tests.support.lifecycles import Key
from tests.support.sights import Sights
from tests.support.state import balances, nets, pure_grants, stored
from tests.support.twins import Batches, Twins, Undone


def agrees(history: History, sights: Sights) -> None:
    """The engine says what the naive model says, purchase by purchase, after every step; and the
    auditor finds nothing in its books."""
    naive, engine = NaiveBook(), EngineBook()
    auditor = Auditor(engine)
    for step in history.steps:
        before = naive.picture
        expected = play(step, naive)
        assert play(step, engine) == expected
        sights.outcome(expected)
        event = step.event if isinstance(step, Arrives) else None
        auditor.look(naive.picture, event)
        assert engine.due() == naive.due()
        assert engine.fees() == naive.fees()
        assert engine.waiting() == naive.waiting()
        own: Key | None = None
        if event is not None:
            own = naive.picture.linked.purchase_of.get((event.issuer_id, event.event_id))
        sights.look(before, naive.picture, own)
    assert engine.grants() == naive.grants()
    sights.end(naive.picture)


def order_plays_no_part(pair: Twins) -> None:
    """Law 1: any order and any repeats: the same nets, facts, totals and balances."""
    first, second = played(pair.one, EngineBook()), played(pair.other, EngineBook())
    assert nets(first) == nets(second)
    assert first.totals() == second.totals()
    assert balances(first) == balances(second)
    assert pure_grants(first) == pure_grants(second)
    assert first.waiting() == second.waiting()


def parts_make_the_whole(pair: Twins) -> None:
    """Law 3: ten partial refunds equal one of their sum, three clearing legs equal one."""
    whole, split = played(pair.one, EngineBook()), played(pair.other, EngineBook())
    assert _without_labels(whole.grants()) == _without_labels(split.grants())
    assert _without_labels(whole.fees()) == _without_labels(split.fees())
    assert whole.totals() == split.totals()


def what_went_back_never_was(case: Undone) -> None:
    """Law 4: a purchase that went back whole leaves everything as if it had never been."""
    after, never = played(case.having, EngineBook()), played(case.without, EngineBook())
    assert not case.label or all(key[2] != case.label for key in after.grants())
    assert after.due() == never.due()
    assert after.fees() == never.fees()
    assert after.totals() == never.totals()


def batches_play_no_part(case: Batches) -> None:
    """Laws 5 and 6: batches, partitions and a second folding change nothing, row for row."""
    single, three = EngineBook(), EngineBook(partitions=3)
    for step in case.history.steps:
        assert play(step, single) == play(step, three)
    assert single.due() == three.due()
    assert single.fees() == three.fees()
    assert single.totals() == three.totals()
    assert nets(single) == nets(three)
    rows = stored(single)
    assert stored(_play_in_batches(case)) == rows
    assert stored(played(case.history, EngineBook())) == rows


def _play_in_batches(case: Batches) -> EngineBook:
    """Let it happen, with as many events in one commit as the sizes say."""
    book = EngineBook()
    batch: list[Arrives] = []
    room = 0
    for step, size in zip(case.history.steps, case.sizes, strict=False):
        if batch and (room == len(batch) or not isinstance(step, Arrives)):
            book.record_batch([(found.event, found.role) for found in batch])
            batch = []
        if isinstance(step, Arrives):
            room = room if batch else size
            batch.append(step)
        else:
            play(step, book)
    if batch:
        book.record_batch([(found.event, found.role) for found in batch])
    return book


def _without_labels(amounts: Any) -> dict[tuple[Any, ...], int]:
    """What every purchase has, under the label that it has before anything is split."""
    sums: dict[tuple[Any, ...], int] = {}
    for (account, issuer, label, *rest), amount in amounts.items():
        purchase = "-".join(label.split("-")[:2])
        key = (account, issuer, purchase, *rest)
        sums[key] = sums.get(key, 0) + amount
    return sums
