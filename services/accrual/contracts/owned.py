"""The totals of two versions beside each other: which go on, which start afresh."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.accrual.contracts.clauses.rules import TotalClause
from services.accrual.contracts.document import Path
from services.accrual.contracts.model import Contract, Rule
from services.accrual.contracts.running import chains_of
from services.accrual.contracts.terms import Kind, Running
from services.kernel.calendar import Per, span_of

_LONGEST = {Per.MEMBERSHIP_YEAR: 365, Per.BILLING_CYCLE: 30}
"""Days between the first and the last day of a period that begins on a day of the account's."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A total with the rule that it is named after, its clause, and where that stands."""

    path: Path
    rule: Rule
    clause: TotalClause
    total: Running

    def says_the_same(self, other: Owned) -> bool:
        """Whether it differs from another by what it feeds only."""
        if _said(self.clause) != _said(other.clause):
            return False
        if self.rule.id != other.rule.id:
            return False
        return self.total.kind is Kind.CAP or (
            _said(self.rule.rounding) == _said(other.rule.rounding)
            and self.rule.earn == other.rule.earn
        )


def owned_totals(contract: Contract) -> tuple[Owned, ...]:
    """Every total of a version, once."""
    chains = chains_of(contract)
    found: list[Owned] = []
    for index, rule in enumerate(contract.rules):
        own = [total for total in chains[rule.id] if total.owner == rule.id]
        for (path, clause), total in zip(rule.own_totals(), own, strict=True):
            found.append(Owned(("rules", index, *path), rule, clause, total))
    return tuple(found)


def changed_totals(earlier: Contract, later: Contract) -> Iterator[tuple[Owned, Owned]]:
    """The totals of the later version that are not those of the earlier one, each with the one
    that it takes the place of. A total without such a one is new, and restarts nothing.

    A cap that another rule of its pool owns from now on is another total as well.
    """
    old, new = owned_totals(earlier), owned_totals(later)
    went_on = {_key(one.total) for one in old} & {_key(one.total) for one in new}
    left = [one for one in old if _key(one.total) not in went_on]
    chains = chains_of(earlier)
    for one in new:
        if _key(one.total) in went_on:
            continue
        before = {_key(total) for total in chains.get(one.rule.id, ())}
        alike = [
            was
            for was in left
            if _key(was.total) in before
            and (was.total.kind is Kind.CAP) == (one.total.kind is Kind.CAP)
        ]
        same = [was for was in alike if _period(was) == _period(one)]
        for was in (same or alike)[:1]:
            left.remove(was)
            yield was, one


def meeting(
    earlier: Contract, later: Contract, *, per: Per, versions: Sequence[Contract]
) -> date | None:
    """A day of a period that has days of both versions; None when they share no period.

    Days of a lower version count only where no higher one takes them. Of a period that begins on
    a day of the account's, any account's counts.
    """
    for edge in (later.term.first, later.term.last):
        first, last = _around(edge, per)
        if _applies(earlier, first, last, versions) and _applies(later, first, last, versions):
            return edge
    return None


def _said(clause: TotalClause) -> dict[str, object]:
    return clause.model_dump(exclude={"mid_period"})


def _key(total: Running) -> tuple[str, str]:
    return total.owner, total.terms


def _period(one: Owned) -> tuple[Per, str]:
    return one.total.per, one.total.scope


def _around(day: date, per: Per) -> tuple[date, date]:
    """The first and the last day that a period which holds the day can have."""
    if per not in _LONGEST:
        return span_of(day, per)
    days = timedelta(days=_LONGEST[per])
    first = day - days if day - date.min > days else date.min
    return first, day + days if date.max - day > days else date.max


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
