"""Law 3: ten partial refunds equal one of their sum, three clearing legs equal one."""

from __future__ import annotations

from hypothesis import given

from tests.support.dice import made_by
from tests.support.laws import parts_make_the_whole
from tests.support.twins import Twins, whole_and_split


@given(made_by(whole_and_split))
def test_events_in_parts_come_to_what_they_come_to_whole(pair: Twins) -> None:
    parts_make_the_whole(pair)
