"""Every total of an account shared out from the start, among all its purchases."""

from __future__ import annotations

from operator import itemgetter

from services.accrual.contracts.book import Book
from services.accrual.contracts.terms import Running
from services.accrual.engine.funding import GrantKey, standing
from services.accrual.engine.totals import Total, TotalKey, key_of, total_of
from services.accrual.lifecycle.purchase import Grant, Purchase, Share, Stored

Before = dict[int, tuple[Purchase, dict[GrantKey, int]]]
"""Number of a purchase → the purchase, and what it was granted before."""


class Standing:
    """How far a total has run, while all purchases pass it once more."""

    __slots__ = ("period", "running", "scope_id", "straight", "total", "worth")

    def __init__(self, running: Running, scope_id: str = "", period: str = "") -> None:
        self.running = running
        self.straight = running.straight
        self.scope_id = scope_id
        self.period = period
        self.total = 0
        self.worth = 0


def share_anew(
    purchases: dict[tuple[str, str], Purchase],
    stored: dict[int, Stored],
    totals: dict[TotalKey, Total],
    book: Book,
    before: Before,
) -> None:
    """Let every grant through its totals, in recorded order. Purchases that change are written, and
    what stood before is noted in `before`, unless it is there; stored ones are decoded for it.
    """
    _Anew(purchases, stored, totals, book, before).run()


class _Anew:
    """The state of one run through an account."""

    def __init__(
        self,
        purchases: dict[tuple[str, str], Purchase],
        stored: dict[int, Stored],
        totals: dict[TotalKey, Total],
        book: Book,
        before: Before,
    ) -> None:
        self._purchases = purchases
        self._stored = stored
        self._totals = totals
        self._book = book
        self._before = before
        self._sums: dict[TotalKey, Standing] = {}
        self._lanes: dict[tuple[str, int, str], list[Standing]] = {}
        """The totals that the latest grant of a rule went through: nearly always the next one's."""

    def run(self) -> None:
        """Pass all purchases, and leave the totals where they stand then."""
        placed: list[tuple[int, Purchase | Stored]] = [
            (found.place or 0, found) for found in self._purchases.values() if found.grants
        ]
        placed += [(found.place, found) for found in self._stored.values() if found.grants]
        placed.sort(key=itemgetter(0))
        for _, found in placed:
            for at, grant in enumerate(found.grants):
                if grant.shares:
                    self._pass(found, at, grant)
        for key, total in self._totals.items():
            stands = self._sums.get(key)
            total.move(*(0, 0) if stands is None else (stands.total, stands.worth))

    def _pass(self, found: Purchase | Stored, at: int, grant: Grant) -> None:
        """Let one grant, the `at`-th of its purchase, through its totals; write what is new."""
        rule = (grant.contract, grant.version, grant.rule)
        lane = self._lanes.get(rule)
        if lane is None:
            lane = self._lanes[rule] = [Standing(total) for total in self._book.totals(*rule)]
        amount = grant.earned
        for index, share in enumerate(grant.shares):
            stands = lane[index]
            if stands.period != share.period or stands.scope_id != share.scope_id:
                stands = lane[index] = self._stands(grant, share, stands.running)
            stands.total = through = stands.total + amount
            if through > stands.straight:
                through = stands.running.worth(through)
            granted = through - stands.worth
            stands.worth = through
            if share.granted != granted or share.entered != amount:
                share = self._new(found, at).shares[index]
                share.entered, share.granted = amount, granted
            amount = granted
        if grant.granted != amount:
            self._new(found, at).granted = amount

    def _stands(self, grant: Grant, share: Share, running: Running) -> Standing:
        key = key_of(grant, share)
        stands = self._sums.get(key)
        if stands is None:
            stands = self._sums[key] = Standing(running, share.scope_id, share.period)
            total_of(self._totals, key, grant, running)
        return stands

    def _new(self, found: Purchase | Stored, at: int) -> Grant:
        """The `at`-th grant of a purchase, to be written; what stood before is kept."""
        if isinstance(found, Purchase):
            purchase = found
        elif found.number in self._stored:
            del self._stored[found.number]
            purchase = found.restore()
            self._purchases[purchase.issuer_id, purchase.key] = purchase
        else:
            purchase = self._before[found.number][0]
        if purchase.number not in self._before:
            self._before[purchase.number] = (purchase, standing(purchase.grants))
        purchase.changed = True
        return purchase.grants[at]
