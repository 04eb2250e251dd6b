"""Business dates and periods. Every date comes from an event and a contract, never from a clock."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import assert_never
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()


class Per(StrEnum):
    """How long a running total runs."""

    __hash__ = str.__hash__  # an enum's own is a function of Python

    DAY = "day"
    WEEK = "week"
    """ISO weeks: from Monday on."""
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    MEMBERSHIP_YEAR = "membership_year"
    """From the anniversary of the account's opening on; of 29 February it is the 28th."""
    BILLING_CYCLE = "billing_cycle"
    """Up to the account's closing day of the month, or the month's last day where it is earlier."""
    LIFETIME = "lifetime"


_WIDER: dict[Per, frozenset[Per]] = {
    Per.DAY: frozenset(Per),
    Per.WEEK: frozenset({Per.WEEK, Per.LIFETIME}),
    Per.MONTH: frozenset({Per.MONTH, Per.QUARTER, Per.YEAR, Per.LIFETIME}),
    Per.QUARTER: frozenset({Per.QUARTER, Per.YEAR, Per.LIFETIME}),
    Per.YEAR: frozenset({Per.YEAR, Per.LIFETIME}),
    Per.MEMBERSHIP_YEAR: frozenset({Per.MEMBERSHIP_YEAR, Per.LIFETIME}),
    Per.BILLING_CYCLE: frozenset({Per.BILLING_CYCLE, Per.LIFETIME}),
    Per.LIFETIME: frozenset({Per.LIFETIME}),
}


def nests(narrow: Per, wide: Per) -> bool:
    """Whether every period of the one kind lies within one period of the other."""
    return wide in _WIDER[narrow]


@lru_cache(maxsize=16_384)
def period_of(
    day: date, per: Per, opened_on: date | None = None, cycle_day: int | None = None
) -> str:
    """The period's name as exports show it: `2026-03-05`, `2026-W10`, `2026-03`, `2026-Q1`,
    `2026`, `2026-03-05..2027-03-04` (both inclusive) or `lifetime`.

    Raises ValueError when a period is counted from a date of the account that is not given.
    """
    if per is Per.DAY:
        return day.isoformat()
    if per is Per.WEEK:
        year, week, _ = day.isocalendar()
        return f"{year:04d}-W{week:02d}"
    if per is Per.MONTH:
        return f"{day.year:04d}-{day.month:02d}"
    if per is Per.QUARTER:
        return f"{day.year:04d}-Q{(day.month + 2) // 3}"
    if per is Per.YEAR:
        return f"{day.year:04d}"
    if per is Per.LIFETIME:
        return "lifetime"
    first, last = span_of(day, per, opened_on, cycle_day)
    return f"{first}..{last}"


@lru_cache(maxsize=16_384)
def span_of(
    day: date, per: Per, opened_on: date | None = None, cycle_day: int | None = None
) -> tuple[date, date]:
    """The first and the last day of the period that holds the day, cut where the calendar ends.

    Raises ValueError when a period is counted from a date of the account that is not given.
    """
    match per:
        case Per.DAY:
            return day, day
        case Per.WEEK:
            first = date.fromordinal(max(1, day.toordinal() - day.weekday()))
            return first, _shifted(day, 6 - day.weekday())
        case Per.MONTH:
            return day.replace(day=1), _month_end(day.year, day.month)
        case Per.QUARTER:
            month = (day.month - 1) // 3 * 3 + 1
            return date(day.year, month, 1), _month_end(day.year, month + 2)
        case Per.YEAR:
            return date(day.year, 1, 1), date(day.year, 12, 31)
        case Per.MEMBERSHIP_YEAR:
            return _membership_year(day, opened_on)
        case Per.BILLING_CYCLE:
            return _billing_cycle(day, cycle_day)
        case Per.LIFETIME:
            return date.min, date.max
        case _:
            assert_never(per)


