"""A contract version as the engine runs it: names resolved, numbers exact, conditions compiled."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from zoneinfo import ZoneInfo

from services.accrual.contracts import clauses
from services.accrual.contracts.conditions import fits, fits_any
from services.accrual.contracts.model import Contract, Products
from services.accrual.contracts.model import Rule as RuleClause
from services.accrual.contracts.payers import Fee, Funding
from services.accrual.contracts.running import chains_of, form_in, step_of
from services.accrual.contracts.steady import merchants_of, steady_part
from services.accrual.contracts.terms import Entry, Kind, Release, Rule, Running, Terms
from services.kernel.calendar import Per, minutes_of
from services.kernel.rates import parse_minor
from services.kernel.units import exponent_of


def compile_terms(contract: Contract) -> Terms:
    """The terms of a contract that `parse` has accepted."""
    coverage, release = contract.applies_to, contract.release
    zone = ZoneInfo(contract.zone)
    chains = chains_of(contract)
    excluded = [entry for entry in contract.exclude or () if entry.kind is None]
    return Terms(
        contract=contract.contract,
        version=contract.version,
        issuer=contract.issuer,
        program=contract.program,
        partner=contract.partner,
        unit=contract.currency,
        first=contract.term.first,
        last=contract.term.last,
        zone=zone,
        day_ends_minutes=minutes_of(contract.day_ends),
        governs=contract.governing_date,
        spend_currency=contract.amount.currency,
        eligible=contract.amount.eligible,
        card_products=(
            frozenset(coverage.card_products) if isinstance(coverage, Products) else None
        ),
        excluded=fits_any(excluded, zone),
        rules=tuple(_rule(contract, rule, chains[rule.id], zone) for rule in contract.rules),
        release=Release(release.after, release.days, Per(release.per) if release.per else None),
        funding=_funding(contract, contract.funding),
        fees=tuple(_fee(contract, fee) for fee in contract.fees or ()),
        refunds=contract.refunds.policy,
        ignored=frozenset(kind for entry in contract.exclude or () for kind in entry.kind or ()),
        exclusions=tuple(excluded),
        merchants=frozenset(merchants_of(rule.when for rule in contract.rules)),
    )


def _rule(
    contract: Contract, rule: RuleClause, totals: tuple[Running, ...], zone: ZoneInfo
) -> Rule:
    spend, unit = exponent_of(contract.amount.currency), exponent_of(contract.currency)
    form = None if rule.earn is None else form_in(contract, rule.earn)
    step, mode = step_of(contract, rule.rounding.scale), rule.rounding.mode
    entry = _ENTRIES[totals[0].kind] if totals else Entry.REWARD
    when = fits(rule.when, zone)
    return Rule(
        id=rule.id,
        award=rule.award,
        when=when,
        group=rule.exclusive_group,
        priority=rule.priority or 0,
        minimum=_minor(rule.minimum_transaction, spend),
        maximum=_minor(rule.maximum_transaction, spend),
        earn=None if form is None else form.earn(),
        rounding=mode,
        step=step,
        totals=totals,
        funding=_funding(contract, rule.funding or contract.funding),
        entry=entry,
        best=rule.best,
        minimum_reward=_minor(rule.minimum_reward, unit),
        maximum_reward=_minor(rule.maximum_reward, unit),
        whole=None if form is None else form.whole(step=step, rounding=mode),
        steady=steady_part(rule.when, when, zone),
        asked=rule.when,
    )


_ENTRIES = {
    Kind.CAP: Entry.REWARD,
    Kind.ROUNDING: Entry.PIECES,
    Kind.SPEND: Entry.SPEND,
    Kind.BANDS: Entry.SPEND,
    Kind.THRESHOLD: Entry.SPEND,
    Kind.COUNT: Entry.ONE,
}
"""What a purchase enters, by what stands first on its rule's way."""


def _funding(contract: Contract, funders: Iterable[clauses.Funder]) -> Funding:
    unit = exponent_of(contract.currency)
    given = tuple(funders)
    return Funding(
        funders=tuple(funder.funder for funder in given),
        shares=tuple(Fraction(Fraction(funder.share or "0"), 100) for funder in given),
        fixed=tuple(_minor(funder.fixed, unit) or 0 for funder in given),
        remainder=next(index for index, funder in enumerate(given) if funder.remainder),
    )


def _fee(contract: Contract, fee: clauses.Fee) -> Fee:
    return Fee(
        party=fee.party,
        share=Fraction(Fraction(fee.percent), 100),
        funder=fee.funder,
        rounding=fee.rounding.mode,
        step=step_of(contract, fee.rounding.scale),
    )


def _minor(text: str | None, exponent: int) -> int | None:
    return None if text is None else parse_minor(text, exponent=exponent)
