"""Laws 5 and 6: batches, partitions and a second folding change nothing, row for row."""

from __future__ import annotations

from hypothesis import given

from tests.support.dice import made_by
from tests.support.histories import History, hold
from tests.support.laws import batches_play_no_part
from tests.support.twins import Batches, in_batches


@given(made_by(in_batches))
def test_batches_partitions_and_a_second_folding_leave_the_same_rows(case: Batches) -> None:
    def check(history: History) -> None:
        batches_play_no_part(Batches(history, case.sizes))

    hold(check, case.history)
