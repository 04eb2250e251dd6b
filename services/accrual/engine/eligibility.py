"""Which rules a purchase earns under, and why not under the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

from services.accrual.contracts.book import Agreement, Book, days_later
from services.accrual.contracts.terms import (
    AccountFacts,
    After,
    Best,
    Entry,
    Facts,
    Rule,
    Running,
    Terms,
)
from services.accrual.contracts.terms import Kind as TotalKind
from services.accrual.engine.assessment import Assessment, Claim, Verdict
from services.accrual.engine.reasons import Reason
from services.accrual.engine.selection import Candidate, select
from services.accrual.engine.spend import eligible_amount, entered, net_under, worth
from services.accrual.lifecycle.net import Net
from services.accrual.lifecycle.purchase import Leg
from services.kernel.calendar import Per, day_of, span_of

_NO_ATTRIBUTES: Mapping[str, str] = {}
_REWARD = Entry.REWARD
_POSTING = After.POSTING
_NO_RULE = Reason.NO_RULE


class Enrolments(AccountFacts, Protocol):
    """What the engine asks about an account."""

    def enrolled(self, program: str, day: date) -> bool:
        """Whether any current row of the account holds the day, and it is not closed."""

    def product(self, card_token: str, day: date) -> str | None:
        """The product of the token's current row on the day."""


def assess(
    issuer: str,
    net: Net,
    legs: list[Leg],
    *,
    book: Book,
    enrolments: Enrolments,
    told: bool = False,
) -> Assessment:
    """Ask every contract of the issuer about a purchase with these legs and this net.

    Every rule's verdict is kept when it is `told`.
    """
    found = Assessment([], verdicts=[] if told else None)
    if net.first is None:
        found.refuse(None, None, Reason.NO_PRESENTMENT)
        return found
    agreements = book.agreements(issuer)
    if not agreements:
        found.refuse(None, None, Reason.NO_CONTRACT)
    for agreement in agreements:
        _ask(agreement, net, legs, net.first, enrolments, found)
    return found


def _ask(
    agreement: Agreement,
    net: Net,
    legs: list[Leg],
    first: Leg,
    enrolments: Enrolments,
    found: Assessment,
) -> None:
    """One contract's answer, appended to what was found."""
    day = agreement.governing_on(first.occurred_at, first.posted_on)
    if day is None:
        found.waits = True
        return
    terms = agreement.version_on(day)
    if terms is None:
        found.note(Verdict(agreement.contract, 0, "", Reason.NO_CONTRACT))
        return
    if not enrolments.enrolled(terms.program, day):
        found.refuse(terms, None, Reason.NOT_ENROLLED)
        return
    facts = facts_of(first, day, enrolments)
    refusal = refuse(terms, net, facts)
    if refusal is not None:
        found.refuse(terms, None, refusal)
        return
    if len(legs) > 1:
        net = net_under(terms, net, legs)
    available_on: date | None = None
    for rule in _standing_rules(terms, net, facts, found):
        spend = eligible_amount(net, terms, rule)
        earned = entered(rule, spend, net, terms)
        if earned > 0:
            if available_on is None:
                available_on = _available_on(terms, first, day, enrolments)
            found.claims.append(
                Claim(terms, rule, day, available_on, spend, earned, first.card_token)
            )
        else:
            found.refuse(terms, rule, nothing_entered(rule))


def facts_of(first: Leg, day: date, enrolments: Enrolments) -> Facts:
    """What rules may know: the facts of the first standing presentment."""
    product = first.card_product
    if product is None and first.card_token is not None:
        product = enrolments.product(first.card_token, day)
    return Facts(
        first.mcc, first.merchant, first.country, first.channel, product, day,
        first.merchant_name, first.city, first.transaction_currency,
        first.attributes or _NO_ATTRIBUTES, first.occurred_at, enrolments,
    )  # fmt: skip


def refuse(terms: Terms, net: Net, facts: Facts) -> Reason | None:
    """The first reason for which the whole contract says no to an account that is enrolled."""
    if net.currency != terms.spend_currency:
        return Reason.CURRENCY_NOT_COVERED
    if terms.card_products is not None and facts.product not in terms.card_products:
        return Reason.CARD_PRODUCT_NOT_COVERED
    if terms.excluded(facts):
        return Reason.EXCLUDED
    return None


