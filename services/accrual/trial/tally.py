"""What a trial counts: old beside new by rule, funder and member, and the biggest changes.

Amounts are minor units of the contract's unit. A tally adds up with others, in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, TypeVar

BIGGEST = 10
KEPT_MAX = 256
"""Changes kept before all but the biggest are forgotten."""

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Window:
    """Governing dates, both ends inclusive."""

    first: date
    last: date

    def holds(self, day: date) -> bool:
        """Whether the window holds the day."""
        return self.first <= day <= self.last


@dataclass(slots=True)
class Pair:
    """What was, beside what the draft makes of it."""

    old: int = 0
    new: int = 0

    @property
    def difference(self) -> int:
        """New less old."""
        return self.new - self.old


class Sold(NamedTuple):
    """What is priced together: the rewards of a rule of a version, or the fees on them."""

    version: int
    rule: str
    fee: bool


class Moved(NamedTuple):
    """A purchase whose reward changes."""

    account_id: str
    member_id: str
    issuer_id: str
    purchase: str
    on: date
    merchant: str | None
    mcc: str | None
    net: int
    currency: str
    old: int
    new: int
    rules: tuple[tuple[str, int, int], ...]
    """Rule, old, new."""

    @property
    def difference(self) -> int:
        """New less old."""
        return self.new - self.old

    def rank(self) -> tuple[int, str, str]:
        """The biggest first; among equals by account and purchase."""
        return -abs(self.difference), self.account_id, self.purchase


@dataclass(slots=True)
class Tally:
    """Sums over accounts."""

    accounts: int = 0
    events: int = 0
    purchases: int = 0
    """With a reward, old or new, in the window."""
    gained: int = 0
    lost: int = 0
    total: Pair = field(default_factory=Pair)
    rules: dict[str, Pair] = field(default_factory=dict)
    earning: dict[str, Pair] = field(default_factory=dict)
    """Purchases that earn, by rule."""
    funders: dict[str, Pair] = field(default_factory=dict)
    fees: dict[str, Pair] = field(default_factory=dict)
    """By party that takes them."""
    members: dict[str, Pair] = field(default_factory=dict)
    sold: dict[Sold, Pair] = field(default_factory=dict)
    moved: list[Moved] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add what other accounts came to."""
        self.accounts += other.accounts
        self.events += other.events
        self.purchases += other.purchases
        self.gained += other.gained
        self.lost += other.lost
        self.total.old += other.total.old
        self.total.new += other.total.new
        _merge(self.rules, other.rules)
        _merge(self.earning, other.earning)
        _merge(self.funders, other.funders)
        _merge(self.fees, other.fees)
        _merge(self.members, other.members)
        _merge(self.sold, other.sold)
        for moved in other.moved:
            self.keep(moved)

    def keep(self, moved: Moved) -> None:
        """Remember a change while it may be among the biggest."""
        self.moved.append(moved)
        if len(self.moved) >= KEPT_MAX:
            self.moved = self.biggest()

    def biggest(self) -> list[Moved]:
        """The biggest changes, the biggest first."""
        return sorted(self.moved, key=Moved.rank)[:BIGGEST]


def pair_of(sums: dict[Key, Pair], key: Key) -> Pair:
    """The pair under a key, made if need be."""
    found = sums.get(key)
    if found is None:
        found = sums[key] = Pair()
    return found


def _merge(sums: dict[Key, Pair], more: Mapping[Key, Pair]) -> None:
    for key, other in more.items():
        pair = pair_of(sums, key)
        pair.old += other.old
        pair.new += other.new


def ranked(sums: Mapping[str, Pair]) -> Iterable[tuple[str, Pair]]:
    """Those that change most first; among equals by name."""
    return sorted(sums.items(), key=lambda entry: (-abs(entry[1].difference), entry[0]))
