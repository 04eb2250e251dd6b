"""Why a purchase has what it has: each step of the decision, told.

    account = fold(events, stream_id=0, account_id="A1", book=book, enrolments=roster)
    told = explain(account, purchase)

Steps are mappings with `step`, `text` for a person, and the numbers behind it (minor units).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from services.accrual.contracts.book import Agreement
from services.accrual.contracts.terms import Facts, Rule, Terms
from services.accrual.engine.decide import Account
from services.accrual.engine.eligibility import (
    Assessment,
    Claim,
    Verdict,
    assess,
    facts_of,
)
from services.accrual.engine.totals import key_of
from services.accrual.engine.words import (
    amount_words,
    date_words,
    exact_words,
    moment_words,
    refusal_words,
    verdict_words,
)
from services.accrual.lifecycle.net import Net, weigh
from services.accrual.lifecycle.purchase import Grant, Leg, Purchase
from services.kernel.calendar import day_of
from services.kernel.money import split
from services.kernel.transaction import Kind
from services.kernel.units import major

Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """A decision in steps; `facts` is None while nothing was presented."""

    facts: Step | None
    versions: list[Step]
    steps: list[Step]


def explain(account: Account, purchase: Purchase) -> Told:
    """Tell the decision over a purchase as the account stands."""
    net = weigh(purchase.legs)
    steps = [_net_step(net), *_listed(net)]
    if net.first is None:
        return Told(None, [], steps)
    found = assess(purchase.issuer_id, net, book=account.book, enrolments=account.enrolments)
    versions: list[Step] = []
    agreements = account.book.agreements(purchase.issuer_id)
    for agreement in agreements:
        day = agreement.governing_on(net.first.occurred_at, net.first.posted_on)
        terms = None if day is None else agreement.version_on(day)
        versions.append(_version_step(agreement, day, terms))
        if day is not None and terms is not None:
            facts = facts_of(net.first, day, account.enrolments)
            steps += _contract_steps(account, purchase, terms, net, facts, found)
    if not agreements:
        text = f"no contract of {purchase.issuer_id} is approved"
        steps.append({"step": "contract", "text": text, "verdict": "NO_CONTRACT"})
    return Told(_facts_step(purchase.legs, net.first), versions, steps)


def _net_step(net: Net) -> Step:
    if net.first is None:
        return {"step": "net", "text": "nothing was presented yet, so nothing counts"}
    unit = net.currency
    text = f"{amount_words(net.spent, unit)} presented"
    if net.returned:
        text += f" − {amount_words(net.returned, unit)} refunded"
    if net.charged_back:
        text += f" − {amount_words(net.charged_back, unit)} charged back"
    text += f": net {amount_words(net.net, unit)}"
    if net.net != max(0, net.spent - net.returned - net.charged_back):
        text += f" (the share that is left in {net.first.transaction_currency}, as all was bought)"
    if net.over_refunded:
        text += f"; {amount_words(net.over_refunded, unit)} more went back than was spent"
    return {
        "step": "net", "text": text, "currency": unit, "presented": net.spent,
        "refunded": net.returned, "charged_back": net.charged_back, "net": net.net,
    }  # fmt: skip


def _listed(net: Net) -> list[Step]:
    """Events of the purchase that have no effect."""
    return [
        {"step": "no-effect", "event_id": event_id, "text": f"{event_id} has no effect: it does "
         "not fit what it names, or is billed in another currency"}
        for event_id in net.listed
    ]  # fmt: skip


def _facts_step(legs: list[Leg], first: Leg) -> Step:
    presentments = [leg for leg in legs if leg.kind == Kind.PRESENTMENT]
    if len(presentments) == 1:
        why = "the purchase's only presentment"
    elif any(leg.occurred_at < first.occurred_at for leg in presentments):
        why = "the earliest of its presentments that are not wholly reversed"
    else:
        why = f"the earliest of its {len(presentments)} presentments"
    return {
        "event_id": first.event_id,
        "why": why,
        "occurred_at": moment_words(first.occurred_at),
        "posted_on": None if first.posted_on is None else day_of(first.posted_on).isoformat(),
        "mcc": first.mcc,
        "merchant": first.merchant,
        "country": first.country,
        "channel": first.channel,
        "card_product": first.card_product,
    }


def _version_step(agreement: Agreement, day: date | None, terms: Terms | None) -> Step:
    newest = agreement.versions[0]
    step: Step = {
        "contract": agreement.contract,
        "version": None if terms is None else terms.version,
        "governing_date": None if day is None else day.isoformat(),
    }
    if day is None:
        return step | {"why": "it goes by the posting date, which has not come yet"}
    governs = f"{day}, the {date_words(newest)}"
    if terms is None:
        return step | {"why": f"no approved version holds {governs}"}
    why = f"the highest approved version that holds {governs}: {terms.first} to {terms.last}"
    return step | {"why": why}


def _contract_steps(
    account: Account, purchase: Purchase, terms: Terms, net: Net, facts: Facts, found: Assessment
) -> list[Step]:
    """What one contract says: refused as a whole, or each rule's verdict."""
    verdicts = {v.rule: v for v in found.verdicts if v.contract == terms.contract}
    base: Step = {"contract": terms.contract, "version": terms.version}
    whole = verdicts.get("")
    if whole is not None and whole.reason is not None:
        text = f"{terms.contract}/{terms.version}: {refusal_words(whole.reason, terms, facts, net)}"
        return [{"step": "contract", **base, "text": text, "verdict": whole.reason.name}]
    claims = {c.rule.id: c for c in found.claims if c.terms.contract == terms.contract}
    steps: list[Step] = []
    for rule in terms.rules:
        claim = claims.get(rule.id)
        if claim is None:
            steps.append({**base, **_refused(rule, verdicts[rule.id], terms, net)})
            continue
        steps.append({**base, **_earned(claim)})
        for grant in purchase.grants:
            if (grant.contract, grant.rule) == (terms.contract, rule.id):
                if grant.owner:
                    steps.append({**base, **_total(account, purchase, grant)})
                steps.append({**base, **_split(grant, terms)})
    return steps