def nothing_entered(rule: Rule) -> Reason:
    """Why a rule gives nothing to a purchase that adds nothing to its first total."""
    totals = rule.totals
    return nothing_of(totals[0]) if totals and rule.entry is not _REWARD else Reason.ROUNDED_TO_ZERO


def nothing_of(total: Running) -> Reason:
    """Why a total that has room lets nothing through."""
    if total.kind is TotalKind.THRESHOLD or total.kind is TotalKind.COUNT:
        return Reason.NOT_REACHED
    return Reason.ROUNDED_TO_ZERO


def _standing_rules(terms: Terms, net: Net, facts: Facts, found: Assessment) -> Sequence[Rule]:
    """The rules that hold, in the contract's order, with only the winner of each group."""
    candidates, passed_over, standing = select(terms, facts)
    if found.verdicts is None:
        if passed_over and (found.reason is None or found.reason < _NO_RULE):
            found.reason = _NO_RULE
        if standing is not None and net.net:
            return standing
    elif passed_over:
        _pass_over(terms, candidates, found)
    holding: list[Rule] = []
    winners: dict[str, Rule] | None = None
    for rule, rest, dates in candidates:
        if rest is not None and not rest(facts):
            found.refuse(terms, rule, Reason.NO_RULE)
        elif (missing := _missing(terms, dates, facts.account)) is not None:
            found.note(
                Verdict(terms.contract, terms.version, rule.id, Reason.NO_RULE, missing=missing)
            )
        elif rule.minimum is not None and net.net < rule.minimum:
            found.refuse(terms, rule, Reason.BELOW_MINIMUM)
        else:
            holding.append(rule)
            group = rule.group
            if group is not None:
                if winners is None:
                    winners = {}
                held = winners.get(group)
                if held is None or _beats(rule, held, net, terms):
                    winners[group] = rule
    if winners is not None and len(holding) > 1:
        holding = _winning(terms, holding, winners, found)
    if net.net == 0:
        for rule in holding:
            found.refuse(terms, rule, Reason.NET_IS_ZERO)
        return []
    return holding


def _pass_over(terms: Terms, candidates: tuple[Candidate, ...], found: Assessment) -> None:
    """Tell of each rule whose codes do not fit."""
    fitting = {candidate.rule.id for candidate in candidates}
    for rule in terms.rules:
        if rule.id not in fitting:
            found.refuse(terms, rule, Reason.NO_RULE)


def _missing(terms: Terms, dates: tuple[str, ...], account: AccountFacts) -> str | None:
    """The first date that the account lacks for these periods, or for the release."""
    if terms.release.per is Per.BILLING_CYCLE:
        dates = (*dates, "cycle_day")
    return lacking(dates, account) if dates else None


def lacking(dates: tuple[str, ...], account: AccountFacts) -> str | None:
    """The first of these dates that is not known of the account."""
    for name in dates:
        if (account.opened_on if name == "opened_on" else account.cycle_day) is None:
            return name
    return None


def _beats(rule: Rule, held: Rule, net: Net, terms: Terms) -> bool:
    """Whether a rule goes before one of its group that stands earlier in the contract."""
    if rule.best is None:
        return rule.priority > held.priority
    mine, theirs = worth(rule, net, terms), worth(held, net, terms)
    return mine > theirs if rule.best is Best.HIGHEST else mine < theirs


def _winning(
    terms: Terms, holding: list[Rule], winners: dict[str, Rule], found: Assessment
) -> list[Rule]:
    standing: list[Rule] = []
    for rule in holding:
        winner = rule if rule.group is None else winners[rule.group]
        if winner is rule:
            standing.append(rule)
        elif found.verdicts is not None:
            found.note(Verdict(terms.contract, terms.version, rule.id, None, lost_to=winner.id))
    return standing


def _available_on(terms: Terms, first: Leg, day: date, account: AccountFacts) -> date:
    release = terms.release
    if release.after is _POSTING:
        posted = day if first.posted_on is None else day_of(first.posted_on)
        return days_later(posted, release.days)
    if release.per is None:
        raise ValueError(f"{terms.contract} is released after no period")
    cycle_day = account.cycle_day if release.per is Per.BILLING_CYCLE else None
    return days_later(span_of(day, release.per, None, cycle_day)[1], release.days)
