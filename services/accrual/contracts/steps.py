"""Checks across keys: tables whose steps rise, and functions of a total that never fall."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from services.accrual.contracts.document import Document, Path
from services.kernel.rates import parse_exact
from services.kernel.units import exponent_of


def check_steps(document: Document) -> None:
    """Note steps out of order, whole bands that take back, units finer than their rounding."""
    for index in range(document.size("rules")):
        rule: Path = ("rules", index)
        _check_rising(document, (*rule, "bands", "steps"), "from")
        _check_rising(document, (*rule, "threshold", "steps"), "reach")
        _check_rising(document, (*rule, "threshold", "steps"), "units")
        if document.text(*rule, "bands", "kind") == "whole":
            _check_whole(document, (*rule, "bands", "steps"))
        _check_scale(document, rule, (*rule, "count", "units"))
        for step in range(document.size(*rule, "threshold", "steps")):
            _check_scale(document, rule, (*rule, "threshold", "steps", step, "units"))


def _check_rising(document: Document, steps: Path, key: str) -> None:
    for before, index in pairwise(range(document.size(*steps))):
        earlier, given = document.text(*steps, before, key), document.text(*steps, index, key)
        if earlier is None or given is None:
            continue
        if Fraction(given) <= Fraction(earlier):
            why = f"must be more than {earlier}, that of the step before"
            document.report((*steps, index, key), why)


def _check_whole(document: Document, steps: Path) -> None:
    """F falls where the last minor unit before a step is worth more than the step itself."""
    currency = document.text("amount", "currency")
    if currency is None:
        return
    least = Fraction(1, 10 ** exponent_of(currency))
    for before, index in pairwise(range(document.size(*steps))):
        rates = [document.text(*steps, place, "units") for place in (before, index)]
        start = document.text(*steps, index, "from")
        if start is None or rates[0] is None or rates[1] is None:
            continue
        below = Fraction(rates[0]) * (Fraction(start) - least)
        if Fraction(rates[1]) * Fraction(start) < below:
            why = f"the reward falls at {start}: a whole band earns no less than the one before"
            document.report((*steps, index, "units"), f"{why} ({rates[0]})")


def _check_scale(document: Document, rule: Path, path: Path) -> None:
    text, scale = document.text(*path), document.text(*rule, "rounding", "scale")
    if text is None or scale is None:
        return
    try:
        parse_exact(text, decimals_max=int(scale))
    except ValueError:
        document.report(path, f"has more decimals than rounding.scale leaves ({scale})")
