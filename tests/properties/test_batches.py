"""Laws 5 and 6: batches, partitions and a second folding change nothing, row for row."""

from __future__ import annotations

from hypothesis import given

from tests.support.dice import Dice, made_by
from tests.support.engine import EngineBook
from tests.support.histories import Arrives, History, hold, play, played
from tests.support.state import balances, nets, stored
from tests.support.strategies import histories


def _in_batches(dice: Dice) -> tuple[History, list[int]]:
    """A history, and the sizes of its batches."""
    history = histories(dice)
    return history, [dice.pick(1, 2, 3, 7, 100) for _ in history.steps]


def _play_in_batches(history: History, sizes: list[int]) -> EngineBook:
    """Let it happen, with as many events in one commit as the sizes say."""
    book = EngineBook()
    batch: list[Arrives] = []
    room = 0
    for step, size in zip(history.steps, sizes, strict=False):
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


@given(made_by(_in_batches, size=3_000))
def test_any_batches_leave_the_same_rows(case: tuple[History, list[int]]) -> None:
    history, sizes = case
    hold(lambda found: _same_rows(found, sizes), history)


def _same_rows(history: History, sizes: list[int]) -> None:
    one_by_one = played(history, EngineBook())
    assert stored(_play_in_batches(history, sizes)) == stored(one_by_one)


@given(made_by(histories))
def test_folding_the_recorded_events_again_gives_the_same_rows(history: History) -> None:
    assert stored(played(history, EngineBook())) == stored(played(history, EngineBook()))


@given(made_by(histories))
def test_any_number_of_partitions_comes_to_the_same(history: History) -> None:
    hold(_in_one_and_in_three, history)


def _in_one_and_in_three(history: History) -> None:
    one, three = EngineBook(), EngineBook(partitions=3)
    for step in history.steps:
        assert play(step, one) == play(step, three)
    assert one.grants() == three.grants()
    assert one.totals() == three.totals()
    assert nets(one) == nets(three)
    assert balances(one) == balances(three)
