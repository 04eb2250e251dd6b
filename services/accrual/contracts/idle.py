"""Rules that can never earn, and caps that let less through than one purchase earns: doubted."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from services.accrual.contracts.clauses import Condition, FlatEarn, OwnCap, PerBlockEarn
from services.accrual.contracts.conditions import merchant_codes
from services.accrual.contracts.document import Path
from services.accrual.contracts.model import Contract, Products, Rule
from services.accrual.contracts.parse import Signed
from services.kernel.errors import Problem

LISTS = frozenset({"mcc", "merchant", "country", "currency", "channel", "product"})
"""Keys of a condition any entry of which will do, compared as they are written."""


def idle_rules(one: Signed) -> Iterator[Problem]:
    """Rules that can never earn."""
    for index, rule in enumerate(one.contract.rules):
        path: Path = ("rules", index)
        for below, why in _never_holds(one.contract, rule.when):
            yield one.document.problem((*path, "when", *below), why)
        winner = next((other for other in one.contract.rules if _always_wins(other, rule)), None)
        if winner is not None:
            why = f"can never win: `{winner.id}` takes every purchase of the group"
            yield one.document.problem((*path, "priority"), why)
        if _less_than_a_block(rule):
            why = "is less than one block: the rule can never earn"
            yield one.document.problem((*path, "maximum_transaction"), why)
        if rule.bands is not None and not any(Fraction(s.units) for s in rule.bands.steps):
            why = "earn nothing at any step: the rule can never earn"
            yield one.document.problem((*path, "bands", "steps"), why)


def low_caps(one: Signed) -> Iterator[Problem]:
    """Caps of reward that lie below what one purchase or one step earns."""
    for index, rule in enumerate(one.contract.rules):
        least = _least(rule)
        if least is None:
            continue
        for path, cap in _caps(one.contract, index, rule):
            if Fraction(cap.limit) < Fraction(least) and not Fraction(cap.beyond):
                why = f"is below the {least} {one.contract.currency} that {_earner(rule)} gives"
                if rule.shared_with is not None:
                    why += f" under `{rule.id}`"
                yield one.document.problem((*path, "limit"), why)


def _never_holds(contract: Contract, when: Condition | None) -> Iterator[tuple[Path, str]]:
    if when is None:
        return
    term = contract.term
    if when.dates is not None and (when.dates.last < term.first or term.last < when.dates.first):
        yield ("dates",), "lie outside the term: the rule can never apply"
    covered = contract.applies_to
    products = covered.card_products if isinstance(covered, Products) else when.product
    if when.product is not None and not set(when.product) & set(products or ()):
        yield ("product",), "the contract covers none of them: the rule can never apply"
    if when.mcc is not None and merchant_codes(when.mcc) <= _excluded_codes(contract):
        yield ("mcc",), "the contract excludes them all: the rule can never apply"
    for index, entry in enumerate(when.unless or ()):
        if _takes_all(entry, when):
            yield ("unless", index), "leaves nothing of the rule: it can never apply"


def _takes_all(entry: Condition, when: Condition) -> bool:
    """Whether a condition of one list holds for whatever the same list of `when` holds for."""
    keys = list(entry.model_dump(exclude_none=True))
    if len(keys) != 1 or keys[0] not in LISTS:
        return False
    left_out, wanted = getattr(entry, keys[0]), getattr(when, keys[0])
    if wanted is None:
        return False
    if keys[0] == "mcc":
        return merchant_codes(wanted) <= merchant_codes(left_out)
    return set(wanted) <= set(left_out)


def _less_than_a_block(rule: Rule) -> bool:
    """Whether no purchase can have a whole block; a cap of spend counts blocks on its total."""
    if rule.maximum_transaction is None or not isinstance(rule.earn, PerBlockEarn):
        return False
    spends = any(isinstance(c, OwnCap) and c.of == "spend" for _, c in rule.own_totals())
    return not spends and Fraction(rule.maximum_transaction) < Fraction(rule.earn.per_block.block)


def _excluded_codes(contract: Contract) -> frozenset[str]:
    """Merchant category codes that are excluded whatever else holds."""
    lists = [
        merchant_codes(entry.mcc)
        for entry in contract.exclude or ()
        if entry.mcc is not None and entry.model_dump(exclude_none=True).keys() == {"mcc"}
    ]
    return frozenset[str]().union(*lists)


def _always_wins(winner: Rule, rule: Rule) -> bool:
    return (
        rule.exclusive_group is not None
        and winner.exclusive_group == rule.exclusive_group
        and rule.best is None
        and (winner.priority or 0) > (rule.priority or 0)
        and winner.when is None
        and winner.minimum_transaction is None
    )


def _least(rule: Rule) -> str | None:
    """The least that the rule gives when it gives anything; None where that is not plain."""
    if rule.minimum_reward is not None:
        return rule.minimum_reward
    if rule.count is not None:
        return rule.count.units
    if rule.threshold is not None:
        return rule.threshold.steps[0].units
    if isinstance(rule.earn, FlatEarn):
        return rule.earn.flat.units
    return rule.earn.per_block.units if isinstance(rule.earn, PerBlockEarn) else None


def _earner(rule: Rule) -> str:
    if rule.minimum_reward is not None:
        return "minimum_reward"
    if rule.count is not None or rule.threshold is not None:
        return "reaching it"
    return "one purchase" if isinstance(rule.earn, FlatEarn) else "one block"


def _caps(contract: Contract, index: int, rule: Rule) -> Iterator[tuple[Path, OwnCap]]:
    """The caps of reward that bound a rule, its own or those it shares."""
    for place, other in enumerate(contract.rules):
        if other.id == (rule.shared_with or rule.id):
            for path, clause in other.own_totals():
                if isinstance(clause, OwnCap) and clause.of == "reward":
                    yield ("rules", place, *path), clause
