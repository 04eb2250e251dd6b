"""What the naive model answers with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from tests.support.chains import Link
from tests.support.dates import Read
from tests.support.lifecycles import Key, Lifecycle, Linked
from tests.support.nets import Net

REASONS = (
    "COMPARE_FEED",
    "NO_PRESENTMENT",
    "NO_CONTRACT",
    "NOT_ENROLLED",
    "CURRENCY_NOT_COVERED",
    "CARD_PRODUCT_NOT_COVERED",
    "EXCLUDED",
    "NO_RULE",
    "BELOW_MINIMUM",
    "NET_IS_ZERO",
    "NOT_REACHED",
    "ROUNDED_TO_ZERO",
    "CAP_REACHED",
)

GrantKey = tuple[str, str, str, str, int, str, str, str]
"""account, issuer, purchase label, contract, version, rule, unit, funder"""
DueKey = tuple[str, str, str, str, int, str, str, str, date]
"""the same, and the date on which it becomes available"""
FeeKey = tuple[str, str, str, str, int, str, str, str, str]
"""account, issuer, purchase label, contract, version, rule, unit, party, funder"""
TotalKey = tuple[str, str, str, str, str, str, str]
"""contract, rule that owns it, kind, scope, scope id, period, unit"""


@dataclass(frozen=True)
class Worth:
    """A running total: T, and F(T) in minor units of `unit`."""

    link: Link
    unit: str
    total: Fraction = Fraction(0)
    granted: int = 0


@dataclass(frozen=True)
class Pass:
    """A purchase's way through one link: T before and through it, and what came out of it."""

    link: Link
    scope_id: str
    period: str
    before: Fraction
    through: Fraction
    out: int


@dataclass(frozen=True)
class Verdict:
    """One rule on one purchase. `reason` is None where it grants something or lost its group."""

    rule: str
    reason: str | None
    entered: Fraction = Fraction(0)
    """What entered the first link: reward, exact reward, spend, or one purchase."""
    granted: int = 0
    passes: tuple[Pass, ...] = ()


@dataclass
class Decided:
    """One contract on one purchase."""

    contract: str
    day: date | None = None
    document: Read | None = None
    net: Net | None = None
    """As its refund policy has it."""
    available_on: date | None = None
    waits: bool = False
    verdicts: list[Verdict] = field(default_factory=list)


@dataclass
class Picture:
    """What everything recorded so far comes to."""

    contracts: Sequence[Read]
    linked: Linked
    decided: dict[Key, list[Decided]] = field(default_factory=dict)
    grants: dict[GrantKey, int] = field(default_factory=dict)
    """Rows of 0 are left out."""
    fees: dict[FeeKey, int] = field(default_factory=dict)
    """Rows of 0 are left out."""
    totals: dict[TotalKey, list[int]] = field(default_factory=lambda: defaultdict(list))
    """F(T) of each total, one entry for each terms; rows of 0 are left out."""
    worth: dict[tuple[Any, ...], Worth] = field(default_factory=dict)
    """By contract, rule, kind, terms, account, scope, scope id, period, unit."""
    due: dict[DueKey, int] = field(default_factory=dict)
    """Rows of 0 are left out."""
    posted: dict[tuple[Any, ...], int] = field(default_factory=dict)
    """What the ledger must hold: by purchase, contract, version, rule, unit, funder, dates."""
    reasons: dict[Key, str | None] = field(default_factory=dict)
    """Why a purchase earns nothing now; None where it earns."""

    @property
    def purchases(self) -> dict[Key, Lifecycle]:
        return self.linked.lifecycles

    @property
    def balances(self) -> dict[tuple[str, str], int]:
        """(account, unit) → what the member has."""
        found: dict[tuple[str, str], int] = defaultdict(int)
        for (account, *_, unit, _funder), amount in self.grants.items():
            found[account, unit] += amount
        return dict(found)
