"""The approved contracts of all issuers, ready to be asked which version applies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from services.accrual.contracts.terms import Governs, Rule, Running, Terms
from services.kernel.calendar import business_date, day_of

_POSTING = Governs.POSTING


@dataclass(frozen=True, slots=True)
class Agreement:
    """All approved versions of one contract, highest first."""

    contract: str
    versions: tuple[Terms, ...]

    def governing_on(self, occurred_at: int, posted_on: int | None) -> date | None:
        """The governing date; None when the contract goes by posting and there is no such date."""
        newest = self.versions[0]
        if newest.governs is _POSTING:
            return None if posted_on is None else day_of(posted_on)
        return business_date(occurred_at, newest.zone, newest.day_ends_minutes)

    def version_on(self, day: date) -> Terms | None:
        """The highest version whose term holds the day."""
        for terms in self.versions:
            if terms.first <= day <= terms.last:
                return terms
        return None


class Book:
    """Approved terms by issuer. Immutable; a later revision of the facts makes another book."""

    def __init__(self, approved: Iterable[Terms]) -> None:
        by_contract: dict[str, list[Terms]] = {}
        for terms in approved:
            by_contract.setdefault(terms.contract, []).append(terms)
        self._terms: dict[tuple[str, int], Terms] = {}
        by_issuer: dict[str, list[Agreement]] = {}
        for contract, found in sorted(by_contract.items()):
            found.sort(key=lambda terms: terms.version, reverse=True)
            by_issuer.setdefault(found[0].issuer, []).append(Agreement(contract, tuple(found)))
            self._terms.update({(contract, terms.version): terms for terms in found})
        self._rules = {
            (terms.contract, terms.version, rule.id): rule
            for terms in self._terms.values()
            for rule in terms.rules
        }
        self._by_issuer = {issuer: tuple(found) for issuer, found in by_issuer.items()}

    def agreements(self, issuer: str) -> tuple[Agreement, ...]:
        """The issuer's contracts in the order of their ids."""
        return self._by_issuer.get(issuer, ())

    def agreement(self, contract: str) -> Agreement | None:
        """One contract with its versions."""
        for agreements in self._by_issuer.values():
            for agreement in agreements:
                if agreement.contract == contract:
                    return agreement
        return None

    def terms(self, contract: str, version: int) -> Terms:
        """One version. KeyError when it is not approved."""
        return self._terms[contract, version]

    def all_terms(self) -> tuple[Terms, ...]:
        """Every approved version."""
        return tuple(self._terms.values())

    def rule(self, contract: str, version: int, rule: str) -> Rule:
        """One rule of a version. KeyError when there is none."""
        return self._rules[contract, version, rule]

    def totals(self, contract: str, version: int, rule: str) -> tuple[Running, ...]:
        """The totals that a rule passes, in order. KeyError when there is no such rule."""
        return self._rules[contract, version, rule].totals


def local_date(terms: Terms, occurred_at: int) -> date:
    """The business date of an instant in the contract's zone."""
    return business_date(occurred_at, terms.zone, terms.day_ends_minutes)


@lru_cache(maxsize=8192)
def days_later(day: date, days: int) -> date:
    """The date `days` calendar days after `day`."""
    return day + timedelta(days=days)
