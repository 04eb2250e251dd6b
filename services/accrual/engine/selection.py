"""Which rules of a version can hold for a purchase: asked once for every kind of purchase.

Most conditions look at MCC, merchant, country, channel and product only (`Rule.steady`). What they
say of a kind of purchase is remembered with the version, so that a decision asks none of them
again, however many rules there are.
"""

from __future__ import annotations

from typing import NamedTuple

from services.accrual.contracts.terms import Condition, Facts, Rule, Running, Terms
from services.kernel.calendar import Per


class Candidate(NamedTuple):
    """A rule that can hold for purchases of some kind, and what is still to be asked."""

    rule: Rule
    rest: Condition | None
    """None: nothing, it holds."""
    dates: tuple[str, ...]
    """Dates of the account (`opened_on`, `cycle_day`) without which it does not hold."""


class Selection(NamedTuple):
    """The rules of a version for purchases of some kind."""

    candidates: tuple[Candidate, ...]
    """In the contract's order."""
    passed_over: bool
    """Whether some rule cannot hold for them."""
    standing: tuple[Rule, ...] | None
    """Those that earn, where nothing is left to be asked of any; else None."""


KINDS_KEPT = 16_384
"""Kinds of purchases remembered of a version; there are fewer, unless somebody plays with codes."""

_ANCHORS = {Per.MEMBERSHIP_YEAR: "opened_on", Per.BILLING_CYCLE: "cycle_day"}


def select(terms: Terms, facts: Facts) -> Selection:
    """The rules whose `steady` part holds."""
    merchant = facts.merchant
    if terms.merchants is not None and merchant not in terms.merchants:
        merchant = None  # a merchant that nobody names is like any other
    looks = (facts.mcc, merchant, facts.country, facts.channel, facts.product)
    found: Selection | None = terms.selections.get(looks)
    if found is None:
        if len(terms.selections) >= KINDS_KEPT:
            terms.selections.clear()
        found = terms.selections[looks] = _selected(terms, facts)
    return found


def _selected(terms: Terms, facts: Facts) -> Selection:
    candidates = tuple(
        Candidate(rule, None if rule.when is rule.steady else rule.when, _dates(rule.totals))
        for rule in terms.rules
        if rule.steady is None or rule.steady(facts)
    )
    asks = terms.release.per is Per.BILLING_CYCLE or any(
        rest is not None or dates or rule.minimum is not None or rule.best is not None
        for rule, rest, dates in candidates
    )
    return Selection(
        candidates,
        len(candidates) < len(terms.rules),
        None if asks else _winners([rule for rule, _, _ in candidates]),
    )


def _dates(totals: tuple[Running, ...]) -> tuple[str, ...]:
    """The dates of an account that the periods of these totals are counted from."""
    periods = {total.per for total in totals}
    return tuple(name for per, name in _ANCHORS.items() if per in periods)


def _winners(rules: list[Rule]) -> tuple[Rule, ...]:
    """Of rules that all hold, those without a group and the first by priority of every group."""
    return tuple(
        rule
        for rule in rules
        if rule.group is None
        or not any(other.group == rule.group and other.priority > rule.priority for other in rules)
    )
