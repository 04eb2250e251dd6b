"""Sharing totals out: granted(P, r) = F(T through P) − F(T before P), in recorded order.

A rule may pass several totals, one after another: what comes out of one enters the next. A total
that is straight as far as it is filled, and a purchase at the end of the order, need nothing but
the total itself; anything else that is bent takes all purchases of the account (`NeedsHistory`).
"""

from __future__ import annotations

from services.accrual.contracts.book import Book
from services.accrual.contracts.terms import Running
from services.accrual.engine.anew import share_anew
from services.accrual.engine.funding import GrantKey, standing
from services.accrual.engine.line import Line
from services.accrual.engine.totals import NeedsHistory, Total, TotalKey, append, key_of, total_of
from services.accrual.lifecycle.purchase import Grant, Purchase, Share


class Shares:
    """The grants of some purchases replaced, and every total that they count in shared out."""

    def __init__(
        self,
        purchases: dict[tuple[str, str], Purchase],
        line: Line | None,
        totals: dict[TotalKey, Total],
        book: Book,
        *,
        complete: bool,
    ) -> None:
        self._purchases = purchases
        self._line = line
        self._totals = totals
        self._book = book
        self._complete = complete
        self._replaced: list[tuple[Purchase, list[Grant]]] = []
        self.before: dict[int, tuple[Purchase, dict[GrantKey, int]]] = {}
        """Every purchase whose grants may have changed, with what stood before."""

    def replace(self, purchase: Purchase, grants: list[Grant]) -> None:
        """Give a purchase new grants; those with totals get their share in `share_out`."""
        self.before[purchase.number] = (purchase, standing(purchase.grants))
        self._replaced.append((purchase, purchase.grants))
        purchase.grants = grants
        purchase.changed = True

    def share_out(self, *, seq: int, moved_in: bool) -> None:
        """Move every total concerned.

        `seq` is the current event's; `moved_in` says that a purchase may have taken an earlier
        place (an event that waited has joined, or facts changed).
        """
        was = [grant for _, old in self._replaced for grant in old if grant.shares]
        now = [grant for found, _ in self._replaced for grant in found.grants if grant.shares]
        if not was and not now:
            return
        alone = len(self._replaced) == 1 and not moved_in
        last = alone and self._replaced[0][0].place == seq
        if not was and last:
            for grant in now:
                totals = self._book.totals(grant.contract, grant.version, grant.rule)
                append(grant, totals, self._totals)
        elif not self._move(was, now, alone=alone, last=last):
            if not self._complete:
                raise NeedsHistory
            share_anew(self._purchases, self._line, self._totals, self._book, self.before)

    def _move(self, was: list[Grant], now: list[Grant], *, alone: bool, last: bool) -> bool:
        """Move the totals of replaced grants one by one, if that concerns no other purchase.

        Totals are taken by how many come after them: all that enters one is known by then.
        """
        for after in reversed(range(max(len(grant.shares) for grant in (*was, *now)))):
            moved: dict[TotalKey, tuple[list[Share], list[Share]]] = {}
            running: dict[TotalKey, tuple[str, Running]] = {}
            for which, grants in ((0, was), (1, now)):
                for grant in grants:
                    at = len(grant.shares) - 1 - after
                    if at < 0:
                        continue
                    share = grant.shares[at]
                    if which:
                        share.entered = grant.shares[at - 1].granted if at else grant.earned
                    key = key_of(grant, share)
                    moved.setdefault(key, ([], []))[which].append(share)
                    totals = self._book.totals(grant.contract, grant.version, grant.rule)
                    running[key] = (grant.unit, totals[at])
            for key, (old, new) in moved.items():
                total = total_of(self._totals, key, *running[key])
                if not _move_one(total, running[key][1], old, new, alone=alone, last=last):
                    return False
        for grant in now:
            grant.granted = grant.shares[-1].granted
        return True


def _move_one(
    total: Total, running: Running, was: list[Share], now: list[Share], *, alone: bool, last: bool
) -> bool:
    """Move one total from the old shares to the new ones; False if others may change by it."""
    after = total.total
    for share in now:
        after += share.entered
    for share in was:
        after -= share.entered
    if total.total <= running.straight and after <= running.straight:
        for share in now:
            share.granted = share.entered  # and so it is for every other purchase
    elif alone and [s.entered for s in was] == [s.entered for s in now]:
        for share, same in zip(now, was, strict=True):
            share.granted = same.granted
    elif last and not was:
        through, used = total.total, total.granted
        for share in now:
            through += share.entered
            worth = running.worth(through)
            share.granted, used = worth - used, worth
    else:
        return False
    total.move(after, running.worth(after))
    return True
