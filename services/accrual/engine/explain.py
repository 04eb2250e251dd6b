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
from services.accrual.contracts.terms import Facts, Refunds, Rule, Terms
from services.accrual.engine.assessment import Assessment
from services.accrual.engine.because import first_met
from services.accrual.engine.decide import Account
from services.accrual.engine.eligibility import assess, facts_of
from services.accrual.engine.outcomes import before_of
from services.accrual.engine.progress import total_step
from services.accrual.engine.reasons import Reason
from services.accrual.engine.rulings import earned_step, granted_step, refused_step
from services.accrual.engine.spend import net_under
from services.accrual.engine.totals import key_of
from services.accrual.engine.words import (
    amount_words,
    date_words,
    kind_words,
    moment_words,
    refusal_words,
)
from services.accrual.lifecycle.net import Net, weigh
from services.accrual.lifecycle.purchase import Grant, Leg, Purchase
from services.kernel.calendar import day_of
from services.kernel.transaction import Kind

Step = dict[str, Any]
_POLICIES = {
    Refunds.RECOMPUTE: "",
    Refunds.NONE: " (refunds and credits take nothing back)",
    Refunds.FULL: " (any refund or credit takes all of it back)",
    Refunds.PROPORTIONAL: "",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A decision in steps; `facts` is None while nothing was presented."""

    facts: Step | None
    versions: list[Step]
    steps: list[Step]


def explain(account: Account, purchase: Purchase) -> Told:
    """Tell the decision over a purchase as the account stands."""
    net = weigh(purchase.counted)
    steps = [_net_step(net), *_listed(net)]
    if net.first is None:
        return Told(None, [], steps)
    found = assess(
        purchase.issuer_id, net, purchase.legs, book=account.book, enrolments=account.enrolments,
        told=True,
    )  # fmt: skip
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
        "merchant_name": first.merchant_name,
        "city": first.city,
        "currency": first.transaction_currency,
        "attributes": first.attributes or {},
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
    verdicts = {v.rule: v for v in found.verdicts or () if v.contract == terms.contract}
    base: Step = {"contract": terms.contract, "version": terms.version}
    whole = verdicts.get("")
    if whole is not None and whole.reason is not None:
        words = refusal_words(whole.reason, terms, facts, net)
        if whole.reason is Reason.EXCLUDED:
            fits = first_met(terms.exclusions, facts, terms.zone)
            words += f": {fits}" if fits else ""
        text = f"{terms.contract}/{terms.version}: {words}"
        return [{"step": "contract", **base, "text": text, "verdict": whole.reason.name}]
    claims = {c.rule.id: c for c in found.claims if c.terms.contract == terms.contract}
    counted = net_under(terms, net, purchase.legs)
    steps: list[Step] = []
    if counted.net != net.net:
        steps.append({**base, **_policy_step(terms, counted)})
    for rule in terms.rules:
        claim = claims.get(rule.id)
        if claim is None:
            told = refused_step(rule, verdicts[rule.id], terms, counted, facts)
            steps.append({**base, **told})
            continue
        steps.append({**base, **earned_step(claim, counted)})
        for grant in purchase.grants:
            if (grant.contract, grant.rule) == (terms.contract, rule.id):
                passed = _total_steps(account, purchase, grant, terms, rule)
                steps += [{**base, **step} for step in passed]
    return steps


def _policy_step(terms: Terms, counted: Net) -> Step:
    unit = counted.currency
    why = f"under its refund policy `{terms.refunds.value}`{_POLICIES[terms.refunds]}"
    if terms.ignored:
        kinds = " and ".join(f"{kind_words(kind)}s" for kind in sorted(terms.ignored))
        why += f" and without {kinds}"
    text = f"{terms.contract}/{terms.version}: {why} {amount_words(counted.net, unit)} count"
    return {"step": "policy", "text": text, "policy": terms.refunds.value, "net": counted.net}


def _total_steps(
    account: Account, purchase: Purchase, grant: Grant, terms: Terms, rule: Rule
) -> list[Step]:
    """The totals that a grant goes through, one after another, and what is granted in the end."""
    steps = []
    for share, running in zip(grant.shares, rule.totals, strict=True):
        before = before_of(account.purchases.values(), purchase, grant, key_of(grant, share))
        steps.append(total_step(grant, share, running, terms=terms, rule=rule, before=before))
        if not share.granted:
            break  # nothing reaches the totals that follow
    return [*steps, granted_step(grant, terms, rule, steps)]
