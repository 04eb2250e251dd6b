"""Running totals: granted(P, r) = F(T through P) − F(T before P), in recorded order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from services.accrual.contracts.book import Book
from services.accrual.contracts.terms import Cap
from services.accrual.engine.funding import GrantKey, standing
from services.accrual.lifecycle.purchase import Grant, Purchase


class NeedsHistory(Exception):
    """All purchases and totals of the account are needed to decide this event."""


class TotalKey(NamedTuple):
    """What a total runs over; its scope is the account that all of it belongs to."""

    contract: str
    owner: str
    terms: str
    period: str


class Total(msgspec.Struct, kw_only=True, eq=False, gc=False):
    """T and F(T) of one scope and period, in minor units of the unit."""

    unit: str
    total: int = 0
    granted: int = 0
    changed: bool = False


class Shares:
    """The grants of some purchases replaced, and every total that they count in shared out."""

    def __init__(
        self,
        purchases: Mapping[tuple[str, str], Purchase],
        totals: dict[TotalKey, Total],
        book: Book,
        *,
        complete: bool,
    ) -> None:
        self._purchases = purchases
        self._totals = totals
        self._book = book
        self._complete = complete
        self._replaced: list[tuple[Purchase, list[Grant]]] = []
        self.before: dict[int, tuple[Purchase, dict[GrantKey, int]]] = {}
        """Every purchase whose grants may have changed, with what stood before."""

    def replace(self, purchase: Purchase, grants: list[Grant]) -> None:
        """Give a purchase new grants; capped ones get their share in `share_out`."""
        self.before[purchase.number] = (purchase, standing(purchase.grants))
        self._replaced.append((purchase, purchase.grants))
        purchase.grants = grants
        purchase.changed = True

    def share_out(self, *, seq: int, moved_in: bool) -> None:
        """Move every total concerned.

        `seq` is the current event's; `moved_in` says that a purchase may have taken an earlier
        place (an event that waited has joined, or facts changed).
        """
        affected: dict[TotalKey, tuple[list[Grant], list[Grant]]] = {}
        for purchase, old in self._replaced:
            for grant in old:
                if grant.owner:
                    affected.setdefault(key_of(grant), ([], []))[0].append(grant)
            for grant in purchase.grants:
                if grant.owner:
                    affected.setdefault(key_of(grant), ([], []))[1].append(grant)
        for key, (was, now) in affected.items():
            self._move(key, was, now, seq=seq, moved_in=moved_in)

    def _move(
        self, key: TotalKey, was: list[Grant], now: list[Grant], *, seq: int, moved_in: bool
    ) -> None:
        """Share one total out; `was` and `now` are the replaced grants and the new ones."""
        cap = self._cap((now or was)[0])
        total = self._totals.get(key)
        if total is None:
            total = self._totals[key] = Total(unit=(now or was)[0].unit)
        after = total.total
        for grant in now:
            after += grant.earned
        for grant in was:
            after -= grant.earned
        alone = len(self._replaced) == 1
        if total.total <= cap.limit and after <= cap.limit:
            pass  # every contribution is granted whole, before and after
        elif alone and not moved_in and [g.earned for g in was] == [g.earned for g in now]:
            for grant, same in zip(now, was, strict=True):
                grant.granted = same.granted
        elif alone and not was and self._replaced[0][0].place == seq:
            distribute(now, before=total.total, cap=cap)
        elif not self._complete:
            raise NeedsHistory
        else:
            self._share_among_all(key, cap)
        if after != total.total:
            total.total, total.granted, total.changed = after, cap.granted(after), True

    def _share_among_all(self, key: TotalKey, cap: Cap) -> None:
        """Share a total out from the start, among all purchases in recorded order."""
        placed: list[tuple[int, int, Purchase, list[Grant]]] = []
        for purchase in self._purchases.values():
            grants = [grant for grant in purchase.grants if key_of(grant) == key]
            if grants:
                placed.append((purchase.place or 0, purchase.number, purchase, grants))
        placed.sort(key=lambda entry: entry[:2])
        for _, number, purchase, _ in placed:
            if number not in self.before:
                self.before[number] = (purchase, standing(purchase.grants))
        distribute((grant for *_, grants in placed for grant in grants), before=0, cap=cap)

    def _cap(self, grant: Grant) -> Cap:
        return self._book.cap(grant.contract, grant.version, grant.rule)


def key_of(grant: Grant) -> TotalKey:
    """The total that a grant counts in; its owner is empty for a rule without a cap."""
    return TotalKey(grant.contract, grant.owner, grant.terms, grant.period)


def distribute(grants: Iterable[Grant], *, before: int, cap: Cap) -> None:
    """Grant each contribution its share of the room, in order, from T = `before` on."""
    total = before
    used = cap.granted(total)
    for grant in grants:
        total += grant.earned
        through = cap.granted(total)
        grant.granted = through - used
        used = through
