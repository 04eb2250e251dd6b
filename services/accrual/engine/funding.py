"""Who pays: the parts of a grant, and the differences of the parts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from services.accrual.contracts.book import Book
from services.accrual.contracts.terms import Terms
from services.accrual.ledger.posting_rules import Change
from services.accrual.lifecycle.purchase import Grant, Purchase
from services.kernel.money import split

GrantKey = tuple[str, int, str, date, date]
"""Contract, version, rule, governing date, release date: what a grant is taken back under."""


def grant_key(grant: Grant) -> GrantKey:
    """The key of a grant within its purchase."""
    return (grant.contract, grant.version, grant.rule, grant.governing_on, grant.available_on)


def standing(grants: list[Grant]) -> dict[GrantKey, int]:
    """What is granted now, by key; zero rows are left out."""
    return {grant_key(grant): grant.granted for grant in grants if grant.granted}


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
        terms = book.terms(key[0], key[1])
        for funder, amount in _parts(terms, old, new):
            changes.append(
                Change(
                    entry, purchase.stream_id, purchase.number, key[0], key[1], key[2], funder,
                    terms.unit, amount, key[3], effective_on(key[0]), key[4],
                )
            )  # fmt: skip
        entry += 1
    return changes


def _parts(terms: Terms, old: int, new: int) -> list[tuple[str, int]]:
    """The difference of each funder's part; they add up to `new − old`."""
    if len(terms.funders) == 1:
        return [(terms.funders[0], new - old)]
    was = split(old, shares=terms.shares, remainder=terms.remainder)
    now = split(new, shares=terms.shares, remainder=terms.remainder)
    return [
        (funder, part - part_before)
        for funder, part, part_before in zip(terms.funders, now, was, strict=True)
        if part != part_before
    ]
