"""Which running totals a batch may touch, so that they are loaded before it is decided."""

from __future__ import annotations

from collections.abc import Iterable

from services.accrual.batch import AccountId, Loaded
from services.accrual.contracts.book import Book
from services.accrual.engine.eligibility import Enrolments, facts_of, lacking
from services.accrual.engine.places import KIND_NAMES, period_in, scope_in
from services.accrual.engine.selection import select
from services.accrual.engine.totals import TotalKey, key_of
from services.accrual.lifecycle.purchase import Leg, leg_of
from services.kernel.transaction import PRESENTMENT, CardTransaction


def total_keys(
    account_id: AccountId,
    events: Iterable[CardTransaction],
    loaded: Loaded,
    *,
    book: Book,
    enrolments: Enrolments,
) -> set[TotalKey]:
    """Every total that these events, and what is loaded of the account, may count in."""
    keys: set[TotalKey] = set()
    waiting = [found.event for found in (*loaded.waiting, *loaded.failed)]
    for event in (*events, *waiting):
        if event.kind == PRESENTMENT:
            leg = leg_of(event, 0)
            keys.update(_possible(account_id, event.issuer_id, leg, book, enrolments))
    touched = loaded.restored(account_id)
    for purchase in touched:
        for leg in purchase.legs:
            if leg.kind == PRESENTMENT:
                keys.update(_possible(account_id, purchase.issuer_id, leg, book, enrolments))
    for purchase in touched:
        for grant in purchase.grants:
            for share in grant.shares:
                keys.add(key_of(grant, share))
    line = loaded.line(account_id)
    if line is not None:
        keys.update(line.keys())
    return keys


def _possible(
    account_id: AccountId, issuer: str, leg: Leg, book: Book, enrolments: Enrolments
) -> list[TotalKey]:
    """The totals that a presentment may count in: of rules that it can earn under.

    Where asking breaks, the decision will break the same way, and it says which event it was.
    """
    try:
        return _keys_of(account_id, issuer, leg, book, enrolments)
    except Exception:
        return []


def _keys_of(
    account_id: AccountId, issuer: str, leg: Leg, book: Book, enrolments: Enrolments
) -> list[TotalKey]:
    keys: list[TotalKey] = []
    for agreement in book.agreements(issuer):
        day = agreement.governing_on(leg.occurred_at, leg.posted_on)
        terms = None if day is None else agreement.version_on(day)
        if day is None or terms is None or not enrolments.enrolled(terms.program, day):
            continue
        for rule, _, dates in select(terms, facts_of(leg, day, enrolments)).candidates:
            if lacking(dates, enrolments) is not None:
                continue
            for running in rule.totals:
                keys.append(
                    TotalKey(
                        terms.contract, running.owner, KIND_NAMES[running.kind], running.terms,
                        scope_in(running, account_id, leg.card_token),
                        period_in(running, day, enrolments),
                    )
                )  # fmt: skip
    return keys
