"""Every total of an account shared out from the start, among all its purchases."""

from __future__ import annotations

from collections.abc import Callable

from services.accrual.contracts.book import Book
from services.accrual.contracts.terms import Running
from services.accrual.engine.funding import GrantKey, standing
from services.accrual.engine.line import Lane, Line, Turn
from services.accrual.engine.totals import Total, TotalKey, total_of
from services.accrual.lifecycle.purchase import Grant, Purchase

Before = dict[int, tuple[Purchase, dict[GrantKey, int]]]
"""Number of a purchase → the purchase, and what it was granted before."""


class Standing:
    """How far a total has run, while all purchases pass it once more."""

    __slots__ = ("straight", "total", "worth", "worth_of")

    def __init__(self, running: Running) -> None:
        self.straight = running.straight
        self.worth_of: Callable[[int], int] = running.worth
        self.total = 0
        self.worth = 0

    def take(self, amount: int) -> int:
        """Let an amount in; what comes out."""
        self.total = through = self.total + amount
        if through > self.straight:
            through = self.worth_of(through)
        granted = through - self.worth
        self.worth = through
        return granted


def share_anew(
    purchases: dict[tuple[str, str], Purchase],
    line: Line | None,
    totals: dict[TotalKey, Total],
    book: Book,
    before: Before,
) -> None:
    """Let every grant through its totals, in recorded order. Purchases that change are written, and
    what stood before is noted in `before`, unless it is there; those in line are decoded for it.
    """
    _Anew(purchases, Line("", {}) if line is None else line, totals, book, before).run()


class _Anew:
    """The state of one run through an account."""

    def __init__(
        self,
        purchases: dict[tuple[str, str], Purchase],
        line: Line,
        totals: dict[TotalKey, Total],
        book: Book,
        before: Before,
    ) -> None:
        self._purchases = purchases
        self._line = line
        self._totals = totals
        self._book = book
        self._before = before
        self._sums: dict[TotalKey, Standing] = {}

    def run(self) -> None:
        """Pass all purchases, and leave the totals where they stand then."""
        ways: dict[int, tuple[Standing, ...]] = {}
        waited = len(self._line)
        for turn in self._line.turns(self._purchases.values()):
            way = ways.get(turn.lane.number)
            if way is None:
                way = ways[turn.lane.number] = self._way(turn.lane)
            earned = turn.earned
            came_out = (way[0].take(earned),) if len(way) == 1 else _through(way, earned)
            if came_out != turn.came_out:
                self._write(turn, came_out)
        if len(self._line) < waited:
            self._line.close()
        for key, total in self._totals.items():
            sums = self._sums.get(key)
            total.move(*(0, 0) if sums is None else (sums.total, sums.worth))

    def _way(self, lane: Lane) -> tuple[Standing, ...]:
        """The totals of a lane, as they stand in this run."""
        way: list[Standing] = []
        passed = self._book.totals(lane.contract, lane.version, lane.rule)
        for key, running in zip(lane.keys, passed, strict=True):
            stands = self._sums.get(key)
            if stands is None:
                stands = self._sums[key] = Standing(running)
                total_of(self._totals, key, lane.unit, running)
            way.append(stands)
        return tuple(way)

    def _write(self, turn: Turn, came_out: tuple[int, ...]) -> None:
        """Let a grant be what came out of its totals; what stood before of its purchase is kept."""
        purchase = turn.purchase
        if purchase is None:
            purchase = self._line.take(turn.of)
            if purchase is None:
                purchase = self._before[turn.of[1]][0]
            else:
                self._purchases[purchase.issuer_id, purchase.key] = purchase
        grant = purchase.grants[turn.at]
        if _is(grant, came_out):
            return
        if purchase.number not in self._before:
            self._before[purchase.number] = (purchase, standing(purchase.grants))
        purchase.changed = True
        entered = grant.earned
        for share, granted in zip(grant.shares, came_out, strict=True):
            share.entered, share.granted = entered, granted
            entered = granted
        grant.granted = entered


def _through(way: tuple[Standing, ...], amount: int) -> tuple[int, ...]:
    """What comes out of each total when an amount enters the first one."""
    came_out: list[int] = []
    for stands in way:
        amount = stands.take(amount)
        came_out.append(amount)
    return tuple(came_out)


def _is(grant: Grant, came_out: tuple[int, ...]) -> bool:
    """Whether this is what stands there already."""
    entered = grant.earned
    for share, granted in zip(grant.shares, came_out, strict=True):
        if share.entered != entered or share.granted != granted:
            return False
        entered = granted
    return grant.granted == entered
