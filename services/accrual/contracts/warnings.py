"""What a contract may say but probably does not mean. A warning refuses nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import pairwise

from iso18245 import MCCNotFound, get_mcc

from services.accrual.contracts.clauses import Condition, OwnCap
from services.accrual.contracts.compile import cap_terms
from services.accrual.contracts.document import Path
from services.accrual.contracts.model import Rule
from services.accrual.contracts.parse import Signed
from services.accrual.contracts.versions import by_contract, meeting
from services.kernel.errors import Problem
from services.kernel.units import is_unit


def warnings_of(signed: Iterable[Signed]) -> tuple[Problem, ...]:
    """Every warning about versions and between them, each in the form of a problem."""
    found: list[Problem] = []
    for versions in by_contract(signed):
        for one in versions:
            found.extend(_unit(one))
            found.extend(_codes(one))
            found.extend(_idle_rules(one))
        found.extend(_gaps(versions))
        found.extend(_idle_restarts(versions))
    return tuple(dict.fromkeys(found))


def _unit(one: Signed) -> Iterator[Problem]:
    currency = one.contract.currency
    if is_unit(currency) and re.fullmatch("[A-Z]{3}", currency):
        why = "is no ISO 4217 code: it is counted as a unit of its own, in whole numbers"
        yield one.document.problem(("currency",), why)


def _codes(one: Signed) -> Iterator[Problem]:
    """Single merchant category codes that no list has."""
    conditions: list[tuple[Path, Condition]] = [
        (("rules", index, "when"), rule.when)
        for index, rule in enumerate(one.contract.rules)
        if rule.when is not None
    ]
    conditions += [(("exclude", i), given) for i, given in enumerate(one.contract.exclude or ())]
    for path, condition in conditions:
        for index, code in enumerate(condition.mcc or ()):
            if "-" not in code and not _listed(code):
                yield one.document.problem((*path, "mcc", index), "no such merchant category")


def _listed(code: str) -> bool:
    try:
        get_mcc(code)
    except MCCNotFound:
        return False
    return True


def _idle_rules(one: Signed) -> Iterator[Problem]:
    """Rules that can never earn."""
    term = one.contract.term
    for index, rule in enumerate(one.contract.rules):
        dates = rule.when.dates if rule.when is not None else None
        if dates is not None and (dates.last < term.first or term.last < dates.first):
            path = ("rules", index, "when", "dates")
            yield one.document.problem(path, "lie outside the term: the rule can never apply")
        winner = next((other for other in one.contract.rules if _always_wins(other, rule)), None)
        if winner is not None:
            why = f"can never win: `{winner.id}` takes every purchase of the group"
            yield one.document.problem(("rules", index, "priority"), why)


def _always_wins(winner: Rule, rule: Rule) -> bool:
    return (
        rule.exclusive_group is not None
        and winner.exclusive_group == rule.exclusive_group
        and (winner.priority or 0) > (rule.priority or 0)
        and winner.when is None
        and winner.minimum_transaction is None
    )


def _gaps(versions: list[Signed]) -> Iterator[Problem]:
    """Days between versions that none of them governs."""
    by_first = sorted(versions, key=lambda one: one.contract.term.first)
    covered = by_first[0].contract.term.last
    for _, later in pairwise(by_first):
        term = later.contract.term
        if covered < term.first - timedelta(days=1):
            free = covered + timedelta(days=1)
            why = f"no version governs {free} to {term.first - timedelta(days=1)}"
            yield later.document.problem(("term", "from"), why)
        covered = max(covered, term.last)


def _idle_restarts(versions: list[Signed]) -> Iterator[Problem]:
    """Caps that say they start afresh while nothing of theirs changed."""
    terms = [one.contract for one in versions]
    for later in versions:
        for index, rule in enumerate(later.contract.rules):
            cap = rule.cap
            if not isinstance(cap, OwnCap) or cap.mid_period is None:
                continue
            same = [
                one
                for one in versions
                if one.contract.version < later.contract.version
                and any(
                    old.id == rule.id
                    and cap_terms(one.contract, old) == cap_terms(later.contract, rule)
                    for old in one.contract.rules
                )
                and meeting(one.contract, later.contract, per=cap.per, versions=terms)
            ]
            if same:
                why = f"does not restart: its terms are those of version {same[0].id}"
                path = ("rules", index, "cap", "mid_period")
                yield later.document.problem(path, why)
