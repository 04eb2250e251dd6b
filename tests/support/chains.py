"""The naive model of running totals: which chain a rule goes through, and what each F gives.

A chain is at most one of bands, cap of spend, threshold, count or rounding per period, and then
the caps of reward from narrow to wide. Every link is a non-decreasing function of a running total
T; what comes out of one enters the next. Readings of the definition:

* Only a cap of reward is shared; a rule that shares keeps its own first link.
* The terms of a link hold those of the links that it feeds, so that a changed month cap starts
  the day cap before it afresh as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any

from tests.support.clauses import earn, exact, exponent, minor, rounded
from tests.support.dates import Document, Read

PERS = ("day", "week", "month", "quarter", "year", "membership_year", "billing_cycle", "lifetime")
SCOPES = ("card", "account")
CAP = "cap"
FIRST = ("bands", "spend", "threshold", "count", "rounding")


@dataclass(frozen=True)
class Link:
    """One running total that a rule goes through."""

    kind: str
    owner: str
    per: str
    scope: str
    terms: tuple[Any, ...]
    worth: Callable[[Fraction], int]
    """F(T), in minor units of what is earned."""
    limit: Fraction = Fraction(0)
    """Of a cap: of reward or of spend."""
    beyond: Fraction = Fraction(0)
    """Of a cap: what still counts past the limit."""
    starts: tuple[int, ...] = ()
    """Of bands: where each step begins."""

    def step_of(self, total: Fraction) -> int:
        """Of bands: how many steps a total has reached."""
        return sum(total >= start for start in self.starts)


@lru_cache(maxsize=4096)
def chain_of(document: Read, name: str) -> tuple[Link, ...]:
    """The links of a rule, in the order in which it goes through them."""
    rule = next(rule for rule in document["rules"] if rule["id"] == name)
    owner = rule
    if caps_of(rule) and "shared_with" in caps_of(rule)[0]:
        name = caps_of(rule)[0]["shared_with"]
        owner = next(other for other in document["rules"] if other["id"] == name)
    caps = [cap for cap in caps_of(owner) if cap["of"] == "reward"]
    links: list[Link] = []
    narrow_to_wide = sorted(caps, key=_width)
    for cap in reversed(narrow_to_wide):
        links.insert(0, _cap(document, owner, cap, links))
    first = first_kind(rule)
    if first is not None:
        links.insert(0, _first(document, rule, first, links))
    return tuple(links)


def caps_of(rule: Document) -> list[Document]:
    """The caps of a rule, one or several."""
    cap = rule.get("cap")
    if cap is None:
        return []
    return list(cap) if isinstance(cap, list) else [cap]


def first_kind(rule: Document) -> str | None:
    """What stands before the caps of reward, if anything does."""
    for kind in ("bands", "threshold", "count"):
        if kind in rule:
            return kind
    if any(cap.get("of") == "spend" for cap in caps_of(rule)):
        return "spend"
    return "rounding" if rule["rounding"]["level"] == "per_period" else None


def _width(cap: Document) -> tuple[int, int]:
    return PERS.index(cap["per"]), SCOPES.index(cap["scope"])


def _cap(document: Document, owner: Document, cap: Document, fed: list[Link]) -> Link:
    code = document["currency"]
    limit, beyond = minor(cap["limit"], code), exact(cap["beyond"])
    how = _how(owner) if beyond else ()
    own = (CAP, code, limit, cap["per"], cap["scope"], beyond, how)

    def worth(total: Fraction) -> int:
        if total <= limit:
            return int(total)
        return limit + rounded((total - limit) * beyond, owner["rounding"], code)

    terms = _feeding(own, fed)
    return Link(CAP, owner["id"], cap["per"], cap["scope"], terms, worth, Fraction(limit), beyond)


def _first(document: Document, rule: Document, kind: str, fed: list[Link]) -> Link:
    code, spend = document["currency"], document["amount"]["currency"]
    clause: Document = rule["rounding"]
    bent: tuple[Any, ...] = ()
    starts: tuple[int, ...] = ()
    limit, beyond = 0, Fraction(0)
    if kind == "count":
        clause = rule["count"]
        every, units = int(clause["every"]), minor(clause["units"], code)
        bent = (every, units)
        worth = partial(_count, every, units)
    elif kind == "threshold":
        clause = rule["threshold"]
        steps = [(minor(s["reach"], spend), minor(s["units"], code)) for s in clause["steps"]]
        bent = (*steps, _how(rule))
        worth = partial(_threshold, steps)
    elif kind == "bands":
        clause = rule["bands"]
        per_minor = Fraction(10 ** exponent(code), 10 ** exponent(spend))
        rates = [(minor(s["from"], spend), exact(s["units"]) * per_minor) for s in clause["steps"]]
        starts = tuple(start for start, _ in rates)
        bent = (clause["kind"], *rates, _how(rule))
        banded = _marginal if clause["kind"] == "marginal" else _whole
        worth = partial(_round_of, partial(banded, rates), rule, code)
    elif kind == "spend":
        clause = next(cap for cap in caps_of(rule) if cap["of"] == "spend")
        limit, beyond = minor(clause["limit"], spend), exact(clause["beyond"])
        bent = (limit, beyond, _earning(document, rule), _how(rule))
        worth = partial(
            _round_of, partial(_capped_spend, document, rule, limit, beyond), rule, code
        )
    else:
        bent = (_earning(document, rule), _how(rule))
        worth = partial(_round_of, lambda total: total, rule, code)
    own = (kind, code, spend, clause["per"], clause["scope"], bent)
    terms = _feeding(own, fed)
    per, scope = clause["per"], clause["scope"]
    return Link(kind, rule["id"], per, scope, terms, worth, Fraction(limit), beyond, starts)


def _feeding(own: tuple[Any, ...], fed: list[Link]) -> tuple[Any, ...]:
    return (*own, tuple(link.terms for link in fed))


def _how(rule: Document) -> tuple[str, str]:
    return rule["rounding"]["mode"], str(rule["rounding"]["scale"])


def _earning(document: Document, rule: Document) -> tuple[Any, ...]:
    """How a rule earns, as far as that bends F: 10 percent and 0.1 per unit are the same."""
    (how,) = rule["earn"].keys() - {"allow_over_100"}
    if how == "per_block":
        block = rule["earn"][how]
        return how, minor(block["block"], document["amount"]["currency"]), exact(block["units"])
    if how == "flat":
        return how, exact(rule["earn"][how]["units"])
    return "rate", earn(document, rule, 10**6)


# ── the functions ───────────────────────────────────────────────────────────────────────────


def _round_of(
    function: Callable[[Fraction], Fraction], rule: Document, code: str, total: Fraction
) -> int:
    return rounded(function(total), rule["rounding"], code)


def _count(every: int, units: int, total: Fraction) -> int:
    return units * int(total // every)


def _threshold(steps: list[tuple[int, int]], total: Fraction) -> int:
    return max((units for reach, units in steps if total >= reach), default=0)


def _marginal(rates: list[tuple[int, Fraction]], total: Fraction) -> Fraction:
    """Each part of T at the rate of its step."""
    found, above = Fraction(0), total
    for start, rate in reversed(rates):
        found += max(Fraction(0), above - start) * rate
        above = min(above, Fraction(start))
    return found


def _whole(rates: list[tuple[int, Fraction]], total: Fraction) -> Fraction:
    """All of T at the rate of the highest step that it reached."""
    reached = [rate for start, rate in rates if total >= start]
    return total * (reached[-1] if reached else 0)


def _capped_spend(
    document: Document, rule: Document, limit: int, beyond: Fraction, total: Fraction
) -> Fraction:
    spend = int(total)
    under = earn(document, rule, min(spend, limit))
    return under + beyond * earn(document, rule, max(0, spend - limit))
