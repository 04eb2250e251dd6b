"""Days on which nothing is settled, and where the days go that fall on one of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

DAY = timedelta(days=1)
DAYS_MAX = 3_660
WEEK = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
FOLLOWING, MODIFIED, PRECEDING = "following", "modified_following", "preceding"


@dataclass(frozen=True, slots=True)
class Calendar:
    """`weekend` holds weekdays from 0 (Monday), never all of them."""

    days: frozenset[date] = frozenset()
    weekend: frozenset[int] = frozenset({5, 6})
    roll: str = FOLLOWING

    def works(self, day: date) -> bool:
        """Whether it is no holiday."""
        return day.weekday() not in self.weekend and day not in self.days

    def rolled(self, day: date) -> date:
        """The day itself, or where it goes when it is a holiday."""
        if self.roll == PRECEDING:
            return self._seek(day, -DAY)
        found = self._seek(day, DAY)
        if self.roll == MODIFIED and found.month != day.month:
            return self._seek(day, -DAY)
        return found

    def _seek(self, day: date, step: timedelta) -> date:
        while not self.works(day):
            day += step
        return day


WEEKDAYS = Calendar()
"""What holds where a contract names no holidays."""


def read_calendar(document: Mapping[str, Any]) -> Calendar:
    """The calendar from the clause `holidays` of a contract's terms."""
    weekend = document.get("weekend", ("SAT", "SUN"))
    return Calendar(
        days=frozenset(map(date.fromisoformat, document["days"])),
        weekend=frozenset(WEEK.index(name) for name in weekend),
        roll=document["roll"],
    )


def month_end(year: int, month: int) -> date:
    """The last day of a month."""
    following = date(year + month // 12, month % 12 + 1, 1)
    return following - DAY


def cycle_end(year: int, month: int, calendar: Calendar | None) -> date:
    """The last day of a monthly cycle; it rolls only where the contract names holidays."""
    last = month_end(year, month)
    return last if calendar is None else calendar.rolled(last)


def next_working(day: date, calendars: Collection[Calendar]) -> date:
    """The first day after `day` on which every one of these calendars works.

    ValueError when they never work on the same day.
    """
    for _ in range(DAYS_MAX):
        day += DAY
        if all(calendar.works(day) for calendar in calendars):
            return day
    raise ValueError("the contracts' calendars never work on the same day")
