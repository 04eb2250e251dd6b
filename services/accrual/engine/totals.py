"""Running totals: T of one scope and period, and F(T).

A grant whose purchase stands at the end of the recorded order needs nothing but the totals
themselves; `sharing` moves them for all others.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from services.accrual.contracts.terms import Running
from services.accrual.engine.places import SCOPE_NAMES
from services.accrual.lifecycle.purchase import Grant, Share


class NeedsHistory(Exception):
    """All purchases and totals of the account are needed to decide this event."""


class TotalKey(NamedTuple):
    """What a total runs over, within one account: all of it, or one card."""

    contract: str
    owner: str
    kind: str
    terms: str
    scope_id: str
    period: str


class Total(msgspec.Struct, eq=False, gc=False):
    """T and F(T) of one scope and period. F(T) is minor units of the unit, or what enters the next
    total; `scope` says for a new one whether it runs over the account or a card."""

    unit: str
    scope: str = ""
    total: int = 0
    granted: int = 0
    changed: bool = False

    def move(self, total: int, granted: int) -> None:
        """Let it stand elsewhere."""
        if total != self.total or granted != self.granted:
            self.total, self.granted, self.changed = total, granted, True


def key_of(grant: Grant, share: Share) -> TotalKey:
    """The total that a share of a grant is of."""
    return _key(
        TotalKey,
        (grant.contract, share.owner, share.kind, share.terms, share.scope_id, share.period),
    )


_key = tuple.__new__  # the class itself takes its arguments through Python, for every grant


def append(grant: Grant, passed: tuple[Running, ...], totals: dict[TotalKey, Total]) -> None:
    """Let a grant through its totals whose purchase stands at the end of the recorded order."""
    amount = grant.earned
    for share, running in zip(grant.shares, passed, strict=True):
        if not amount:
            break  # nothing comes out of the totals that follow either
        share.entered = amount
        key = key_of(grant, share)
        total = totals.get(key) or total_of(totals, key, grant.unit, running)
        through = total.total + amount
        worth = through if through <= running.straight else running.worth(through)
        share.granted = amount = worth - total.granted
        total.total, total.granted, total.changed = through, worth, True
    grant.granted = amount


def total_of(totals: dict[TotalKey, Total], key: TotalKey, unit: str, running: Running) -> Total:
    total = totals.get(key)
    if total is None:
        total = totals[key] = Total(unit=unit, scope=SCOPE_NAMES[running.scope])
    return total
