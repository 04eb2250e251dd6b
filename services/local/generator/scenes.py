"""Scenes: short histories of one account each that break careless systems, in the order in which
their bank delivers them. What must come of each is looked up afterwards (`local.cases`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time

import msgspec

from services.kernel.transaction import CardTransaction, Kind
from services.local.generator.merchants import NORSE, Merchant
from services.local.generator.pen import DAY, MINUTE, Pen, Told
from services.local.generator.people import Person

CONFLICT = "conflict: same id, other content"
REFUND_FIRST = "refund before its purchase"
REVERSAL_FIRST = "refund reversal before its refund"
MIDNIGHT = "legs reversed over midnight at a month's end"
TWICE = "one leg reversed twice, under two ids"
RATE = "refund at another exchange rate"
CHARGEBACK = "chargeback and its reversal"
OVER = "refund larger than its purchase"
ROOM = "refund that frees cap room"
LATE = "late event"
SETTLED = "refund after its purchase was settled"

_GROCER, _CAFE, _HOTEL = NORSE[0], NORSE[1], NORSE[10]
_GOLD_CAP = 1_000_000
"""Spend in øre that fills the month's cap of 1,000 miles at one mile per 10.00."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What was planted: the case, its account, the ids of the events that a look-up needs by
    their part, and the miles that must stand in the end for purchases by their part.
    """

    case: str
    account_id: str
    events: Mapping[str, str]
    miles: Mapping[str, int]


Script = tuple[dict[str, CardTransaction], dict[str, int]]
"""The events by part, and the miles that stand in the end."""


@dataclass(slots=True)
class Stage:
    """One account on which a scene plays; `played` is what it delivers, in order."""

    pen: Pen
    person: Person
    played: list[Told]

    def buy(self, day: int, amount: int, merchant: Merchant = _GROCER) -> CardTransaction:
        """A purchase in March, at noon, that is not delivered yet."""
        return self.pen.purchase(
            self.person, merchant, on=date(2026, 3, day), at=time(12), amount=amount
        )

    def follow(
        self, of: CardTransaction, kind: Kind, *, days: int = 3, amount: int | None = None,
        named: CardTransaction | None = None,
    ) -> CardTransaction:  # fmt: skip
        """A later event of a purchase, not delivered yet."""
        return self.pen.follow(of, self.person, kind, days=days, amount=amount, of=named)

    def deliver(self, *events: CardTransaction) -> None:
        """Deliver these in this order, whatever happened first, after everything before."""
        for event in events:
            last = self.played[-1].at if self.played else 0
            at = max(last + MINUTE, event.occurred_at + DAY)
            self.played.append(Told(at, event))


def conflict(stage: Stage) -> Script:
    """A purchase comes again as it was, and then under the same id with another amount."""
    bought = stage.buy(12, 20_000)
    other = msgspec.structs.replace(bought, billing_amount=90_000)
    stage.deliver(bought, bought, other)
    return {"purchase": bought}, {"purchase": 20}


def refund_first(stage: Stage) -> Script:
    """The refund of half arrives before the purchase."""
    bought = stage.buy(3, 48_000)
    back = stage.follow(bought, Kind.REFUND, amount=24_000)
    stage.deliver(back, bought)
    return {"refund": back, "purchase": bought}, {"purchase": 24}


def refund_reversal_first(stage: Stage) -> Script:
    """A refund is taken back before it arrives; the reversal names it and nothing else."""
    bought = stage.buy(4, 36_000)
    back = stage.follow(bought, Kind.REFUND)
    undone = msgspec.structs.replace(
        stage.follow(bought, Kind.REFUND_REVERSAL, days=4, named=back), lifecycle_id=None
    )
    stage.deliver(bought, undone, back)
    return {"purchase": bought, "reversal": undone, "refund": back}, {"purchase": 36}


def legs_over_midnight(stage: Stage) -> Script:
    """Two clearing legs around midnight of 31 March; the one of April arrives first."""
    march = stage.pen.purchase(
        stage.person, _GROCER, on=date(2026, 3, 31), at=time(23, 58), amount=21_000
    )
    april = msgspec.structs.replace(
        stage.follow(march, Kind.PRESENTMENT, days=0, amount=15_000),
        occurred_at=march.occurred_at + 5 * MINUTE,
    )
    stage.deliver(april, march)
    return {"april": april, "march": march}, {"march": 36}


def leg_reversed_twice(stage: Stage) -> Script:
    """One of two legs is reversed, and then once more under another id."""
    first = stage.buy(6, 30_000)
    second = stage.follow(first, Kind.PRESENTMENT, days=1, amount=20_000)
    undone = [
        stage.follow(first, Kind.PRESENTMENT_REVERSAL, days=2 + nth, named=first) for nth in (0, 1)
    ]
    stage.deliver(first, second, *undone)
    return {"first": first, "reversal": undone[0], "again": undone[1]}, {"first": 20}


def refund_at_another_rate(stage: Stage) -> Script:
    """The same 90.00 EUR come back, at another rate: fewer kroner than were paid."""
    bought = stage.buy(9, 9_000, _HOTEL)
    back = stage.follow(bought, Kind.REFUND, days=6, amount=bought.billing_amount - 1_530)
    stage.deliver(bought, back)
    return {"purchase": bought, "refund": back}, {"purchase": 0}


def chargeback(stage: Stage) -> Script:
    """A dispute takes the purchase back; the bank loses it and the purchase stands again."""
    bought = stage.buy(5, 27_500)
    disputed = stage.follow(bought, Kind.CHARGEBACK, days=7)
    lost = stage.follow(bought, Kind.CHARGEBACK_REVERSAL, days=16, named=disputed)
    stage.deliver(bought, disputed, lost)
    return {"purchase": bought, "chargeback": disputed, "lost": lost}, {"purchase": 27}


def over_refunded(stage: Stage) -> Script:
    """More goes back than was paid."""
    bought = stage.buy(10, 30_000)
    back = stage.follow(bought, Kind.REFUND, amount=45_000)
    stage.deliver(bought, back)
    return {"purchase": bought, "refund": back}, {"purchase": 0}


def cap_room(stage: Stage) -> Script:
    """The first purchase fills most of the cap and is refunded: its room goes to the second."""
    first = stage.buy(2, _GOLD_CAP * 7 // 10)
    second = stage.buy(5, _GOLD_CAP // 2)
    back = stage.follow(first, Kind.REFUND, days=6)
    stage.deliver(first, second, back)
    return {"first": first, "second": second, "refund": back}, {"first": 0, "second": 500}


def late(stage: Stage) -> Script:
    """A purchase of February arrives seven weeks later, after newer ones."""
    old = stage.pen.purchase(
        stage.person, _CAFE, on=date(2026, 2, 9), at=time(8, 30), amount=6_400, posted_after=48
    )
    newer = stage.buy(20, 18_000)
    stage.deliver(newer, old)
    return {"late": old, "newer": newer}, {"late": 18}


SCENES: Mapping[str, Callable[[Stage], Script]] = {
    CONFLICT: conflict,
    REFUND_FIRST: refund_first,
    REVERSAL_FIRST: refund_reversal_first,
    MIDNIGHT: legs_over_midnight,
    TWICE: leg_reversed_twice,
    RATE: refund_at_another_rate,
    CHARGEBACK: chargeback,
    OVER: over_refunded,
    ROOM: cap_room,
    LATE: late,
}


def settled(pen: Pen, person: Person, nth: int) -> tuple[list[Told], list[Told], Scene]:
    """A purchase that is settled, and its refund weeks after that: for all of it, or for half."""
    stage = Stage(pen, person, [])
    bought = stage.buy(11, 52_000)
    stage.deliver(bought)
    whole = nth % 2 == 1
    amount = bought.billing_amount if whole else bought.billing_amount // 2
    back = stage.follow(bought, Kind.REFUND, days=60, amount=amount)
    script = {"purchase": bought, "refund": back}, {"purchase": 0 if whole else 26}
    return stage.played, [Told(back.occurred_at + DAY, back)], _scene(SETTLED, person, script)


def play(pen: Pen, person: Person, case: str) -> tuple[list[Told], Scene]:
    """One scene on one account: what is delivered, and what was planted."""
    stage = Stage(pen, person, [])
    script = SCENES[case](stage)
    return stage.played, _scene(case, person, script)


def _scene(case: str, person: Person, script: Script) -> Scene:
    events, miles = script
    return Scene(case, person.account_id, {k: e.event_id for k, e in events.items()}, miles)
