"""Holidays: where the end of a cycle and the day of a payout go."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement.batches.calendar import (
    FOLLOWING,
    MODIFIED,
    PRECEDING,
    WEEKDAYS,
    Calendar,
    cycle_end,
    month_end,
    next_working,
    read_calendar,
)

GOOD_FRIDAY = frozenset({date(2026, 4, 3)})


@pytest.mark.parametrize(
    ("roll", "ends"),
    [(FOLLOWING, date(2026, 2, 2)), (MODIFIED, date(2026, 1, 30)), (PRECEDING, date(2026, 1, 30))],
)
def test_a_cycle_that_ends_on_a_saturday_rolls_as_the_contract_says(roll: str, ends: date) -> None:
    assert cycle_end(2026, 1, read_calendar({"roll": roll, "days": []})) == ends


def test_a_cycle_without_holidays_ends_on_the_last_day_of_the_month() -> None:
    assert cycle_end(2026, 1, None) == date(2026, 1, 31)
    assert [month_end(2028, 2), month_end(2026, 12)] == [date(2028, 2, 29), date(2026, 12, 31)]


def test_a_weekend_may_lie_on_other_days() -> None:
    gulf = read_calendar({"roll": FOLLOWING, "weekend": ["FRI", "SAT"], "days": []})
    assert gulf.rolled(date(2026, 4, 3)) == date(2026, 4, 5)


def test_a_payout_waits_for_a_day_on_which_all_work() -> None:
    assert next_working(date(2026, 7, 31), {WEEKDAYS}) == date(2026, 8, 3)
    assert next_working(date(2026, 4, 2), {WEEKDAYS, Calendar(GOOD_FRIDAY)}) == date(2026, 4, 6)
    never = {Calendar(weekend=frozenset({0, 1, 2})), Calendar(weekend=frozenset({3, 4, 5, 6}))}
    with pytest.raises(ValueError, match="never work on the same day"):
        next_working(date(2026, 4, 2), never)


DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
CALENDARS = st.builds(
    Calendar,
    days=st.frozensets(DAYS, max_size=40),
    weekend=st.frozensets(st.integers(0, 6), max_size=6),
    roll=st.sampled_from([FOLLOWING, MODIFIED, PRECEDING]),
)


@given(CALENDARS, DAYS)
def test_a_day_that_rolls_goes_to_the_nearest_working_day_of_its_side(
    calendar: Calendar, day: date
) -> None:
    found = calendar.rolled(day)
    assert calendar.works(found)
    assert calendar.rolled(found) == found
    step = timedelta(days=1 if found > day else -1)
    while day != found:
        assert not calendar.works(day)
        day += step
