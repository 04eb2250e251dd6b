"""Periods: their names, their first and last days, and which lie within which."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.calendar import Per, nests, period_of, span_of

OPENED, CYCLE_DAY = date(2020, 3, 5), 31


@pytest.mark.parametrize(
    ("per", "name"),
    [
        (Per.DAY, "2026-03-05"), (Per.WEEK, "2026-W10"), (Per.MONTH, "2026-03"),
        (Per.QUARTER, "2026-Q1"), (Per.YEAR, "2026"), (Per.LIFETIME, "lifetime"),
        (Per.MEMBERSHIP_YEAR, "2026-03-05..2027-03-04"),
        (Per.BILLING_CYCLE, "2026-03-01..2026-03-31"),
    ],
)  # fmt: skip
def test_a_period_has_the_name_that_exports_show(per: Per, name: str) -> None:
    assert period_of(date(2026, 3, 5), per, OPENED, CYCLE_DAY) == name


@pytest.mark.parametrize(
    ("day", "name"),
    [(date(2027, 1, 3), "2026-W53"), (date(2025, 12, 29), "2026-W01"), (date(1, 1, 1), "0001-W01")],
)
def test_a_week_belongs_to_the_year_of_its_thursday(day: date, name: str) -> None:
    assert period_of(day, Per.WEEK) == name


@pytest.mark.parametrize(
    ("day", "span"),
    [
        (date(2026, 2, 27), (date(2025, 2, 28), date(2026, 2, 27))),
        (date(2026, 2, 28), (date(2026, 2, 28), date(2027, 2, 27))),
        (date(2028, 2, 28), (date(2027, 2, 28), date(2028, 2, 28))),
        (date(2028, 2, 29), (date(2028, 2, 29), date(2029, 2, 27))),
        (date(2024, 2, 28), (date(2023, 2, 28), date(2024, 2, 28))),
    ],
)
def test_an_account_of_29_february_has_its_anniversary_on_the_28th(
    day: date, span: tuple[date, date]
) -> None:
    assert span_of(day, Per.MEMBERSHIP_YEAR, date(2024, 2, 29)) == span


@pytest.mark.parametrize(
    ("cycle_day", "day", "span"),
    [
        (10, date(2026, 3, 10), (date(2026, 2, 11), date(2026, 3, 10))),
        (10, date(2026, 3, 11), (date(2026, 3, 11), date(2026, 4, 10))),
        (30, date(2026, 2, 28), (date(2026, 1, 31), date(2026, 2, 28))),
        (30, date(2026, 3, 1), (date(2026, 3, 1), date(2026, 3, 30))),
        (30, date(2026, 3, 31), (date(2026, 3, 31), date(2026, 4, 30))),
        (15, date(2026, 12, 16), (date(2026, 12, 16), date(2027, 1, 15))),
        (15, date(2026, 1, 15), (date(2025, 12, 16), date(2026, 1, 15))),
    ],
)
def test_a_billing_cycle_closes_on_its_day_or_the_last_of_the_month(
    cycle_day: int, day: date, span: tuple[date, date]
) -> None:
    assert span_of(day, Per.BILLING_CYCLE, None, cycle_day) == span


@pytest.mark.parametrize("per", [Per.MEMBERSHIP_YEAR, Per.BILLING_CYCLE])
def test_a_period_of_an_account_needs_the_accounts_date(per: Per) -> None:
    with pytest.raises(ValueError, match="is counted from the account's"):
        period_of(date(2026, 3, 5), per)


@given(
    day=st.dates(), per=st.sampled_from(Per), opened_on=st.dates(),
    cycle_day=st.integers(min_value=1, max_value=31),
)  # fmt: skip
def test_periods_of_a_kind_follow_each_other_without_gap_or_overlap(
    day: date, per: Per, opened_on: date, cycle_day: int
) -> None:
    first, last = span_of(day, per, opened_on, cycle_day)
    assert first <= day <= last
    name = period_of(day, per, opened_on, cycle_day)
    for other in (first, last):
        assert span_of(other, per, opened_on, cycle_day) == (first, last)
        assert period_of(other, per, opened_on, cycle_day) == name
    if last < date.max:
        after = last + timedelta(days=1)
        assert span_of(after, per, opened_on, cycle_day)[0] == after
        assert period_of(after, per, opened_on, cycle_day) != name


NESTED = {
    Per.DAY: set(Per),
    Per.WEEK: {Per.WEEK},
    Per.MONTH: {Per.MONTH, Per.QUARTER, Per.YEAR},
    Per.QUARTER: {Per.QUARTER, Per.YEAR},
    Per.YEAR: {Per.YEAR},
    Per.MEMBERSHIP_YEAR: {Per.MEMBERSHIP_YEAR},
    Per.BILLING_CYCLE: {Per.BILLING_CYCLE},
    Per.LIFETIME: set(),
}


@pytest.mark.parametrize(("narrow", "wide"), list(product(Per, Per)))
def test_a_period_nests_in_another_where_it_never_crosses_its_edge(narrow: Per, wide: Per) -> None:
    assert nests(narrow, wide) == (wide in NESTED[narrow] | {Per.LIFETIME})
    if not nests(narrow, wide):
        return
    for offset in range(0, 3_000, 7):
        day = OPENED + timedelta(days=offset)
        first, last = span_of(day, narrow, OPENED, CYCLE_DAY)
        around = span_of(day, wide, OPENED, CYCLE_DAY)
        assert around[0] <= first <= last <= around[1]
