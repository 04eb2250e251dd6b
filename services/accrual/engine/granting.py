"""From a claim to what is stored of it."""

from __future__ import annotations

from services.accrual.contracts.terms import AccountFacts, Running
from services.accrual.engine.assessment import Claim
from services.accrual.engine.places import KIND_NAMES, period_in, scope_in
from services.accrual.lifecycle.purchase import Grant, Share


def grant_of(claim: Claim, account_id: str, account: AccountFacts) -> Grant:
    """The grant of a claim. Its shares of totals say where it counts; how much, comes later."""
    terms, rule = claim.terms, claim.rule
    shares: tuple[Share, ...] = ()
    totals = rule.totals
    if len(totals) == 1:
        shares = (_share(claim, totals[0], account_id, account),)
    elif totals:
        shares = tuple([_share(claim, total, account_id, account) for total in totals])
    return Grant(
        terms.contract, terms.version, rule.id, terms.unit, claim.governing_on,
        claim.available_on, claim.earned, claim.earned, shares,
    )  # fmt: skip


def _share(claim: Claim, running: Running, account_id: str, account: AccountFacts) -> Share:
    scope = scope_in(running, account_id, claim.card_token)
    period = period_in(running, claim.governing_on, account)
    return Share(running.owner, KIND_NAMES[running.kind], running.terms, scope, period)
