"""Scenes: short histories of one account each that break careless systems, in the order in which
their bank delivers them. What must come of each is looked up afterwards (`local.cases`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from services.kernel.transaction import CardTransaction, Kind
from services.local.generator.merchants import NORSE, Merchant
from services.local.generator.pen import DAY, MINUTE, Pen, Told
from services.local.generator.people import Person

_GROCER, _CAFE, _HOTEL = NORSE[0], NORSE[1], NORSE[10]
_GOLD_CAP = 1_000_000
"""Spend in øre that fills the month's cap of 1,000 miles at one mile per 10.00."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What was planted: the case, its account, and the ids of the events that a look-up needs."""

    case: str
    account_id: str
    events: Mapping[str, str]


@dataclass(slots=True)
class Stage:
    """One account on which a scene plays; `played` is what it delivers, in order."""

    pen: Pen
    person: Person
    played: list[Told]

    def buy(self, day: int, amount: int, merchant: Merchant = _GROCER) -> CardTransaction:
        """A purchase in March, at noon, that is not delivered yet."""
        at = datetime(2026, 3, day, 12)
        return self.pen.purchase(self.person, merchant, at=at, amount=amount)

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


def refund_first(stage: Stage) -> dict[str, str]:
    """The refund of half arrives before the purchase."""
    bought = stage.buy(3, 48_000)
    back = stage.follow(bought, Kind.REFUND, amount=24_000)
    stage.deliver(back, bought)
    return {"refund": back.event_id, "purchase": bought.event_id}


def refund_reversal_first(stage: Stage) -> dict[str, str]:
    """A refund is taken back before it arrives; the reversal names it and nothing else."""
    bought = stage.buy(4, 36_000)
    back = stage.follow(bought, Kind.REFUND)
    undone = msgspec.structs.replace(
        stage.follow(bought, Kind.REFUND_REVERSAL, days=4, named=back), lifecycle_id=None
    )
    stage.deliver(bought, undone, back)
    return {"purchase": bought.event_id, "reversal": undone.event_id, "refund": back.event_id}


def legs_over_midnight(stage: Stage) -> dict[str, str]:
    """Two clearing legs around midnight of 31 March; the one of April arrives first."""
    march = stage.pen.purchase(
        stage.person, _GROCER, at=datetime(2026, 3, 31, 23, 58), amount=21_000
    )
    april = msgspec.structs.replace(
        stage.follow(march, Kind.PRESENTMENT, days=0, amount=15_000),
        occurred_at=march.occurred_at + 5 * MINUTE,
    )
    stage.deliver(april, march)
    return {"april": april.event_id, "march": march.event_id}


def leg_reversed_twice(stage: Stage) -> dict[str, str]:
    """One of two legs is reversed, and then once more under another id."""
    first = stage.buy(6, 30_000)
    second = stage.follow(first, Kind.PRESENTMENT, days=1, amount=20_000)
    undone = [
        stage.follow(first, Kind.PRESENTMENT_REVERSAL, days=2 + nth, named=first) for nth in (0, 1)
    ]
    stage.deliver(first, second, *undone)
    return {
        "first": first.event_id, "second": second.event_id,
        "reversal": undone[0].event_id, "again": undone[1].event_id,
    }  # fmt: skip


def refund_at_another_rate(stage: Stage) -> dict[str, str]:
    """The same 90.00 EUR come back, at another rate: fewer kroner than were paid."""
    bought = stage.buy(9, 9_000, _HOTEL)
    back = stage.follow(bought, Kind.REFUND, days=6, amount=bought.billing_amount - 1_530)
    stage.deliver(bought, back)
    return {"purchase": bought.event_id, "refund": back.event_id}


def chargeback(stage: Stage) -> dict[str, str]:
    """A dispute takes the purchase back; the bank loses it and the purchase stands again."""
    bought = stage.buy(5, 27_500)
    disputed = stage.follow(bought, Kind.CHARGEBACK, days=7)
    lost = stage.follow(bought, Kind.CHARGEBACK_REVERSAL, days=16, named=disputed)
    stage.deliver(bought, disputed, lost)
    return {"purchase": bought.event_id, "chargeback": disputed.event_id, "lost": lost.event_id}


def over_refunded(stage: Stage) -> dict[str, str]:
    """More goes back than was paid."""
    bought = stage.buy(10, 30_000)
    back = stage.follow(bought, Kind.REFUND, amount=45_000)
    stage.deliver(bought, back)
    return {"purchase": bought.event_id, "refund": back.event_id}


def cap_room(stage: Stage) -> dict[str, str]:
    """The first purchase fills most of the cap and is refunded: its room goes to the second."""
    first = stage.buy(2, _GOLD_CAP * 7 // 10)
    second = stage.buy(5, _GOLD_CAP // 2)
    back = stage.follow(first, Kind.REFUND, days=6)
    stage.deliver(first, second, back)
    return {"first": first.event_id, "second": second.event_id, "refund": back.event_id}


def late(stage: Stage) -> dict[str, str]:
    """A purchase of February arrives seven weeks later, after newer ones."""
    old = stage.pen.purchase(
        stage.person, _CAFE, at=datetime(2026, 2, 9, 8, 30), amount=6_400, posted_after=48
    )
    newer = stage.buy(20, 18_000)
    stage.deliver(newer, old)
    return {"late": old.event_id, "newer": newer.event_id}


SCENES: Mapping[str, Callable[[Stage], dict[str, str]]] = {
    "refund before its purchase": refund_first,
    "refund reversal before its refund": refund_reversal_first,
    "legs reversed over midnight, month's end": legs_over_midnight,
    "one leg reversed twice under two ids": leg_reversed_twice,
    "refund at another exchange rate": refund_at_another_rate,
    "chargeback and its reversal": chargeback,
    "refund larger than its purchase": over_refunded,
    "refund that frees cap room": cap_room,
    "late events": late,
}


def settled(pen: Pen, person: Person, nth: int) -> tuple[list[Told], list[Told], Scene]:
    """A purchase that is settled, and its refund weeks after that: for all of it, or for half."""
    stage = Stage(pen, person, [])
    bought = stage.buy(11, 52_000)
    stage.deliver(bought)
    amount = bought.billing_amount if nth % 2 else bought.billing_amount // 2
    back = stage.follow(bought, Kind.REFUND, days=60, amount=amount)
    ids = {"purchase": bought.event_id, "refund": back.event_id}
    afterwards = [Told(back.occurred_at + DAY, back)]
    return stage.played, afterwards, Scene("refund after settlement", person.account_id, ids)


def play(pen: Pen, person: Person, case: str) -> tuple[list[Told], Scene]:
    """One scene on one account: what is delivered, and what was planted."""
    stage = Stage(pen, person, [])
    ids = SCENES[case](stage)
    return stage.played, Scene(case, person.account_id, ids)

