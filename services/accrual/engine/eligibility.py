"""Which rules a purchase earns under, and why not under the others."""

from __future__ import annotations

from datetime import date
from typing import Protocol

import msgspec

from services.accrual.contracts.book import Agreement, Book, days_later
from services.accrual.contracts.terms import Eligible, Facts, Rule, Terms
from services.accrual.engine.reasons import Reason
from services.accrual.lifecycle.net import Net
from services.accrual.lifecycle.purchase import Leg
from services.kernel.calendar import day_of
from services.kernel.rates import Rounding, round_ratio

_GROSS, _WITHOUT_CASH = Eligible.GROSS, Eligible.WITHOUT_CASH


class Enrolments(Protocol):
    """What the engine asks about an account."""

    def enrolled(self, program: str, day: date) -> bool:
        """Whether any current row of the account holds the day."""

    def product(self, card_token: str, day: date) -> str | None:
        """The product of the token's current row on the day."""


class Claim(msgspec.Struct, frozen=True, gc=False):
    """A rule that a purchase earns under. `earned` is u, before any total; it is positive."""

    terms: Terms
    rule: Rule
    governing_on: date
    available_on: date
    spend: int
    earned: int


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """One rule's answer, or a whole contract's (rule empty)."""

    contract: str
    version: int
    rule: str
    reason: Reason | None
    lost_to: str | None = None


class Assessment(msgspec.Struct, gc=False):
    """All that contracts say of a purchase before totals: claims, refusals, what waits."""

    claims: list[Claim]
    verdicts: list[Verdict]
    waits: bool = False

    @property
    def reason(self) -> Reason | None:
        """The refusal furthest down the list, None when there is none."""
        return max(
            (verdict.reason for verdict in self.verdicts if verdict.reason is not None),
            default=None,
        )


def assess(issuer: str, net: Net, *, book: Book, enrolments: Enrolments) -> Assessment:
    """Ask every contract of the issuer about a purchase with this net."""
    found = Assessment([], [])
    if net.first is None:
        found.verdicts.append(Verdict("", 0, "", Reason.NO_PRESENTMENT))
        return found
    agreements = book.agreements(issuer)
    if not agreements:
        found.verdicts.append(Verdict("", 0, "", Reason.NO_CONTRACT))
    for agreement in agreements:
        _ask(agreement, net, net.first, enrolments, found)
    return found


def _ask(
    agreement: Agreement, net: Net, first: Leg, enrolments: Enrolments, found: Assessment
) -> None:
    """One contract's answer, appended to what was found."""
    day = agreement.governing_on(first.occurred_at, first.posted_on)
    if day is None:
        found.waits = True
        return
    terms = agreement.version_on(day)
    if terms is None:
        found.verdicts.append(Verdict(agreement.contract, 0, "", Reason.NO_CONTRACT))
        return
    if not enrolments.enrolled(terms.program, day):
        found.verdicts.append(Verdict(terms.contract, terms.version, "", Reason.NOT_ENROLLED))
        return
    facts = facts_of(first, day, enrolments)
    refusal = refuse(terms, net, facts)
    if refusal is not None:
        found.verdicts.append(Verdict(terms.contract, terms.version, "", refusal))
        return
    posted = day if first.posted_on is None else day_of(first.posted_on)
    available_on = days_later(posted, terms.release_days)
    for rule in _standing_rules(terms, net, facts, found):
        spend = eligible_amount(net, terms, rule)
        earned = rule.earned(spend)
        if earned > 0:
            found.claims.append(Claim(terms, rule, day, available_on, spend, earned))
        else:
            found.verdicts.append(
                Verdict(terms.contract, terms.version, rule.id, Reason.ROUNDED_TO_ZERO)
            )


def facts_of(first: Leg, day: date, enrolments: Enrolments) -> Facts:
    """What rules may know: the facts of the first standing presentment."""
    product = first.card_product
    if product is None and first.card_token is not None:
        product = enrolments.product(first.card_token, day)
    return Facts(first.mcc, first.merchant, first.country, first.channel, product, day)


def refuse(terms: Terms, net: Net, facts: Facts) -> Reason | None:
    """The first reason for which the whole contract says no to an account that is enrolled."""
    if net.currency != terms.spend_currency:
        return Reason.CURRENCY_NOT_COVERED
    if terms.card_products is not None and facts.product not in terms.card_products:
        return Reason.CARD_PRODUCT_NOT_COVERED
    if terms.excluded(facts):
        return Reason.EXCLUDED
    return None


def _standing_rules(terms: Terms, net: Net, facts: Facts, found: Assessment) -> list[Rule]:
    """The rules that hold, in the contract's order, with only the winner of each group."""
    holding: list[Rule] = []
    winners: dict[str, Rule] = {}
    for rule in terms.rules:
        reason = None
        if not rule.when(facts):
            reason = Reason.NO_RULE
        elif rule.minimum is not None and net.net < rule.minimum:
            reason = Reason.BELOW_MINIMUM
        if reason is not None:
            found.verdicts.append(Verdict(terms.contract, terms.version, rule.id, reason))
            continue
        holding.append(rule)
        if rule.group is not None:
            best = winners.get(rule.group)
            if best is None or rule.priority > best.priority:
                winners[rule.group] = rule
    standing: list[Rule] = []
    for rule in holding:
        winner = rule if rule.group is None else winners[rule.group]
        if winner is not rule:
            found.verdicts.append(
                Verdict(terms.contract, terms.version, rule.id, None, lost_to=winner.id)
            )
        elif net.net == 0:
            found.verdicts.append(
                Verdict(terms.contract, terms.version, rule.id, Reason.NET_IS_ZERO)
            )
        else:
            standing.append(rule)
    return standing


def eligible_amount(net: Net, terms: Terms, rule: Rule) -> int:
    """e: the part of the net that counts, round_half_up(min(net, maximum) · (G − X) / G)."""
    amount = net.net if rule.maximum is None else min(net.net, rule.maximum)
    if terms.eligible is _GROSS:
        return amount if net.gross else 0
    excluded = net.cash if terms.eligible is _WITHOUT_CASH else net.tip_fee_tax
    if not net.gross:
        return 0
    if not excluded:
        return amount
    share = (net.gross - excluded) * amount
    return round_ratio(share.numerator, share.denominator * net.gross, Rounding.HALF_UP)
