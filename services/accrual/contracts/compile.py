"""A contract version as the engine runs it: names resolved, numbers exact, conditions compiled."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from zoneinfo import ZoneInfo

from services.accrual.contracts import clauses
from services.accrual.contracts.conditions import fits, fits_any
from services.accrual.contracts.earning import form_of
from services.accrual.contracts.model import Contract, Products
from services.accrual.contracts.model import Rule as RuleClause
from services.accrual.contracts.terms import Cap, Rule, Terms
from services.kernel.rates import parse_minor
from services.kernel.units import exponent_of


def compile_terms(contract: Contract) -> Terms:
    """The terms of a contract that `parse` has accepted."""
    coverage = contract.applies_to
    shares = [Fraction(Fraction(funder.share), 100) for funder in contract.funding]
    takers = [index for index, funder in enumerate(contract.funding) if funder.remainder]
    return Terms(
        contract=contract.contract,
        version=contract.version,
        issuer=contract.issuer,
        program=contract.program,
        partner=contract.partner,
        unit=contract.currency,
        first=contract.term.first,
        last=contract.term.last,
        zone=ZoneInfo(contract.zone),
        day_ends_minutes=minutes(contract.day_ends),
        governs=contract.governing_date,
        spend_currency=contract.amount.currency,
        eligible=contract.amount.eligible,
        card_products=(
            frozenset(coverage.card_products) if isinstance(coverage, Products) else None
        ),
        excluded=fits_any(contract.exclude),
        rules=_rules(contract),
        release_days=contract.release.days,
        funders=tuple(funder.funder for funder in contract.funding),
        shares=tuple(shares),
        remainder=takers[0],
    )


def minutes(clock: str) -> int:
    """Minutes since midnight of `HH:MM`."""
    hours, _, rest = clock.partition(":")
    return int(hours) * 60 + int(rest)


def cap_terms(contract: Contract, rule: RuleClause) -> str | None:
    """What identifies the total of a rule's own cap: sha256 of all that F depends on, hex.

    None when the rule has no cap of its own. Versions with equal terms go on counting.
    """
    cap = rule.cap
    if not isinstance(cap, clauses.OwnCap):
        return None
    beyond = Fraction(cap.beyond)
    terms: dict[str, object] = {
        "kind": "cap",
        "of": cap.of,
        "limit": parse_minor(cap.limit, exponent=exponent_of(contract.currency)),
        "per": cap.per,
        "scope": cap.scope,
        "beyond": str(beyond),
    }
    if beyond:
        terms["rounding"] = {"mode": rule.rounding.mode, "scale": rule.rounding.scale}
    canonical = json.dumps(terms, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _rules(contract: Contract) -> tuple[Rule, ...]:
    owned = {rule.id: _cap(contract, rule) for rule in contract.rules}
    return tuple(_rule(contract, rule, owned) for rule in contract.rules)


def _rule(contract: Contract, rule: RuleClause, owned: dict[str, Cap | None]) -> Rule:
    exponent = exponent_of(contract.amount.currency)
    form = form_of(rule.earn, unit=contract.currency, spend=contract.amount.currency)
    step = _step(contract, rule)
    owner = rule.cap.shared_with if isinstance(rule.cap, clauses.SharedCap) else rule.id
    return Rule(
        id=rule.id,
        award=rule.award,
        when=fits(rule.when),
        group=rule.exclusive_group,
        priority=rule.priority or 0,
        minimum=_minor(rule.minimum_transaction, exponent),
        maximum=_minor(rule.maximum_transaction, exponent),
        earn=form.earn(),
        rounding=rule.rounding.mode,
        step=step,
        cap=owned[owner],
        whole=form.whole(step=step, rounding=rule.rounding.mode),
    )


def _cap(contract: Contract, rule: RuleClause) -> Cap | None:
    cap, terms = rule.cap, cap_terms(contract, rule)
    if not isinstance(cap, clauses.OwnCap) or terms is None:
        return None
    return Cap(
        owner=rule.id,
        limit=parse_minor(cap.limit, exponent=exponent_of(contract.currency)),
        per=cap.per,
        beyond=Fraction(cap.beyond),
        rounding=rule.rounding.mode,
        step=_step(contract, rule),
        terms=terms,
    )


def _step(contract: Contract, rule: RuleClause) -> int:
    """The smallest reward that the rule's rounding leaves, in minor units."""
    return int(10 ** (exponent_of(contract.currency) - rule.rounding.scale))


def _minor(text: str | None, exponent: int) -> int | None:
    return None if text is None else parse_minor(text, exponent=exponent)
