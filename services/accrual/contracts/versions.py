"""Checks between the versions of one contract.

A higher version supersedes a lower one from its own first day. What decides which version applies
cannot change between them, and a total whose terms change while it runs must say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import combinations

from services.accrual.contracts.document import Document, Path
from services.accrual.contracts.owned import changed_totals, meeting
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
    signed = list(signed)
    return (*check_heads(one.document for one in signed), *check_restarts(signed))


def check_heads(documents: Iterable[Document]) -> tuple[Problem, ...]:
    """What the heads of files show, those with other problems too."""
    groups: dict[str, list[Document]] = {}
    for document in documents:
        contract, version = document.text("contract"), document.text("version")
        if document.whole and contract is not None and version is not None:
            groups.setdefault(contract, []).append(document)
    problems: list[Problem] = []
    for contract in sorted(groups):
        versions = sorted(groups[contract], key=_version)
        for later in versions[1:]:
            problems.extend(_unchanged(versions[0], later))
        for earlier, later in combinations(versions, 2):
            if _version(earlier) == _version(later):
                problems.append(_same_version(earlier, later))
            else:
                problems.extend(_same_day(earlier, later))
    return tuple(dict.fromkeys(problems))


def check_restarts(signed: Iterable[Signed]) -> tuple[Problem, ...]:
    """Totals that start afresh in a running period without saying so."""
    problems: list[Problem] = []
    for versions in by_contract(signed):
        for earlier, later in combinations(versions, 2):
            if earlier.contract.version != later.contract.version:
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


def _version(document: Document) -> int:
    return int(document.text("version") or "0")


def _same_version(earlier: Document, later: Document) -> Problem:
    why = f"this version of {later.text('contract')} stands in {earlier.file} already"
    return later.problem(("version",), why)


def _unchanged(first: Document, later: Document) -> Iterator[Problem]:
    for path in FIXED:
        was, now = first.text(*path), later.text(*path)
        if was is not None and now is not None and was != now:
            why = f"cannot change between versions: it is {was} in {_named(first)}"
            yield later.problem(path, why)


def _same_day(earlier: Document, later: Document) -> Iterator[Problem]:
    first = later.text("term", "from")
    if first is not None and earlier.text("term", "from") == first:
        why = f"is the first day of {_named(earlier)} as well"
        yield later.problem(("term", "from"), why)


def _named(one: Document) -> str:
    return f"version {one.text('version')} ({one.file})"


def _restarts(earlier: Signed, later: Signed, versions: Sequence[Signed]) -> Iterator[Problem]:
    """Totals of `later` that start afresh in a running period without saying so."""
    terms = [one.contract for one in versions]
    for was, now in changed_totals(earlier.contract, later.contract):
        if now.clause.mid_period is not None:
            continue
        per = now.total.per
        shared = meeting(earlier.contract, later.contract, per=per, versions=terms)
        if shared is not None:
            how = "feeds a total that differs" if now.says_the_same(was) else "differs"
            why = (
                f"{how} from {_named(earlier.document)} inside {_period_name(per, shared)}: "
                "the count starts afresh, which must be said by `mid_period: restart`"
            )
            yield later.document.problem(now.path, why)


def _period_name(per: Per, day: date) -> str:
    if per is Per.LIFETIME:
        return "its lifetime"
    if per in (Per.MEMBERSHIP_YEAR, Per.BILLING_CYCLE):
        return f"a {per.replace('_', ' ')} that holds {day}"
    return f"the {per} {period_of(day, per)}"
