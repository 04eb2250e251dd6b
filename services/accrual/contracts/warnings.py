"""What a contract may say but probably does not mean. A warning refuses nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise

from iso18245 import MCCNotFound, get_mcc

from services.accrual.contracts.clauses import Condition
from services.accrual.contracts.conditions import merchant_codes
from services.accrual.contracts.document import Path
from services.accrual.contracts.idle import idle_rules, low_caps
from services.accrual.contracts.owned import meeting, owned_totals
from services.accrual.contracts.parse import Signed
from services.accrual.contracts.versions import by_contract
from services.kernel.errors import Problem
from services.kernel.units import is_unit


def warnings_of(signed: Iterable[Signed]) -> tuple[Problem, ...]:
    """Every warning about versions and between them, each in the form of a problem."""
    found: list[Problem] = []
    for versions in by_contract(signed):
        for one in versions:
            found.extend(_unit(one))
            found.extend(_codes(one))
            found.extend(idle_rules(one))
            found.extend(low_caps(one))
        found.extend(_gaps(versions))
        found.extend(_idle_restarts(versions))
    return tuple(dict.fromkeys(found))


def _unit(one: Signed) -> Iterator[Problem]:
    currency = one.contract.currency
    if is_unit(currency) and re.fullmatch("[A-Z]{3}", currency):
        why = "is no ISO 4217 code: it is counted as a unit of its own, in whole numbers"
        yield one.document.problem(("currency",), why)


def _codes(one: Signed) -> Iterator[Problem]:
    """Merchant category codes that no list has, and ranges that hold none."""
    for path, condition in _conditions(one):
        for index, given in enumerate(condition.mcc or ()):
            if not any(map(_listed, merchant_codes((given,)))):
                why = "holds no merchant category" if "-" in given else "no such merchant category"
                yield one.document.problem((*path, "mcc", index), why)


def _conditions(one: Signed) -> Iterator[tuple[Path, Condition]]:
    for index, rule in enumerate(one.contract.rules):
        if rule.when is not None:
            yield from _with_unless(("rules", index, "when"), rule.when)
    for index, entry in enumerate(one.contract.exclude or ()):
        yield from _with_unless(("exclude", index), entry)


def _with_unless(path: Path, condition: Condition) -> Iterator[tuple[Path, Condition]]:
    yield path, condition
    for index, entry in enumerate(condition.unless or ()):
        yield from _with_unless((*path, "unless", index), entry)


@lru_cache(maxsize=10_000)
def _listed(code: str) -> bool:
    try:
        get_mcc(code)
    except MCCNotFound:
        return False
    return True


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
    """Totals that say they start afresh while nothing of theirs changed."""
    terms = [one.contract for one in versions]
    for place, later in enumerate(versions):
        for now in owned_totals(later.contract):
            if now.clause.mid_period is None:
                continue
            same = [
                one
                for one in versions[:place]
                if any(
                    was.rule.id == now.rule.id and was.total.terms == now.total.terms
                    for was in owned_totals(one.contract)
                )
                and meeting(one.contract, later.contract, per=now.total.per, versions=terms)
            ]
            if same:
                why = f"does not restart: its terms are those of version {same[0].id}"
                yield later.document.problem((*now.path, "mid_period"), why)
