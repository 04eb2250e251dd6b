"""A contract version as the engine runs it: exact, resolved, compiled once.

Amounts of spend are minor units of `spend_currency`; amounts of reward are minor units of `unit`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from services.accrual.contracts.facts import AccountFacts as AccountFacts
from services.accrual.contracts.facts import Condition as Condition
from services.accrual.contracts.facts import Facts as Facts
from services.accrual.contracts.payers import Fee, Funding
from services.kernel.calendar import Per
from services.kernel.rates import Rounding, round_ratio


class Governs(StrEnum):
    """Which date decides about version, period and enrolment."""

    TRANSACTION = "transaction"
    POSTING = "posting"


class Eligible(StrEnum):
    """Which part of the spend counts."""

    GROSS = "gross"
    WITHOUT_CASH = "without_cash"
    WITHOUT_TIP_FEE_TAX = "without_tip_fee_tax"


class Kind(StrEnum):
    """What a running total does with what it adds up. Values as exports show them."""

    __hash__ = str.__hash__  # an enum's own is a function of Python, and kinds are part of keys

    CAP = "cap"
    BANDS = "bands"
    SPEND = "spend"
    THRESHOLD = "threshold"
    COUNT = "count"
    ROUNDING = "rounding"


class Scope(StrEnum):
    """Whose purchases add up together."""

    CARD = "card"
    ACCOUNT = "account"


class Entry(StrEnum):
    """What a purchase enters into the first total of a rule."""

    REWARD = "reward"
    """The reward, rounded by itself; also where there is no total."""
    PIECES = "pieces"
    """The pieces of spend that earn; the total is rounded, not the purchase."""
    SPEND = "spend"
    """The eligible amount."""
    ONE = "one"
    """One for a purchase of which something is left."""


_REWARD, _SPEND, _ONE = Entry.REWARD, Entry.SPEND, Entry.ONE


class Best(StrEnum):
    """Which rule of a group wins by what it would give."""

    HIGHEST = "highest"
    LOWEST = "lowest"


class Refunds(StrEnum):
    """Which net of a purchase earns."""

    RECOMPUTE = "recompute"
    """What is left of it."""
    NONE = "none"
    """What would be left of it if refunds and credits did not count."""
    FULL = "full"
    """Nothing, if any refund or credit stands."""
    PROPORTIONAL = "proportional"
    """The reward of all of it, in the share that is left."""


class After(StrEnum):
    """From which day on the days until release are counted."""

    POSTING = "posting"
    CYCLE = "cycle"


@dataclass(frozen=True, slots=True)
class Release:
    """When a reward becomes available: `days` after posting, or after the last day of the period
    `per` that holds the governing date."""

    after: After
    days: int
    per: Per | None = None


@dataclass(frozen=True, slots=True)
class Earn:
    """How spend becomes reward, before rounding.

    `pieces(e)` is a whole number for `e` minor units of spend, `each` the reward of a piece in
    minor units of the unit; `text` says it in words ("3 SKY-MILE per whole 10.00 NOK").
    """

    pieces: Callable[[int], int]
    each: Fraction
    text: str

    def exact(self, spend: int) -> Fraction:
        """The reward of `spend` minor units, as a fraction."""
        return self.pieces(spend) * self.each


@dataclass(frozen=True, slots=True)
class Running:
    """One running total of a version: T adds up over a scope and a period, F(T) is its worth.

    `owner` is the id of the rule that the total is named after. `terms` is a hash of what F
    depends on and of the terms of every total that it feeds. F(T) = T for 0 <= T <= `straight`
    (a cap's limit; 0 for the others). `limit` is the ceiling of a cap, of reward or of spend,
    `beyond` the part of what lies past it that still counts. For telling: `steps` of a threshold
    (reach, units), of bands (start, 0), of a count (every, units); `each`, of a rounding, is the
    exact reward of a piece.
    """

    kind: Kind
    owner: str
    per: Per
    scope: Scope
    terms: str
    straight: int
    worth: Callable[[int], int]
    text: str
    limit: int = 0
    beyond: Fraction = Fraction(0)
    steps: tuple[tuple[int, int], ...] = ()
    each: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Rule:
    """One earning clause. `step` is the smallest reward that its rounding leaves (minor units).

    `totals` are passed one after another: first the one that stands in place of `earn` or rounds
    per period, then the caps of reward from narrow to wide. Rules that share one share the object.
    """

    id: str
    award: str
    when: Condition
    group: str | None
    priority: int
    minimum: int | None
    maximum: int | None
    earn: Earn | None
    rounding: Rounding
    step: int
    totals: tuple[Running, ...]
    funding: Funding
    entry: Entry = Entry.REWARD
    best: Best | None = None
    minimum_reward: int | None = None
    maximum_reward: int | None = None
    whole: Callable[[int], int] | None = None
    """The rounded reward in integers only, where the compiler has made it: the same, faster."""
    steady: Condition | None = None
    """A part of `when` that looks at MCC, merchant, country, channel and product only; None: none
    of it. A rule that looks at nothing else has one object for both."""
    asked: Any = None
    """The clause that `when` was made of: to tell which key does not hold."""

    def entered(self, spend: int, net: int) -> int:
        """What a purchase adds to the rule's first total; without a total, its reward."""
        entry = self.entry
        if entry is _REWARD:
            earned = self._rounded(spend) if self.whole is None else self.whole(spend)
            if self.minimum_reward is not None or self.maximum_reward is not None:
                return self._bounded(earned, spend)
            return earned
        if entry is _SPEND:
            return spend
        if entry is _ONE:
            return 1 if net > 0 else 0
        return self._earn.pieces(spend)

    def reward(self, spend: int, net: int) -> Fraction | int:
        """u: the reward before any total, by which the best rule of a group is found."""
        if self.entry is _REWARD:
            return self.entered(spend, net)
        return self._earn.exact(spend)

    def _rounded(self, spend: int) -> int:
        return round_to_step(self._earn.exact(spend), step=self.step, rounding=self.rounding)

    def _bounded(self, earned: int, spend: int) -> int:
        """Between the least and the most of a purchase that earns at all."""
        if spend <= 0 or self._earn.exact(spend) <= 0:
            return earned
        if self.maximum_reward is not None:
            earned = min(earned, self.maximum_reward)
        return earned if self.minimum_reward is None else max(earned, self.minimum_reward)

    @property
    def _earn(self) -> Earn:
        if self.earn is None:
            raise ValueError(f"{self.id} earns through its total only")
        return self.earn


@dataclass(frozen=True, slots=True)
class Terms:
    """One signed version of a contract. `first` and `last` are both inclusive."""

    contract: str
    version: int
    issuer: str
    program: str
    partner: str
    unit: str
    first: date
    last: date
    zone: ZoneInfo
    day_ends_minutes: int
    governs: Governs
    spend_currency: str
    eligible: Eligible
    card_products: frozenset[str] | None
    excluded: Condition
    rules: tuple[Rule, ...]
    release: Release
    funding: Funding
    fees: tuple[Fee, ...] = ()
    refunds: Refunds = Refunds.RECOMPUTE
    ignored: frozenset[str] = frozenset()
    """Kinds of events that do not enter the net under this contract."""
    merchants: frozenset[str] | None = None
    """Every merchant id that a `steady` condition names; None: not known."""
    exclusions: tuple[Any, ...] = ()
    """The clauses that `excluded` was made of, for telling which one fits."""
    selections: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What the engine remembers of it (`engine.selection`): found once for a kind of purchase."""

    def holds(self, day: date) -> bool:
        """Whether the term holds the day."""
        return self.first <= day <= self.last


def round_to_step(value: Fraction, *, step: int, rounding: Rounding) -> int:
    """A whole multiple of `step` minor units."""
    return round_ratio(value.numerator, value.denominator * step, rounding) * step
