"""The naive model of dates, periods and versions: plain documents, no clock, no compiling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from services.kernel.transaction import CardTransaction

Document = Mapping[str, Any]


class Read(dict[str, Any]):
    """A contract file as it was read, whole; nobody changes it, and it is itself only."""

    __hash__ = object.__hash__  # type: ignore[assignment]


Row = Mapping[str, str | None]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def local_time(document: Document, facts: CardTransaction) -> datetime:
    """The instant of the purchase on the wall of the contract's zone."""
    moment = _EPOCH + timedelta(microseconds=facts.occurred_at)
    return moment.astimezone(ZoneInfo(document["zone"]))


def governing_date(document: Document, facts: CardTransaction) -> date | None:
    """The date that decides about version, period and enrolment; None: posting date missing."""
    if document["governing_date"] == "posting":
        return posting_date(facts)
    local = local_time(document, facts)
    hours, minutes = document["day_ends"].split(":")
    over = local.hour * 60 + local.minute >= int(hours) * 60 + int(minutes)
    return local.date() + timedelta(days=1 if over else 0)


def posting_date(facts: CardTransaction) -> date | None:
    """The posting date as a date."""
    return None if facts.posted_on is None else _EPOCH.date() + timedelta(days=facts.posted_on)


def available_on(
    document: Document, facts: CardTransaction, day: date, cycle_day: int | None
) -> date:
    """When the reward may be settled; a billing cycle needs the day on which it closes."""
    release = document["release"]
    start = posting_date(facts) or day
    if release["after"] == "cycle":
        start = period(day, release["per"], None, cycle_day)[1]
    return start + timedelta(days=int(release["days"]))


def version_of(documents: Sequence[Read], day: date) -> Read | None:
    """The highest version whose term holds the day."""
    holding = [
        document
        for document in documents
        if str(document["term"]["from"]) <= day.isoformat() <= str(document["term"]["to"])
    ]
    return max(holding, key=lambda document: int(document["version"]), default=None)


# ── periods ─────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=4096)
def period(day: date, per: str, opened_on: date | None, cycle_day: int | None) -> tuple[date, date]:
    """The first and the last day of the period that holds a day; not of a lifetime."""
    if per == "day":
        return day, day
    if per == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    if per == "month":
        return _months(day.year, day.month, 1)
    if per == "quarter":
        return _months(day.year, day.month - (day.month - 1) % 3, 3)
    if per == "year":
        return _months(day.year, 1, 12)
    if per == "membership_year":
        assert opened_on is not None
        begun = [_anniversary(opened_on, day.year + turn) for turn in (-1, 0, 1)]
        last = max(found for found in begun if found <= day)
        return last, _anniversary(opened_on, last.year + 1) - timedelta(days=1)
    assert per == "billing_cycle" and cycle_day is not None
    closing = _in_month(day.year, day.month, cycle_day)
    if day > closing:
        following = _next_month(day.year, day.month)
        return closing + timedelta(days=1), _in_month(*following, cycle_day)
    before = day.replace(day=1) - timedelta(days=1)
    return _in_month(before.year, before.month, cycle_day) + timedelta(days=1), closing


@lru_cache(maxsize=4096)
def period_of(day: date, per: str, opened_on: date | None, cycle_day: int | None) -> str:
    """The name of the period of a total."""
    if per == "lifetime":
        return "lifetime"
    if per in ("membership_year", "billing_cycle"):
        first, last = period(day, per, opened_on, cycle_day)
        return f"{first}..{last}"
    if per == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    names = {
        "day": day.isoformat(),
        "month": day.isoformat()[:7],
        "quarter": f"{day.year}-Q{(day.month + 2) // 3}",
        "year": day.isoformat()[:4],
    }
    return names[per]


def _months(year: int, month: int, size: int) -> tuple[date, date]:
    after = month + size
    end = date(year + 1, 1, 1) if after > 12 else date(year, after, 1)
    return date(year, month, 1), end - timedelta(days=1)


def _next_month(year: int, month: int) -> tuple[int, int]:
    return (year + 1, 1) if month == 12 else (year, month + 1)


def _in_month(year: int, month: int, wanted: int) -> date:
    """That day of a month, or its last one."""
    return min(_months(year, month, 1)[1], date(year, month, 1) + timedelta(days=wanted - 1))


def _anniversary(opened_on: date, year: int) -> date:
    """The day in a year; 28 February for 29 February in a common year."""
    return _in_month(year, opened_on.month, opened_on.day)
