"""Who pays: the parts of a grant and its fees, and the differences of both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from services.accrual.contracts.book import Book
from services.accrual.contracts.terms import Rule, Terms
from services.accrual.ledger.posting_rules import Change
from services.accrual.lifecycle.purchase import Grant, Purchase

GrantKey = tuple[str, int, str, date, date]
"""Contract, version, rule, governing date, release date: what a grant is taken back under."""


def grant_key(grant: Grant) -> GrantKey:
    """The key of a grant within its purchase."""
    return (grant.contract, grant.version, grant.rule, grant.governing_on, grant.available_on)


def standing(grants: list[Grant]) -> dict[GrantKey, int]:
    """What is granted now, by key; zero rows are left out."""
    return {grant_key(grant): grant.granted for grant in grants if grant.granted}


def first_changes(
    purchase: Purchase, grant: Grant, terms: Terms, rule: Rule, *, on: date, entry: int
) -> list[Change]:
    """The changes that a grant makes where there was none, as one entry."""
    if len(rule.funding.funders) == 1 and not terms.fees:
        return [
            Change(
                entry, purchase.stream_id, purchase.number, grant.contract, grant.version,
                grant.rule, rule.funding.funders[0], grant.unit, grant.granted,
                grant.governing_on, on, grant.available_on,
            )
        ]  # fmt: skip
    return [
        Change(
            entry, purchase.stream_id, purchase.number, grant.contract, grant.version, grant.rule,
            funder, grant.unit, amount, grant.governing_on, on, grant.available_on, party,
        )
        for funder, party, amount in _parts(terms, rule, 0, grant.granted)
    ]  # fmt: skip


def differences(
    purchase: Purchase,
    before: dict[GrantKey, int],
    *,
    book: Book,
    effective_on: Callable[[str], date],
    entry: int,
) -> list[Change]:
    """The changes that turn `before` into the purchase's grants, clawbacks first.

    `effective_on` gives the accounting date by contract. Entries are numbered from `entry`.
    """
    after = standing(purchase.grants)
    if before == after:
        return []
    moved = [(key, amount, 0) for key, amount in before.items() if key not in after]
    moved += [(key, before.get(key, 0), amount) for key, amount in after.items()]
    if before:
        moved.sort(key=lambda item: item[2] > item[1])
    changes: list[Change] = []
    for key, old, new in moved:
        if old == new:
            continue
        terms, rule = book.terms(key[0], key[1]), book.rule(key[0], key[1], key[2])
        on = effective_on(key[0])
        for funder, party, amount in _parts(terms, rule, old, new):
            changes.append(
                Change(
                    entry, purchase.stream_id, purchase.number, key[0], key[1], key[2], funder,
                    terms.unit, amount, key[3], on, key[4], party,
                )
            )  # fmt: skip
        entry += 1
    return changes


def _parts(terms: Terms, rule: Rule, old: int, new: int) -> list[tuple[str, str, int]]:
    """The difference of each funder's part, which add up to `new − old`, and of each fee's: funder,
    party of a fee, amount."""
    funding = rule.funding
    funders = funding.funders
    if len(funders) == 1:
        parts = [(funders[0], "", new - old)]
    else:
        parts = [
            (funder, "", part - before)
            for funder, before, part in zip(
                funders, funding.split(old), funding.split(new), strict=True
            )
            if part != before
        ]
    for fee in terms.fees:
        more = fee.of(new) - fee.of(old)
        if more:
            parts.append((fee.funder, fee.party, more))
    return parts
