"""The running totals of a version: what each is worth, and the hash that names it.

A total goes on counting from version to version while its hash stays the same. The hash covers
what F depends on and, through the hash of the total that it feeds, all that lies behind it. What
is hashed must never change for terms that do not: stored totals are found by it.
"""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction

from services.accrual.contracts import worth
from services.accrual.contracts.clauses import AnyEarn, Bands, Count, OwnCap, Rounding, Threshold
from services.accrual.contracts.clauses.rules import TotalClause
from services.accrual.contracts.earning import Form, form_of
from services.accrual.contracts.model import Contract, Rule
from services.accrual.contracts.terms import Kind, Running
from services.kernel.calendar import Per
from services.kernel.rates import parse_minor
from services.kernel.units import exponent_of

Plain = dict[str, object]

HASH_DIGITS = 32
"""Of the hex sha256: 128 bits tell the totals of one rule apart, and stand in every purchase."""


def chains_of(contract: Contract) -> dict[str, tuple[Running, ...]]:
    """The totals that each rule goes through, by its id. Rules that share one share the object."""
    caps: dict[str, tuple[Running, ...]] = {}
    for rule in contract.rules:
        maker = _Maker(contract, rule)
        chain: tuple[Running, ...] = ()
        for clause in reversed([clause for _, clause in rule.own_totals()]):
            if isinstance(clause, OwnCap) and clause.of == "reward":
                chain = (maker.make(clause, chain), *chain)
        caps[rule.id] = chain
    chains: dict[str, tuple[Running, ...]] = {}
    for rule in contract.rules:
        chain = caps[rule.shared_with or rule.id]
        for _, clause in rule.own_totals():
            if not isinstance(clause, OwnCap) or clause.of == "spend":
                chain = (_Maker(contract, rule).make(clause, chain), *chain)
        chains[rule.id] = chain
    return chains


def step_of(contract: Contract, scale: int) -> int:
    """The smallest reward that rounding to `scale` decimals leaves, in minor units."""
    return int(10 ** (exponent_of(contract.currency) - scale))


def form_in(contract: Contract, earn: AnyEarn) -> Form:
    """How an `earn` clause of this contract earns."""
    return form_of(earn, unit=contract.currency, spend=contract.amount.currency)


