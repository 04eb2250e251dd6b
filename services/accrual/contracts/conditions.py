"""`when` and `exclude` as functions of a purchase's facts, made once per version."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from services.accrual.contracts.clauses import Activated, Condition, Hours, Span
from services.accrual.contracts.clauses.conditions import WEEKDAYS
from services.accrual.contracts.terms import Condition as Test
from services.accrual.contracts.terms import Facts
from services.kernel.calendar import minutes_of, wall_clock


def always(_: Facts) -> bool:
    """The condition of a rule without `when`."""
    return True


def never(_: Facts) -> bool:
    """The exclusion of a contract without `exclude`."""
    return False


def fits(condition: Condition | None, zone: ZoneInfo) -> Test:
    """Whether every key of the condition holds. An absent fact fulfils none.

    Days of the week and hours are those on the wall in `zone`.
    """
    if condition is None:
        return always
    tests = (*_codes(condition), *_texts(condition), *_times(condition, zone))
    return tests[0] if len(tests) == 1 else _all_of(tests)


def fits_any(conditions: Iterable[Condition] | None, zone: ZoneInfo) -> Test:
    """Whether one of the conditions holds."""
    tests = tuple(fits(condition, zone) for condition in conditions or ())
    if not tests:
        return never
    return tests[0] if len(tests) == 1 else _any_of(tests)


def merchant_codes(given: Iterable[str]) -> frozenset[str]:
    """Every code that a list of codes and ranges names."""
    codes: set[str] = set()
    for entry in given:
        first, _, last = entry.partition("-")
        codes.update(f"{code:04d}" for code in range(int(first), int(last or first) + 1))
    return frozenset(codes)


@lru_cache(maxsize=8192)
def folded(text: str) -> str:
    """A name without regard to case and width of letters: NFKC, casefolded."""
    return unicodedata.normalize("NFKC", text).casefold()


def _codes(condition: Condition) -> list[Test]:
    tests: list[Test] = []
    if condition.mcc is not None:
        tests.append(_mcc(merchant_codes(condition.mcc)))
    if condition.merchant is not None:
        tests.append(_merchant(frozenset(condition.merchant)))
    if condition.country is not None:
        tests.append(_country(frozenset(condition.country)))
    if condition.channel is not None:
        tests.append(_channel(frozenset(map(str, condition.channel))))
    if condition.product is not None:
        tests.append(_product(frozenset(condition.product)))
    return tests


def _texts(condition: Condition) -> list[Test]:
    tests: list[Test] = []
    if condition.currency is not None:
        tests.append(_currency(frozenset(condition.currency)))
    if condition.merchant_name is not None:
        tests.append(_merchant_name(condition.merchant_name))
    if condition.city is not None:
        tests.append(_city(frozenset(map(folded, condition.city))))
    if condition.attributes is not None:
        tests.append(_attributes(condition.attributes))
    return tests


def _times(condition: Condition, zone: ZoneInfo) -> list[Test]:
    tests: list[Test] = []
    if condition.dates is not None:
        tests.append(_dates(condition.dates))
    if condition.weekdays is not None:
        tests.append(_weekdays(frozenset(map(WEEKDAYS.index, condition.weekdays)), zone))
    if condition.hours is not None:
        tests.append(_hours(condition.hours, zone))
    if condition.first_days is not None:
        tests.append(_first_days(condition.first_days))
    if condition.activated is not None:
        tests.append(_activated(condition.activated))
    if condition.unless is not None:
        tests.append(_none_of(fits_any(condition.unless, zone)))
    return tests


def _mcc(codes: frozenset[str]) -> Test:
    return lambda facts: facts.mcc in codes


def _merchant(ids: frozenset[str]) -> Test:
    return lambda facts: facts.merchant in ids


def _country(codes: frozenset[str]) -> Test:
    return lambda facts: facts.country in codes


def _channel(names: frozenset[str]) -> Test:
    return lambda facts: facts.channel in names


def _product(codes: frozenset[str]) -> Test:
    return lambda facts: facts.product in codes


def _currency(codes: frozenset[str]) -> Test:
    return lambda facts: facts.currency in codes


def _merchant_name(brands: tuple[str, ...]) -> Test:
    names = frozenset(folded(brand) for brand in brands if not brand.endswith("*"))
    beginnings = tuple(folded(brand[:-1]) for brand in brands if brand.endswith("*"))

    def named(facts: Facts) -> bool:
        if facts.merchant_name is None:
            return False
        name = folded(facts.merchant_name)
        return name in names or name.startswith(beginnings)

    return named


def _city(cities: frozenset[str]) -> Test:
    return lambda facts: facts.city is not None and folded(facts.city) in cities


def _attributes(wanted: Mapping[str, tuple[str, ...]]) -> Test:
    pairs = tuple((name, frozenset(values)) for name, values in wanted.items())
    return lambda facts: all(facts.attributes.get(name) in values for name, values in pairs)


def _dates(span: Span) -> Test:
    first, last = span.first, span.last
    return lambda facts: first <= facts.governing_on <= last


def _weekdays(days: frozenset[int], zone: ZoneInfo) -> Test:
    return lambda facts: wall_clock(facts.occurred_at, zone)[0].weekday() in days


def _hours(hours: Hours, zone: ZoneInfo) -> Test:
    first, last = minutes_of(hours.first), minutes_of(hours.last)
    if first < last:
        return lambda facts: first <= wall_clock(facts.occurred_at, zone)[1] < last

    def over_midnight(facts: Facts) -> bool:
        minute = wall_clock(facts.occurred_at, zone)[1]
        return minute >= first or minute < last

    return over_midnight


def _first_days(days: int) -> Test:
    last = timedelta(days=days - 1)

    def new(facts: Facts) -> bool:
        opened_on = facts.account.opened_on
        return opened_on is not None and timedelta() <= facts.governing_on - opened_on <= last

    return new


def _activated(clause: Activated) -> Test:
    code, always_counts = clause.code, clause.counts == "always"

    def active(facts: Facts) -> bool:
        day = facts.governing_on
        for first, end in facts.account.activations(code):
            if (always_counts or first <= day) and (end is None or day < end):
                return True
        return False

    return active


def _none_of(some: Test) -> Test:
    return lambda facts: not some(facts)


def _all_of(tests: tuple[Test, ...]) -> Test:
    def every(facts: Facts) -> bool:
        for test in tests:  # noqa: SIM110  a generator costs twice as much per purchase
            if not test(facts):
                return False
        return True

    return every


def _any_of(tests: tuple[Test, ...]) -> Test:
    def some(facts: Facts) -> bool:
        for test in tests:  # noqa: SIM110  as above
            if test(facts):
                return True
        return False

    return some
