"""Which running totals a batch may touch, so that they are loaded before it is decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from services.accrual.batch import AccountId, Loaded
from services.accrual.contracts.book import Book
from services.accrual.contracts.terms import Running, Terms
from services.accrual.engine.eligibility import Enrolments, assess, facts_of, lacking
from services.accrual.engine.places import KIND_NAMES, period_in, scope_in
from services.accrual.engine.selection import select
from services.accrual.engine.totals import TotalKey, key_of
from services.accrual.intake import Recorded
from services.accrual.lifecycle.net import weigh
from services.accrual.lifecycle.purchase import Leg, leg_of
from services.kernel.transaction import PRESENTMENT


def total_keys(
    account_id: AccountId,
    events: Sequence[Recorded],
    loaded: Loaded,
    *,
    book: Book,
    enrolments: Enrolments,
) -> set[TotalKey]:
    """Every total that these events, and what is loaded of the account, may count in.

    Events that each open a purchase and nothing else are assessed at once, and the decision finds
    it in `loaded.assessed`: nearly all there is.
    """
    if _only_open(events, loaded):
        return _opening(account_id, events, loaded, book, enrolments)
    keys: set[TotalKey] = set()
    waiting = [found.event for found in (*loaded.waiting, *loaded.failed)]
    for event in (*(found.event for found in events), *waiting):
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


def _only_open(events: Sequence[Recorded], loaded: Loaded) -> bool:
    """Whether each of these is the only event of a purchase of its own, as far as is known."""
    if loaded.purchases or loaded.waiting or loaded.failed or loaded.tied:
        return False
    for found in events:
        event = found.event
        if (
            event.kind != PRESENTMENT
            or event.lifecycle_id is not None
            or event.original_event_id is not None
        ):
            return False
    return True


def _opening(
    account_id: AccountId,
    events: Sequence[Recorded],
    loaded: Loaded,
    book: Book,
    enrolments: Enrolments,
) -> set[TotalKey]:
    """The totals of the rules that these purchases earn under, and what was found of each."""
    keys: set[TotalKey] = set()
    for one in events:
        event = one.event
        legs = [leg_of(event, one.seq)]
        try:
            found = assess(event.issuer_id, weigh(legs), legs, book=book, enrolments=enrolments)
            for claim in found.claims:
                for running in claim.rule.totals:
                    keys.add(
                        _key(
                            claim.terms,
                            running,
                            account_id,
                            claim.card_token,
                            claim.governing_on,
                            enrolments,
                        )
                    )
        except Exception:  # the decision breaks the same way, and says which event it was
            continue
        loaded.assessed[one.seq] = found
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
                keys.append(_key(terms, running, account_id, leg.card_token, day, enrolments))
    return keys


def _key(
    terms: Terms,
    running: Running,
    account_id: AccountId,
    card_token: str | None,
    day: date,
    enrolments: Enrolments,
) -> TotalKey:
    return TotalKey(
        terms.contract, running.owner, KIND_NAMES[running.kind], running.terms,
        scope_in(running, account_id, card_token), period_in(running, day, enrolments),
    )  # fmt: skip
