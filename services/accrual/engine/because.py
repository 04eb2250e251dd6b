"""Which keys of a condition hold for a purchase and which do not, each with the fact beside it, as
a person says it: "its merchant category 5411 is none of 5812–5814".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from services.accrual.contracts.clauses import Activated, Condition, Hours, Span
from services.accrual.contracts.conditions import fits
from services.accrual.contracts.terms import Facts
from services.kernel.calendar import wall_clock

_FACTS = {
    "mcc": "its merchant category",
    "merchant": "its merchant id",
    "merchant_name": "its merchant's name",
    "city": "its city",
    "country": "its country",
    "currency": "its merchant's currency",
    "product": "its card product",
}
_CHANNELS = {
    "IN_STORE": "in a store", "ONLINE": "online", "PHONE": "by phone",
    "RECURRING": "as a recurring payment",
}  # fmt: skip
_DAYS = {
    "MON": "Monday", "TUE": "Tuesday", "WED": "Wednesday", "THU": "Thursday", "FRI": "Friday",
    "SAT": "Saturday", "SUN": "Sunday",
}  # fmt: skip


def unmet(condition: Condition, facts: Facts, zone: ZoneInfo) -> list[str]:
    """Why a condition does not hold: every key that does not, in the order of the language."""
    return [
        text
        for key, value in _given(condition)
        if not _holds(key, value, facts, zone)
        for text in _said(key, value, facts, zone, holds=False)
    ]


def met(condition: Condition, facts: Facts, zone: ZoneInfo) -> str:
    """What it is of the purchase that fulfils a condition that holds."""
    texts = [
        text
        for key, value in _given(condition)
        for text in _said(key, value, facts, zone, holds=True)
    ]
    return " and ".join(texts)


def first_met(conditions: Iterable[Condition], facts: Facts, zone: ZoneInfo) -> str:
    """`met` of the first condition that holds; empty when none does."""
    for condition in conditions:
        if fits(condition, zone)(facts):
            return met(condition, facts, zone)
    return ""


def _given(condition: Condition) -> list[tuple[str, Any]]:
    return [(key, value) for key, value in condition if value is not None]


def _holds(key: str, value: Any, facts: Facts, zone: ZoneInfo) -> bool:
    return fits(Condition.model_construct(**{key: value}), zone)(facts)


def _said(key: str, value: Any, facts: Facts, zone: ZoneInfo, *, holds: bool) -> list[str]:
    """One key in words; several texts for `attributes`, whose names stand for themselves."""
    if key in _FACTS:
        fact: str | None = getattr(facts, key)
        if key == "merchant_name" and fact is not None:
            fact = f"“{fact}”"
        return [_listed(_FACTS[key], fact, [_value(key, one) for one in value], holds=holds)]
    match value:
        case Mapping():
            return _attributes(value, facts, holds=holds)
        case Span():
            return [_dates(value, facts, holds=holds)]
        case Hours():
            _, minute = wall_clock(facts.occurred_at, zone)
            clock, within = f"{minute // 60:02}:{minute % 60:02}", f"{value.first}–{value.last}"
            return [f"it was bought at {clock}, {_in(holds)} {within}"]
        case Activated():
            return [_activated(value, facts, holds=holds)]
    if key == "weekdays":
        day, _ = wall_clock(facts.occurred_at, zone)
        days = " or ".join(_DAYS[one] for one in value)
        bought = f"it was bought on a {tuple(_DAYS.values())[day.weekday()]}"
        return [bought if holds else f"{bought}, not on a {days}"]
    if key == "channel":
        return [_channel(value, facts, holds=holds)]
    if key == "first_days":
        return [_first_days(value, facts, holds=holds)]
    if key == "unless":
        if holds:
            return ["nothing of what is left out fits it"]
        return [f"it is left out, as {first_met(value, facts, zone)}"]
    raise ValueError(f"{key} is no key of a condition")


def _value(key: str, value: object) -> str:
    text = str(value)
    if key == "mcc":
        return text.replace("-", "–")
    return f"“{text}”" if key == "merchant_name" else text


def _listed(name: str, fact: str | None, values: list[str], *, holds: bool) -> str:
    if fact is None:
        return f"{name} is not known"
    several = len(values) > 1 or "–" in values[0] or values[0].endswith("*”")
    verb = ("is one of" if several else "is") if holds else ("is none of" if several else "is not")
    if holds and not several:
        return f"{name} is {fact}"
    return f"{name} {fact} {verb} {', '.join(values)}"


def _channel(wanted: Iterable[str], facts: Facts, *, holds: bool) -> str:
    if facts.channel is None:
        return "its channel is not known"
    paid = f"it was paid {_CHANNELS[facts.channel]}"
    return paid if holds else f"{paid}, not {' or '.join(_CHANNELS[one] for one in wanted)}"


def _attributes(wanted: Mapping[str, tuple[str, ...]], facts: Facts, *, holds: bool) -> list[str]:
    return [
        _listed(f"its {name}", facts.attributes.get(name), list(values), holds=holds)
        for name, values in wanted.items()
        if holds or facts.attributes.get(name) not in values
    ]


def _dates(span: Span, facts: Facts, *, holds: bool) -> str:
    day = facts.governing_on
    if span.first == span.last:
        return f"its date {day} is {'' if holds else 'not '}{span.first}"
    return f"its date {day} is {_in(holds)} {span.first} to {span.last}"


def _first_days(days: int, facts: Facts, *, holds: bool) -> str:
    opened_on, day = facts.account.opened_on, facts.governing_on
    if opened_on is None:
        return "the account's opening date is not known"
    nth = (day - opened_on).days + 1
    if nth < 1:
        return f"its date {day} is before the account's opening on {opened_on}"
    return (
        f"its date {day} is day {nth} of the account, opened on {opened_on}, "
        f"{_in(holds)} its first {days} days"
    )


def _activated(clause: Activated, facts: Facts, *, holds: bool) -> str:
    day, found = facts.governing_on, facts.account.activations(clause.code)
    if not found:
        return f"the account has not activated {clause.code}"
    begun = [span for span in found if span[0] <= day]
    if holds:
        standing = [first for first, end in found if end is None or day < end]
        return f"the account activated {clause.code} on {standing[0]}"
    if begun or clause.counts == "always":
        first, end = (begun or list(found))[-1]
        return (
            f"the account activated {clause.code} on {first} and withdrew it on {end}, "
            f"not later than its date {day}"
        )
    return f"the account activated {clause.code} on {found[0][0]}, after its date {day}"


def _in(holds: bool) -> str:
    return "in" if holds else "not in"