def _refused(rule: Rule, verdict: Verdict, terms: Terms, net: Net) -> Step:
    if verdict.reason is None:
        text = f"{rule.id}: gives way to {verdict.lost_to}, which goes first in group {rule.group}"
        return {"step": "rule", "rule": rule.id, "text": text, "verdict": "LOST"}
    text = f"{rule.id}: {verdict_words(verdict.reason, rule, terms, net)}"
    return {"step": "rule", "rule": rule.id, "text": text, "verdict": verdict.reason.name}


def _earned(claim: Claim) -> Step:
    rule, unit = claim.rule, claim.terms.unit
    spend = amount_words(claim.spend, claim.terms.spend_currency)
    exact = exact_words(rule.earn.exact(claim.spend), unit)
    text = (
        f"{rule.id}: {rule.earn.text}; {spend} count: {exact}, rounded {rule.rounding.value} in "
        f"steps of {amount_words(rule.step, unit)}: {amount_words(claim.earned, unit)} earned"
    )
    return {
        "step": "rule", "rule": rule.id, "text": text, "verdict": "EARNS", "eligible": claim.spend,
        "exact": exact, "rounding": rule.rounding.value, "earned": claim.earned, "unit": unit,
    }  # fmt: skip


def _total(account: Account, purchase: Purchase, grant: Grant) -> Step:
    """The running total that a grant counts in: T and F(T) before it and through it."""
    key, cap = key_of(grant), account.book.cap(grant.contract, grant.version, grant.rule)
    before = 0
    placed = sorted(account.purchases.values(), key=lambda one: (one.place or 0, one.number))
    for other in placed:
        for counted in other.grants:
            if counted is grant:
                break
            before += counted.earned if key_of(counted) == key else 0
        if other is purchase:
            break
    through, unit = before + grant.earned, grant.unit
    was, now = cap.granted(before), cap.granted(through)
    text = (
        f"{grant.rule}: cap of {key.owner} in {key.period}, {amount_words(cap.limit, unit)}: "
        f"before this purchase {major(before, unit)} earned and {major(was, unit)} granted, with "
        f"it {major(through, unit)} earned and {major(now, unit)} granted"
    )
    return {
        "step": "total", "rule": grant.rule, "text": text, "owner": key.owner, "period": key.period,
        "limit": cap.limit, "before": before, "after": through,
        "granted_before": was, "granted_after": now, "unit": unit,
    }  # fmt: skip


def _split(grant: Grant, terms: Terms) -> Step:
    """Who pays, and from when on the member has it."""
    shares = split(grant.granted, shares=terms.shares, remainder=terms.remainder)
    paid = dict(zip(terms.funders, shares, strict=True))
    said = ", ".join(f"{funder} {amount_words(part, grant.unit)}" for funder, part in paid.items())
    text = f"{grant.rule}: {amount_words(grant.granted, grant.unit)} granted, paid by {said}"
    return {
        "step": "granted", "rule": grant.rule, "text": f"{text}; available {grant.available_on}",
        "granted": grant.granted, "unit": grant.unit, "funders": paid,
        "available_on": grant.available_on.isoformat(),
    }  # fmt: skip
