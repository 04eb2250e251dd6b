"""What a compare feed covers, so that its silence about other days says nothing of a purchase."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from services.settlement.reconcile.difference import Difference
from services.settlement.reconcile.month import Month

TRANSIT_DAYS = 5
"""So long a leg that one feed booked on the other's last day may be on its way there."""
NOT_COVERED, IN_TRANSIT = "NOT_COVERED", "IN_TRANSIT"


class Span(NamedTuple):
    """The first and the last day that a feed's cleared events of one issuer are booked on."""

    first: date
    last: date


Spans = Mapping[str, Span]
"""Issuer → what a feed of it covers; only issuers that the feed tells anything of."""


class Coverage(NamedTuple):
    """How much of a month a compare feed covers."""

    issuer: str
    first: date
    last: date
    days: int
    of_days: int


class Outside(NamedTuple):
    """Events that only one feed has, and that are no discrepancy: NOT_COVERED where the compare
    feed does not cover their day, IN_TRANSIT where the other feed ends. `amount` is the compare
    feed less the books; `since` is the first day that one of them is booked on.
    """

    issuer: str
    why: str
    unit: str
    events: int
    amount: int
    since: date


def coverage(spans: Spans, month: Month) -> list[Coverage]:
    """By issuer."""
    of_days = (month.last - month.first).days + 1
    found = []
    for issuer, span in sorted(spans.items()):
        days = (min(span.last, month.last) - max(span.first, month.first)).days + 1
        found.append(Coverage(issuer, span.first, span.last, max(days, 0), of_days))
    return found


def split(
    differences: Iterable[Difference], *, compare: Spans, books: Spans, month: Month, on: date
) -> tuple[list[Difference], list[Outside]]:
    """The differences of a month that stand, and what is outside of what was told.

    Left is the compare feed, as `judge.feeds` has it; `on` is the day of the run.
    """
    standing: list[Difference] = []
    outside: dict[tuple[str, str, str], list[tuple[int, date]]] = {}
    for one in differences:
        if not month.first <= booked_on(one) <= month.last:
            continue
        why = _why(one, compare=compare, books=books, on=on)
        if not why:
            standing.append(one)
            continue
        for sign, rows in ((1, one.left), (-1, one.right)):
            for amount, unit, booked, *_ in rows:
                outside.setdefault((one.key[0], why, unit), []).append((sign * amount, booked))
    return standing, [_sum(*what, rows) for what, rows in sorted(outside.items())]


def booked_on(one: Difference) -> date:
    """The day on which the books, or else the compare feed, book it."""
    booked: date = (one.right or one.left)[0][2]
    return booked


def _why(one: Difference, *, compare: Spans, books: Spans, on: date) -> str:
    """Empty where both feeds should have it."""
    issuer, booked = one.key[0], booked_on(one)
    young = (on - booked).days <= TRANSIT_DAYS
    if not one.left_times:
        span = compare[issuer]
        if not span.first <= booked <= span.last:
            return NOT_COVERED
        return IN_TRANSIT if booked == span.last and young else ""
    if not one.right_times:
        # The books are ours: days that they lack are missing, but for what is still to come.
        ended = issuer in books and booked >= books[issuer].last
        return IN_TRANSIT if ended and young else ""
    return ""


def _sum(issuer: str, why: str, unit: str, rows: Sequence[tuple[int, date]]) -> Outside:
    amount = sum(row[0] for row in rows)
    return Outside(issuer, why, unit, len(rows), amount, min(row[1] for row in rows))
