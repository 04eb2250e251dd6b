"""`when` and `exclude` as functions of a purchase's facts, made once per version."""

from __future__ import annotations

from collections.abc import Iterable

from services.accrual.contracts.clauses import Condition, Span
from services.accrual.contracts.terms import Condition as Test
from services.accrual.contracts.terms import Facts


def always(_: Facts) -> bool:
    """The condition of a rule without `when`."""
    return True


def never(_: Facts) -> bool:
    """The exclusion of a contract without `exclude`."""
    return False


def fits(condition: Condition | None) -> Test:
    """Whether every key of the condition holds. An absent fact fulfils none."""
    if condition is None:
        return always
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
    if condition.dates is not None:
        tests.append(_dates(condition.dates))
    return tests[0] if len(tests) == 1 else _all_of(tuple(tests))


def fits_any(conditions: Iterable[Condition] | None) -> Test:
    """Whether one of the conditions holds."""
    tests = tuple(fits(condition) for condition in conditions or ())
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


def _dates(span: Span) -> Test:
    first, last = span.first, span.last
    return lambda facts: first <= facts.governing_on <= last


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
