"""Checks across keys: numbers that must fit their currency and each other, dates in order."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from services.accrual.contracts.document import Document, Path
from services.kernel.rates import parse_exact
from services.kernel.units import exponent_of, is_currency


def check_amounts(document: Document) -> None:
    """Note every number with too many decimals, a wrong scale, a rate of the wrong kind."""
    for index in range(document.size("rules")):
        rule: Path = ("rules", index)
        _check_spend(document, rule)
        _check_reward(document, rule)
        _check_percent(document, (*rule, "earn", "percent"))


def check_dates(document: Document) -> None:
    """Note every span of dates that ends before it starts, and conditions outside the term."""
    _check_order(document, ("term",))
    for index in range(document.size("rules")):
        _check_order(document, ("rules", index, "when", "dates"))
    for index in range(document.size("exclude")):
        _check_order(document, ("exclude", index, "dates"))


def _check_spend(document: Document, rule: Path) -> None:
    currency = document.text("amount", "currency")
    least, most = (*rule, "minimum_transaction"), (*rule, "maximum_transaction")
    if currency is not None:
        for path in (least, most, (*rule, "earn", "per_block", "block")):
            _check_decimals(document, path, currency)
    minimum, maximum = document.text(*least), document.text(*most)
    if minimum is None or maximum is None:
        return
    if Fraction(minimum) > Fraction(maximum):
        document.report(most, f"is below minimum_transaction ({minimum})")


def _check_reward(document: Document, rule: Path) -> None:
    unit = document.text("currency")
    if unit is None:
        return
    _check_decimals(document, (*rule, "cap", "limit"), unit)
    _check_decimals(document, (*rule, "earn", "flat", "units"), unit)
    path = (*rule, "rounding", "scale")
    scale = document.text(*path)
    if scale is not None and int(scale) > exponent_of(unit):
        most = exponent_of(unit)
        document.report(path, f"must be at most {most}: {unit} has {_decimals(unit)}")


def _check_decimals(document: Document, path: Path, currency: str) -> None:
    text = document.text(*path)
    if text is None:
        return
    try:
        parse_exact(text, decimals_max=exponent_of(currency))
    except ValueError:
        document.report(path, f"has too many decimals: {currency} has {_decimals(currency)}")


def _decimals(currency: str) -> str:
    exponent = exponent_of(currency)
    return f"{exponent} decimals" if exponent else "no decimals"


def _check_percent(document: Document, path: Path) -> None:
    unit, spend = document.text("currency"), document.text("amount", "currency")
    if document.text(*path) is None or unit is None or spend is None:
        return
    if not is_currency(unit):
        document.report(path, f"{unit} is no money: use per_unit, per_block or flat")
    elif unit != spend:
        document.report(path, f"earns {unit} on spend in {spend}: use per_unit, per_block or flat")


def _check_order(document: Document, path: Path) -> None:
    first, last = document.text(*path, "from"), document.text(*path, "to")
    if first is None or last is None:
        return
    if date.fromisoformat(last) < date.fromisoformat(first):
        document.report((*path, "to"), f"is before its `from` ({first})")