class _Maker:
    """Makes the totals of one rule."""

    def __init__(self, contract: Contract, rule: Rule) -> None:
        self._contract, self._rule = contract, rule
        self._unit, self._spend = contract.currency, contract.amount.currency
        self._rounded = worth.Rounded(step_of(contract, rule.rounding.scale), rule.rounding.mode)

    def make(self, clause: TotalClause, fed: tuple[Running, ...]) -> Running:
        """The total of a clause that feeds the chain `fed`."""
        if isinstance(clause, OwnCap):
            kind, terms, function, text = self._cap(clause)
        elif isinstance(clause, Bands):
            kind, terms, function, text = self._bands(clause)
        elif isinstance(clause, Threshold):
            kind, terms, function, text = self._threshold(clause)
        elif isinstance(clause, Count):
            kind, terms, function, text = self._count(clause)
        else:
            kind, terms, function, text = self._period(clause)
        if clause.per is None or clause.scope is None:
            raise ValueError(f"{self._rule.id} has a total without period or scope")
        terms |= {"kind": kind, "per": clause.per, "scope": clause.scope}
        if fed:
            terms["feeds"] = fed[0].terms
        limit = self._limit(clause) if isinstance(clause, OwnCap) else 0
        return Running(
            kind=kind, owner=self._rule.id, per=clause.per, scope=clause.scope,
            terms=_hash(terms), straight=limit if kind is Kind.CAP else 0, worth=function,
            text=f"{text} {per_words(clause.per, clause.scope)}", limit=limit,
            beyond=Fraction(clause.beyond) if isinstance(clause, OwnCap) else Fraction(0),
            steps=self._steps(clause),
            each=self._form().each if kind is Kind.ROUNDING else Fraction(0),
        )  # fmt: skip

    def _steps(self, clause: TotalClause) -> tuple[tuple[int, int], ...]:
        """Where F goes up by steps: from how much on, and to what."""
        match clause:
            case Threshold(steps=steps):
                return tuple((self._spent(one.reach), self._reward(one.units)) for one in steps)
            case Bands(steps=steps):
                return tuple((self._spent(one.start), 0) for one in steps)
            case Count(every=every, units=units):
                return ((every, self._reward(units)),)
            case _:
                return ()

    def _cap(self, clause: OwnCap) -> tuple[Kind, Plain, worth.Worth, str]:
        limit, beyond = self._limit(clause), Fraction(clause.beyond)
        terms: Plain = {"of": clause.of, "limit": limit, "beyond": str(beyond)}
        if clause.of == "reward":
            if beyond:
                terms["rounding"] = self._rounding()
            text = f"cap of {clause.limit} {self._unit}"
            function = worth.capped(limit, beyond=beyond, rounded=self._rounded)
            return Kind.CAP, terms, function, text
        form = self._form()
        terms |= {"earn": _earning(form), "rounding": self._rounding()}
        function = worth.capped_spend(limit, beyond=beyond, form=form, rounded=self._rounded)
        text = f"{form.text}, cap of {clause.limit} {self._spend} of spend"
        return Kind.SPEND, terms, function, text

    def _bands(self, clause: Bands) -> tuple[Kind, Plain, worth.Worth, str]:
        scale = Fraction(10 ** exponent_of(self._unit), 10 ** exponent_of(self._spend))
        steps = [
            (parse_minor(step.start, exponent=exponent_of(self._spend)),
             Fraction(step.units) * scale)
            for step in clause.steps
        ]  # fmt: skip
        make = worth.marginal if clause.kind == "marginal" else worth.whole
        rates = ", ".join(f"{step.units} from {step.start}" for step in clause.steps)
        terms: Plain = {
            "bands": clause.kind,
            "steps": [[start, str(rate)] for start, rate in steps],
            "rounding": self._rounding(),
        }
        text = f"{self._unit} per 1 {self._spend}: {rates} ({clause.kind} bands)"
        return Kind.BANDS, terms, make(steps, rounded=self._rounded), text

    def _threshold(self, clause: Threshold) -> tuple[Kind, Plain, worth.Worth, str]:
        steps = [
            (parse_minor(step.reach, exponent=exponent_of(self._spend)), self._reward(step.units))
            for step in clause.steps
        ]
        terms: Plain = {"steps": [list(step) for step in steps], "rounding": self._rounding()}
        said = ", ".join(
            f"{step.units} {self._unit} from {step.reach} {self._spend}" for step in clause.steps
        )
        return Kind.THRESHOLD, terms, worth.reached(steps), said

    def _count(self, clause: Count) -> tuple[Kind, Plain, worth.Worth, str]:
        units = self._reward(clause.units)
        terms: Plain = {"every": clause.every, "units": units}
        text = f"{clause.units} {self._unit} for every {clause.every} purchases"
        return Kind.COUNT, terms, worth.counted(clause.every, units), text

    def _period(self, clause: Rounding) -> tuple[Kind, Plain, worth.Worth, str]:
        form = self._form()
        terms: Plain = {"earn": _earning(form), "rounding": self._rounding()}
        text = f"rounded {clause.mode.replace('_', ' ')}"
        return Kind.ROUNDING, terms, worth.summed(form, rounded=self._rounded), text

    def _form(self) -> Form:
        if self._rule.earn is None:
            raise ValueError(f"{self._rule.id} has no earn")
        return form_in(self._contract, self._rule.earn)

    def _limit(self, clause: OwnCap) -> int:
        code = self._unit if clause.of == "reward" else self._spend
        return parse_minor(clause.limit, exponent=exponent_of(code))

    def _spent(self, text: str) -> int:
        return parse_minor(text, exponent=exponent_of(self._spend))

    def _reward(self, text: str) -> int:
        return parse_minor(text, exponent=exponent_of(self._unit))

    def _rounding(self) -> Plain:
        return {"mode": self._rule.rounding.mode, "scale": self._rule.rounding.scale}


def _earning(form: Form) -> Plain:
    """How a form earns, whichever way it is written."""
    return {"by": form.by, "each": str(form.each)}


def _hash(terms: Plain) -> str:
    canonical = json.dumps(terms, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:HASH_DIGITS]


def per_words(per: Per, scope: str) -> str:
    """Period and scope of a total in words; the account is not named."""
    words = per.replace("_", " ")
    return f"per {words}" if scope == "account" else f"per {words} and {scope}"