def _membership_year(day: date, opened_on: date | None) -> tuple[date, date]:
    if opened_on is None:
        raise ValueError("a membership year is counted from the account's opening")
    first = _anniversary(opened_on, day.year)
    if first > day:
        first = _anniversary(opened_on, day.year - 1) if day.year > 1 else date.min
    if first.year == date.max.year:
        return first, date.max
    year = first.year + 1 if first > date.min else day.year
    return first, _shifted(_anniversary(opened_on, year), -1)


def _anniversary(opened_on: date, year: int) -> date:
    if (opened_on.month, opened_on.day) == (2, 29):
        return _month_end(year, 2)
    return opened_on.replace(year=year)


def _billing_cycle(day: date, cycle_day: int | None) -> tuple[date, date]:
    if cycle_day is None:
        raise ValueError("a billing cycle is counted from the account's closing day")
    closes = _closing(day.year, day.month, cycle_day)
    if day <= closes:
        before = (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)
        if before[0] < 1:
            return date.min, closes
        return _shifted(_closing(*before, cycle_day), 1), closes
    after = (day.year, day.month + 1) if day.month < 12 else (day.year + 1, 1)
    last = date.max if after[0] > date.max.year else _closing(*after, cycle_day)
    return _shifted(closes, 1), last


def _closing(year: int, month: int, cycle_day: int) -> date:
    end = _month_end(year, month)
    return end if cycle_day >= end.day else end.replace(day=cycle_day)


def _month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def _shifted(day: date, days: int) -> date:
    return date.fromordinal(min(max(1, day.toordinal() + days), date.max.toordinal()))


def instant(micros: int) -> datetime:
    """An instant in UTC from microseconds since the epoch."""
    return _EPOCH + timedelta(microseconds=micros)


def micros(moment: datetime) -> int:
    """Microseconds since the epoch of an aware instant."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


@lru_cache(maxsize=8192)
def day_of(days: int) -> date:
    """A date from days since the epoch."""
    return date.fromordinal(days + _EPOCH_ORDINAL)


_QUARTER = 900_000_000
"""Microseconds in a quarter of an hour."""


@lru_cache(maxsize=65536)
def _offset_seconds(zone: ZoneInfo, quarter_hour: int) -> int:
    """The zone's offset in a quarter of an hour; no zone of today changes within one."""
    moment = _EPOCH + timedelta(minutes=15 * quarter_hour)
    return (moment.astimezone(zone).utcoffset() or timedelta()) // timedelta(seconds=1)


def business_date(occurred_at_micros: int, zone: ZoneInfo, day_ends_minutes: int) -> date:
    """The local date of an instant; from `day_ends` on (exclusive end) it is the next date.

    `day_ends_minutes` counts from local midnight; 1440 is `24:00`.
    """
    day = _day_of_quarter(zone, day_ends_minutes, occurred_at_micros // _QUARTER)
    return _business_date(occurred_at_micros, zone, day_ends_minutes) if day is None else day


def _business_date(occurred_at_micros: int, zone: ZoneInfo, day_ends_minutes: int) -> date:
    offset = _offset_seconds(zone, occurred_at_micros // _QUARTER)
    days, second = divmod(occurred_at_micros // 1_000_000 + offset, 86_400)
    return day_of(days + 1 if second >= day_ends_minutes * 60 else days)


@lru_cache(maxsize=65536)
def _day_of_quarter(zone: ZoneInfo, day_ends_minutes: int, quarter: int) -> date | None:
    """The business date of a quarter of an hour; None where a day ends within it."""
    first = _business_date(quarter * _QUARTER, zone, day_ends_minutes)
    last = _business_date((quarter + 1) * _QUARTER - 1, zone, day_ends_minutes)
    return first if first == last else None


def wall_clock(occurred_at_micros: int, zone: ZoneInfo) -> tuple[date, int]:
    """The date and the minutes since midnight that the clock on the wall shows at an instant."""
    offset = _offset_seconds(zone, occurred_at_micros // _QUARTER)
    days, second = divmod(occurred_at_micros // 1_000_000 + offset, 86_400)
    return day_of(days), second // 60


def minutes_of(clock: str) -> int:
    """Minutes since midnight of `HH:MM`."""
    hours, _, rest = clock.partition(":")
    return int(hours) * 60 + int(rest)
