"""Checks between the versions of one contract.

A higher version supersedes a lower one from its own first day. What decides which version applies
cannot change between them, and a total whose terms change while it runs must say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import combinations

from services.accrual.contracts.clauses import OwnCap
from services.accrual.contracts.compile import cap_terms
from services.accrual.contracts.document import Path
from services.accrual.contracts.model import Contract
from services.accrual.contracts.parse import Signed
from services.kernel.calendar import Per, period_of
from services.kernel.errors import Problem

FIXED: tuple[Path, ...] = (
    ("issuer",),
    ("program",),
    ("partner",),
    ("currency",),
    ("zone",),
    ("day_ends",),
    ("governing_date",),
    ("amount", "currency"),
)
"""What stays the same for the life of a contract."""


def check_versions(signed: Iterable[Signed]) -> tuple[Problem, ...]:
    """Every problem between versions. It is told of the higher one, or of the later in order."""
    problems: list[Problem] = []
    for versions in by_contract(signed):
        for later in versions[1:]:
            problems.extend(_unchanged(versions[0], later))
        for earlier, later in combinations(versions, 2):
            if earlier.contract.version == later.contract.version:
                problems.append(_same_version(earlier, later))
            else:
                problems.extend(_same_day(earlier, later))
                problems.extend(_restarts(earlier, later, versions))
    return tuple(dict.fromkeys(problems))


def by_contract(signed: Iterable[Signed]) -> list[list[Signed]]:
    """The versions of each contract, lowest first."""
    groups: dict[str, list[Signed]] = {}
    for one in signed:
        groups.setdefault(one.contract.contract, []).append(one)
    for versions in groups.values():
        versions.sort(key=lambda one: one.contract.version)
    return [groups[contract] for contract in sorted(groups)]


def _same_version(earlier: Signed, later: Signed) -> Problem:
    why = f"this version of {later.contract.contract} stands in {earlier.document.file} already"
    return later.document.problem(("version",), why)


def _unchanged(first: Signed, later: Signed) -> Iterator[Problem]:
    for path in FIXED:
        was, now = first.document.text(*path), later.document.text(*path)
        if was != now:
            why = f"cannot change between versions: it is {was} in {_named(first)}"
            yield later.document.problem(path, why)


def _same_day(earlier: Signed, later: Signed) -> Iterator[Problem]:
    if earlier.contract.term.first == later.contract.term.first:
        why = f"is the first day of {_named(earlier)} as well"
        yield later.document.problem(("term", "from"), why)


def _named(one: Signed) -> str:
    return f"version {one.contract.version} ({one.document.file})"


def _restarts(earlier: Signed, later: Signed, versions: Sequence[Signed]) -> Iterator[Problem]:
    """Caps of `later` that go on in a period of other terms without saying so."""
    old = {rule.id: (rule, cap_terms(earlier.contract, rule)) for rule in earlier.contract.rules}
    terms = [one.contract for one in versions]
    for index, rule in enumerate(later.contract.rules):
        if not isinstance(rule.cap, OwnCap) or rule.cap.mid_period or rule.id not in old:
            continue
        was, total = old[rule.id]
        if not isinstance(was.cap, OwnCap) or total == cap_terms(later.contract, rule):
            continue
        shared = meeting(earlier.contract, later.contract, per=rule.cap.per, versions=terms)
        if shared is not None:
            why = (
                f"differs from {_named(earlier)} inside {_period_name(rule.cap.per, shared)}: "
                "the count starts afresh, which must be said by `mid_period: restart`"
            )
            yield later.document.problem(("rules", index, "cap"), why)


def _period_name(per: Per, day: date) -> str:
    return "its lifetime" if per is Per.LIFETIME else f"the {per} {period_of(day, per)}"


def meeting(
    earlier: Contract, later: Contract, *, per: Per, versions: Sequence[Contract]
) -> date | None:
    """A day of a period that has days of both versions; None when they share no period.

    Days of a lower version count only where no higher one takes them.
    """
    for edge in (later.term.first, later.term.last):
        first, last = _period(edge, per)
        if _applies(earlier, first, last, versions) and _applies(later, first, last, versions):
            return edge
    return None


def _period(day: date, per: Per) -> tuple[date, date]:
    """The first and the last day of the period that holds the day."""
    if per is Per.DAY:
        return day, day
    if per is Per.MONTH:
        return day.replace(day=1), _month_end(day)
    if per is Per.YEAR:
        return date(day.year, 1, 1), date(day.year, 12, 31)
    return date.min, date.max


def _month_end(day: date) -> date:
    if day.month == 12:
        return day.replace(day=31)
    return day.replace(month=day.month + 1, day=1) - timedelta(days=1)


def _applies(contract: Contract, first: date, last: date, versions: Sequence[Contract]) -> bool:
    """Whether the version is the one that applies on any day of the span."""
    first, last = max(first, contract.term.first), min(last, contract.term.last)
    higher = [other.term for other in versions if other.version > contract.version]
    day: date | None = first
    while day is not None and day <= last:
        over = [term.last for term in higher if term.holds(day)]
        if not over:
            return True
        day = None if max(over) == date.max else max(over) + timedelta(days=1)
    return False
