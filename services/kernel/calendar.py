"""Business dates and periods. Every date comes from an event and a contract, never from a clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()


class Per(StrEnum):
    """How long a running total runs."""

    __hash__ = str.__hash__  # an enum's own is a function of Python

    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    LIFETIME = "lifetime"


@lru_cache(maxsize=8192)
def period_of(day: date, per: Per) -> str:
    """The period's name as exports show it: `2026-03-05`, `2026-03`, `2026` or `lifetime`."""
    if per is Per.DAY:
        return day.isoformat()
    if per is Per.MONTH:
        return f"{day.year:04d}-{day.month:02d}"
    if per is Per.YEAR:
        return f"{day.year:04d}"
    return "lifetime"


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


@lru_cache(maxsize=65536)
def _offset_seconds(zone: ZoneInfo, quarter_hour: int) -> int:
    """The zone's offset in a quarter of an hour; no zone of today changes within one."""
    moment = _EPOCH + timedelta(minutes=15 * quarter_hour)
    return (moment.astimezone(zone).utcoffset() or timedelta()) // timedelta(seconds=1)


def business_date(occurred_at_micros: int, zone: ZoneInfo, day_ends_minutes: int) -> date:
    """The local date of an instant; from `day_ends` on (exclusive end) it is the next date.

    `day_ends_minutes` counts from local midnight; 1440 is `24:00`.
    """
    offset = _offset_seconds(zone, occurred_at_micros // 900_000_000)
    days, second = divmod(occurred_at_micros // 1_000_000 + offset, 86_400)
    return day_of(days + 1 if second >= day_ends_minutes * 60 else days)
