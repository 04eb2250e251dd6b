"""Periods as people write them."""

from __future__ import annotations

from datetime import date

import pytest

from services.accrual.lookup.statement import parse_period
from services.kernel.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("2026-03-05", date(2026, 3, 5), date(2026, 3, 5)),
        ("2026-03..2026-05", date(2026, 3, 1), date(2026, 5, 31)),
        ("2025..2026-03-05", date(2025, 1, 1), date(2026, 3, 5)),
    ],
)
def test_a_period_is_a_year_a_month_a_day_or_a_range(text: str, first: date, last: date) -> None:
    assert parse_period(text) == (first, last)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no period"),
        ("March", "is no period"),
        ("2026-13", "is no period"),
        ("2026-02-30", "is no period"),
        ("0000", "is no period"),
        ("2026-03..", "is no period"),
        ("2026-1", "is no period"),
        ("2026-05..2026-03", "ends before it begins"),
    ],
)
def test_anything_else_is_refused_with_the_forms_that_are_known(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as refused:
        parse_period(text)
    assert repr(text) in str(refused.value)
