"""Checks across keys: numbers that must fit their currency and each other."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from services.accrual.contracts.chains import caps_of
from services.accrual.contracts.document import Document, Path
from services.kernel.rates import parse_exact
from services.kernel.units import exponent_of, is_currency


def check_amounts(document: Document) -> None:
    """Note every number with too many decimals, a wrong scale, a rate of the wrong kind."""
    spend, unit = document.text("amount", "currency"), document.text("currency")
    for index in range(document.size("rules")):
        rule: Path = ("rules", index)
        for path in _spends(document, rule) if spend is not None else ():
            _check_decimals(document, path, str(spend))
        for path in _rewards(document, rule) if unit is not None else ():
            _check_decimals(document, path, str(unit))
        for what in ("transaction", "reward"):
            _check_order(document, (*rule, f"minimum_{what}"), (*rule, f"maximum_{what}"))
        _check_scale(document, (*rule, "rounding", "scale"))
        _check_percent(document, (*rule, "earn", "percent"))
        _check_fixed(document, (*rule, "funding"))
    _check_fixed(document, ("funding",))
    for index in range(document.size("fees")):
        _check_scale(document, ("fees", index, "rounding", "scale"))


def _spends(document: Document, rule: Path) -> Iterator[Path]:
    """Amounts of spend in a rule."""
    yield (*rule, "minimum_transaction")
    yield (*rule, "maximum_transaction")
    yield (*rule, "earn", "per_block", "block")
    for index in range(document.size(*rule, "bands", "steps")):
        yield (*rule, "bands", "steps", index, "from")
    for index in range(document.size(*rule, "threshold", "steps")):
        yield (*rule, "threshold", "steps", index, "reach")
    for cap in caps_of(document, rule):
        if document.text(*cap, "of") == "spend":
            yield (*cap, "limit")


def _rewards(document: Document, rule: Path) -> Iterator[Path]:
    """Amounts of reward in a rule."""
    yield (*rule, "minimum_reward")
    yield (*rule, "maximum_reward")
    yield (*rule, "earn", "flat", "units")
    yield (*rule, "count", "units")
    for index in range(document.size(*rule, "threshold", "steps")):
        yield (*rule, "threshold", "steps", index, "units")
    for cap in caps_of(document, rule):
        if document.text(*cap, "of") == "reward":
            yield (*cap, "limit")


def _check_fixed(document: Document, funding: Path) -> None:
    unit = document.text("currency")
    for index in range(document.size(*funding)) if unit is not None else ():
        _check_decimals(document, (*funding, index, "fixed"), str(unit))


def _check_order(document: Document, least: Path, most: Path) -> None:
    minimum, maximum = document.text(*least), document.text(*most)
    if minimum is None or maximum is None:
        return
    if Fraction(minimum) > Fraction(maximum):
        document.report(most, f"is below {least[-1]} ({minimum})")


def _check_scale(document: Document, path: Path) -> None:
    unit, scale = document.text("currency"), document.text(*path)
    if unit is not None and scale is not None and int(scale) > exponent_of(unit):
        most = exponent_of(unit)
        document.report(path, f"must be at most {most}: {unit} has {decimals(unit)}")


def _check_decimals(document: Document, path: Path, currency: str) -> None:
    text = document.text(*path)
    if text is None:
        return
    try:
        parse_exact(text, decimals_max=exponent_of(currency))
    except ValueError:
        document.report(path, f"has too many decimals: {currency} has {decimals(currency)}")


def decimals(currency: str) -> str:
    """How many decimals a currency has, in words."""
    exponent = exponent_of(currency)
    return f"{exponent} decimals" if exponent else "no decimals"


def _check_percent(document: Document, path: Path) -> None:
    percent = document.text(*path)
    if percent is None:
        return
    if Fraction(percent) > 100 and "allow_over_100" not in document.names(*path[:-1]):
        why = "more than 100 percent: write `allow_over_100: true` beside it if that is meant"
        document.report(path, why)
        return
    unit, spend = document.text("currency"), document.text("amount", "currency")
    if unit is None or spend is None:
        return
    if not is_currency(unit):
        document.report(path, f"{unit} is no money: use per_unit, per_block or flat")
    elif unit != spend:
        document.report(path, f"earns {unit} on spend in {spend}: use per_unit, per_block or flat")
