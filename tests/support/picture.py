"""What the naive model answers with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.support.dates import Document
from tests.support.lifecycles import Key, Lifecycle, Linked

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
TotalKey = tuple[str, str, str, str, str, str]
"""contract, rule that owns it, scope, scope id, period, unit"""


@dataclass(frozen=True)
class Verdict:
    """One rule on one purchase. `reason` is None where it grants something or lost its group."""

    rule: str
    reason: str | None
    eligible: int = 0
    earned: int = 0
    granted: int = 0


@dataclass
class Decided:
    """One contract on one purchase."""

    contract: str
    day: date | None = None
    document: Document | None = None
    available_on: date | None = None
    waits: bool = False
    verdicts: list[Verdict] = field(default_factory=list)


@dataclass
class Picture:
    """What everything recorded so far comes to."""

    contracts: Sequence[Document]
    linked: Linked
    decided: dict[Key, list[Decided]]
    grants: dict[GrantKey, int]
    """Rows of 0 are left out."""
    totals: dict[TotalKey, list[int]]
    """F(T) of each total, one entry for each terms; rows of 0 are left out."""
    worth: dict[tuple[Any, ...], tuple[int, int]]
    """(contract, rule, terms, account, period) → T and F(T)."""
    posted: dict[tuple[Any, ...], int]
    """What the ledger must hold: by purchase, contract, version, rule, unit, funder, dates."""
    reasons: dict[Key, str | None]
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
