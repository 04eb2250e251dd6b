"""The business date of an instant, also in the nights in which the clocks change."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.calendar import business_date, micros, minutes_of

OSLO, NEW_YORK = ZoneInfo("Europe/Oslo"), ZoneInfo("America/New_York")
CHANGES = {
    "Oslo, forward": (OSLO, date(2026, 3, 29)),
    "Oslo, back": (OSLO, date(2026, 10, 25)),
    "New York, forward": (NEW_YORK, date(2026, 3, 8)),
    "New York, back": (NEW_YORK, date(2026, 11, 1)),
}
"""Zone and the Sunday on which the clocks change."""


def dated(zone: ZoneInfo, day: date, clock: str, ends: str, *, fold: int = 0) -> date:
    """The business date of a time on the wall."""
    hours, minutes = map(int, clock.split(":"))
    local = datetime(day.year, day.month, day.day, hours, minutes, tzinfo=zone, fold=fold)
    return business_date(micros(local), zone, minutes_of(ends))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("ends", "days"),
    [
        ("24:00", {"-1 17:59": -1, "-1 18:00": -1, "-1 23:30": -1, "0 00:30": 0, "0 17:59": 0,
                   "0 18:00": 0, "0 23:30": 0, "1 00:30": 1}),
        ("18:00", {"-1 17:59": -1, "-1 18:00": 0, "-1 23:30": 0, "0 00:30": 0, "0 17:59": 0,
                   "0 18:00": 1, "0 23:30": 1, "1 00:30": 1}),
        ("03:30", {"-1 23:30": 0, "0 00:30": 0, "0 03:29": 0, "0 03:30": 1, "0 23:30": 1,
                   "1 00:30": 1}),
    ],
)  # fmt: skip
def test_late_evening_and_early_morning_fall_on_the_day_that_the_wall_clock_says(
    change: str, ends: str, days: dict[str, int]
) -> None:
    zone, sunday = CHANGES[change]
    found = {}
    for told in days:
        offset, clock = told.split()
        day = dated(zone, sunday + timedelta(days=int(offset)), clock, ends)
        found[told] = (day - sunday).days
    assert found == days


def test_the_hour_that_comes_twice_is_of_one_day() -> None:
    for zone, sunday, clock in (
        (OSLO, date(2026, 10, 25), "02:30"), (NEW_YORK, date(2026, 11, 1), "01:30"),
    ):  # fmt: skip
        for fold in (0, 1):
            assert dated(zone, sunday, clock, "24:00", fold=fold) == sunday
            assert dated(zone, sunday, clock, "18:00", fold=fold) == sunday
            assert dated(zone, sunday, clock, "00:45", fold=fold) == sunday + timedelta(days=1)


@given(
    st.sampled_from(sorted(CHANGES)),
    st.integers(-2_880, 2_880),
    st.integers(1, 1_440),
)
def test_around_a_change_days_follow_each_other_and_each_has_its_hours(
    change: str, minute: int, ends: int
) -> None:
    zone, sunday = CHANGES[change]
    noon = micros(datetime(sunday.year, sunday.month, sunday.day, 12, tzinfo=zone))
    moment = noon + minute * 60_000_000
    local = datetime.fromtimestamp(moment // 1_000_000, tz=zone)
    after = local.hour * 60 + local.minute >= ends
    assert business_date(moment, zone, ends) == local.date() + timedelta(days=after)
