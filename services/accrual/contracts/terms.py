"""A contract version as the engine runs it: exact, resolved, compiled once.

Amounts of spend are minor units of `spend_currency`; amounts of reward are minor units of `unit`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo

import msgspec

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


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What rules may know of a purchase: the facts of its first standing presentment."""

    mcc: str | None
    merchant: str | None
    country: str | None
    channel: str | None
    product: str | None
    governing_on: date


Condition = Callable[[Facts], bool]
"""Whether a `when` or an `exclude` holds. A condition on an absent fact does not."""


@dataclass(frozen=True, slots=True)
class Earn:
    """How spend becomes reward, before rounding.

    `exact(e)` is the reward in minor units of the unit, as a fraction, for `e` minor units of
    spend; `text` says it in words ("3 SKY-MILE per whole 10.00 NOK").
    """

    exact: Callable[[int], Fraction]
    text: str


@dataclass(frozen=True, slots=True)
class Cap:
    """A ceiling on reward over a scope and a period; rules that share it form a pool.

    `owner` is the id of the rule that the total is named after. `terms` is the hex sha256 of
    what F depends on. `rounding` and `step` round the part past the limit (beyond).
    """

    owner: str
    limit: int
    per: Per
    beyond: Fraction
    rounding: Rounding
    step: int
    terms: str

    def granted(self, total: int) -> int:
        """F(T): what the first `total` units of reward are worth under this cap."""
        if total <= self.limit:
            return total
        if not self.beyond:
            return self.limit
        return self.limit + round_to_step(
            (total - self.limit) * self.beyond, step=self.step, rounding=self.rounding
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One earning clause. `step` is the smallest reward that its rounding leaves (minor units)."""

    id: str
    award: str
    when: Condition
    group: str | None
    priority: int
    minimum: int | None
    maximum: int | None
    earn: Earn
    rounding: Rounding
    step: int
    cap: Cap | None
    whole: Callable[[int], int] | None = None
    """`earned` in integers only, where the contract's compiler has made it: the same, faster."""

    def earned(self, spend: int) -> int:
        """u: the reward of `spend` eligible minor units, rounded per transaction."""
        if self.whole is not None:
            return self.whole(spend)
        return round_to_step(self.earn.exact(spend), step=self.step, rounding=self.rounding)


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
    release_days: int
    funders: tuple[str, ...]
    shares: tuple[Fraction, ...]
    remainder: int

    def holds(self, day: date) -> bool:
        """Whether the term holds the day."""
        return self.first <= day <= self.last


def round_to_step(value: Fraction, *, step: int, rounding: Rounding) -> int:
    """A whole multiple of `step` minor units."""
    return round_ratio(value.numerator, value.denominator * step, rounding) * step
