"""What one rule says of a purchase, told: why it gives nothing, or what it earns, how it is limited
and rounded, who pays it and from when on the member has it.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

from services.accrual.contracts.terms import (
    After,
    Best,
    Eligible,
    Entry,
    Facts,
    Kind,
    Refunds,
    Rule,
    Terms,
)
from services.accrual.engine.assessment import Claim, Verdict
from services.accrual.engine.because import unmet
from services.accrual.engine.spend import worth
from services.accrual.engine.words import amount_words, exact_words, verdict_words
from services.accrual.lifecycle.net import Net
from services.accrual.lifecycle.purchase import Grant
from services.kernel.units import major

Step = dict[str, Any]
_DATES = {
    "opened_on": "the account's opening date is not known, and its periods are counted from it",
    "cycle_day": "the day on which the account's billing cycle closes is not known, and its "
    "periods are counted by it",
}
_TOWARDS = {
    Kind.SPEND: "cap of spend",
    Kind.BANDS: "bands of spend",
    Kind.THRESHOLD: "threshold of spend",
    Kind.COUNT: "number of purchases",
}
_LEFT_OUT = {Eligible.WITHOUT_CASH: "cash", Eligible.WITHOUT_TIP_FEE_TAX: "tips, fees and taxes"}


def refused_step(rule: Rule, verdict: Verdict, terms: Terms, net: Net, facts: Facts) -> Step:
    """Why a rule gives nothing, before any total is asked."""
    step: Step = {"step": "rule", "rule": rule.id}
    if verdict.reason is None:
        text = f"{rule.id}: {_gives_way(rule, verdict.lost_to or '', terms, net)}"
        return step | {"text": text, "verdict": "LOST", "lost_to": verdict.lost_to}
    words = verdict_words(verdict.reason, rule, terms, net)
    why: list[str] = []
    if verdict.missing is not None:
        why = [_DATES[verdict.missing]]
        words = why[0]
    elif rule.asked is not None and not rule.when(facts):
        why = unmet(rule.asked, facts, terms.zone)
        words = f"it is not for this purchase: {'; '.join(why)}"
    step |= {"text": f"{rule.id}: {words}", "verdict": verdict.reason.name}
    return step | {"unmet": why} if why else step


def _gives_way(rule: Rule, winner: str, terms: Terms, net: Net) -> str:
    """Which rule of the group goes first, and by what."""
    text = f"gives way to {winner}, which goes first in group {rule.group}"
    other = next(one for one in terms.rules if one.id == winner)
    if rule.best is None:
        return f"{text} (priority {other.priority} before {rule.priority})"
    mine, theirs = (
        exact_words(Fraction(worth(one, net, terms)), terms.unit) for one in (rule, other)
    )
    extreme = "most" if rule.best is Best.HIGHEST else "least"
    return f"{text}: the {extreme} is given, {theirs} {terms.unit} and not {mine}"


def earned_step(claim: Claim, net: Net) -> Step:
    """What the rule makes of the spend: a reward, or what enters its first total."""
    rule, unit = claim.rule, claim.terms.unit
    step: Step = {
        "step": "rule", "rule": rule.id, "verdict": "EARNS", "eligible": claim.spend,
        "rounding": rule.rounding.value, "earned": claim.earned, "unit": unit,
    }  # fmt: skip
    spend = _counted(claim, net)
    if rule.earn is None or rule.entry is Entry.SPEND:
        counts = "it counts as 1 purchase" if rule.entry is Entry.ONE else spend
        return step | {"text": f"{rule.id}: {counts} towards its {_TOWARDS[rule.totals[0].kind]}"}
    exact = exact_words(rule.earn.exact(claim.spend), unit)
    text = f"{rule.id}: {rule.earn.text}; {spend}: {exact}"
    if rule.entry is Entry.PIECES:
        return step | {"text": f"{text}, rounded with all of its period", "exact": exact}
    text += (
        f", rounded {rule.rounding.value.replace('_', ' ')} in steps of "
        f"{amount_words(rule.step, unit)}: {amount_words(claim.earned, unit)} earned"
    )
    return step | {"text": f"{text}{_bounds(claim)}{_share(claim, net)}", "exact": exact}


def _counted(claim: Claim, net: Net) -> str:
    """The spend that counts, and why it is not all that is left of the purchase."""
    terms, rule, currency = claim.terms, claim.rule, claim.terms.spend_currency
    text = f"{amount_words(claim.spend, currency)} count"
    if claim.spend == net.net:
        return text
    why: list[str] = []
    if rule.maximum is not None and rule.maximum < net.net:
        why.append(f"at most {amount_words(rule.maximum, currency)} of a purchase do")
    excluded = net.cash if terms.eligible is Eligible.WITHOUT_CASH else net.tip_fee_tax
    if terms.eligible in _LEFT_OUT and excluded:
        if excluded.denominator == 1:
            amount = amount_words(excluded.numerator, currency)
        else:
            amount = f"{exact_words(excluded, currency)} {currency}"
        why.append(f"{amount} of {_LEFT_OUT[terms.eligible]} do not")
    return f"{text} of {amount_words(net.net, currency)} ({', and '.join(why)})" if why else text


def _bounds(claim: Claim) -> str:
    """Where the least or the most for a purchase takes the place of what it earns."""
    rule, unit = claim.rule, claim.terms.unit
    if claim.earned == rule.minimum_reward:
        return f", the least for a purchase that earns at all ({amount_words(claim.earned, unit)})"
    if claim.earned == rule.maximum_reward:
        return f", the most for one purchase ({amount_words(claim.earned, unit)})"
    return ""


def _share(claim: Claim, net: Net) -> str:
    if claim.terms.refunds is not Refunds.PROPORTIONAL or net.net == net.spent:
        return ""
    spent = amount_words(net.spent, claim.terms.spend_currency)
    return f", the share that is left of the reward of {spent}"


def granted_step(grant: Grant, terms: Terms, rule: Rule, passed: list[Step]) -> Step:
    """Who pays, and from when on the member has it; `passed` are the steps of its totals."""
    funding, unit = rule.funding, grant.unit
    paid = dict(zip(funding.funders, funding.split(grant.granted), strict=True))
    step: Step = {
        "step": "granted", "rule": grant.rule, "granted": grant.granted, "unit": unit,
        "funders": paid, "available_on": grant.available_on.isoformat(),
    }  # fmt: skip
    if not grant.granted:
        return step | {"text": f"{grant.rule}: nothing is granted{_held_back(passed)}"}
    said = [f"{funder} {amount_words(part, unit)}" for funder, part in paid.items()]
    if any(funding.fixed):
        said = [
            f"{text} (up to {major(fixed, unit)} of it before all shares)" if fixed else text
            for text, fixed in zip(said, funding.fixed, strict=True)
        ]
    text = f"{grant.rule}: {amount_words(grant.granted, unit)} granted, paid by {', '.join(said)}"
    fees = [(fee.party, fee.funder, fee.of(grant.granted)) for fee in terms.fees]
    for party, funder, fee in fees:
        text += f"; fee of {party} {amount_words(fee, unit)}, paid by {funder}"
    text += f"; available {grant.available_on}{_release(grant, terms)}"
    if fees:
        names = ("party", "funder", "amount")
        step["fees"] = [dict(zip(names, fee, strict=True)) for fee in fees]
    return step | {"text": text}


def _held_back(passed: list[Step]) -> str:
    """By the last total that it came to."""
    if not passed:
        return ""
    last = passed[-1]
    match last["kind"]:
        case Kind.CAP | Kind.SPEND:
            full = last["before"] >= last["limit"]
            return ": the cap is full" if full else ": what it adds rounds to nothing"
        case Kind.THRESHOLD | Kind.COUNT:
            if "missing" not in last:
                return ": all of it was given before"
            later = last["kind"] == Kind.THRESHOLD and last["granted_after"]
            return f": {'the next step' if later else 'it'} is not reached yet"
        case _:
            return ": what it adds rounds to nothing"


def _release(grant: Grant, terms: Terms) -> str:
    """Why then: days after the posting, or after the last day of a cycle."""
    release = terms.release
    days = f"{release.days} day{'' if release.days == 1 else 's'} after"
    if release.after is After.POSTING:
        return f" ({days} its posting date)"
    last = date.fromordinal(grant.available_on.toordinal() - release.days)
    cycle = "" if release.per is None else release.per.value.replace("_", " ")
    return f" ({days} {last}, the last day of its {cycle})"
