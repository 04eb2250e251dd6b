"""The part of a condition that looks at codes only: the same for all purchases of a kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from services.accrual.contracts.clauses import Condition
from services.accrual.contracts.conditions import fits
from services.accrual.contracts.terms import Condition as Test

CODES = frozenset({"mcc", "merchant", "country", "channel", "product"})


def steady_part(condition: Condition | None, when: Test, zone: ZoneInfo) -> Test | None:
    """`when` itself where codes are all that it looks at, None where it looks at none."""
    if condition is None or _only_codes(condition):
        return when
    kept = {key: getattr(condition, key) for key in _given(condition) & CODES}
    unless = tuple(entry for entry in condition.unless or () if _only_codes(entry))
    if unless:
        kept["unless"] = unless
    return fits(Condition.model_construct(**kept), zone) if kept else None


def merchants_of(conditions: Iterable[Condition | None]) -> Iterator[str]:
    """Every merchant id that one of the conditions names, in an `unless` too."""
    for condition in conditions:
        if condition is not None:
            yield from condition.merchant or ()
            yield from merchants_of(condition.unless or ())


def _only_codes(condition: Condition) -> bool:
    return _given(condition) <= CODES | {"unless"} and all(map(_only_codes, condition.unless or ()))


def _given(condition: Condition) -> set[str]:
    return {key for key, value in condition if value is not None}
