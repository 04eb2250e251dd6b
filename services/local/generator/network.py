"""The network's view of what the first bank booked since April: a file to compare with, in which a
few discrepancies are planted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

import msgspec

from services.kernel.transaction import CardTransaction, Kind
from services.local.generator.merchants import NORSE
from services.local.generator.pen import Pen, day
from services.local.generator.people import FIRST_BANK, Person

FEED = f"{FIRST_BANK}-network"
APRIL, MAY = day(date(2026, 4, 1)), day(date(2026, 5, 1))
STRANGE = 64_900
"""Øre of the purchase that only the network knows."""
CHANGED = 90
"""Øre by which the network has another amount: little enough for one person to resolve."""
_PLANTED_ABOVE = 10_000
"""Øre above which the others lie: two people must resolve them."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A discrepancy as `reconcile` must name it. Its subject ends with `mark`: the reference that
    both sides have, or the event id where only one side has it. The amount is the left side less
    the right one in minor units.
    """

    what: str
    code: str
    amount: int
    unit: str
    mark: str


@dataclass(frozen=True, slots=True)
class View:
    """What the network tells, and what is wrong with it."""

    april: tuple[CardTransaction, ...]
    later: tuple[CardTransaction, ...]
    planted: tuple[Planted, ...]


def view(pen: Pen, person: Person, events: Sequence[CardTransaction]) -> View:
    """The view of what a bank has told, with the discrepancies of April in it. `person` is who
    bought something that the bank has not heard of.
    """
    cleared = {
        event.event_id: event for event in events if event.arn and (event.posted_on or 0) >= APRIL
    }
    told = sorted(cleared.values(), key=lambda event: event.event_id)
    lost, changed, doubled = [event for event in told if _can_be_planted(event)][-3:]
    strange = pen.purchase(person, NORSE[3], on=date(2026, 4, 7), at=time(9, 30), amount=STRANGE)
    seen = []
    for event in (*told, strange):
        if event is changed:
            seen.append(_seen(event, billing_amount=event.billing_amount + CHANGED))
        elif event is not lost:
            seen.append(_seen(event))
        if event is doubled:
            seen.append(_seen(event))
    numbered = [
        msgspec.structs.replace(event, event_id=f"net-{nth:07d}") for nth, event in enumerate(seen)
    ]
    unit = strange.billing_currency
    planted = (
        Planted("a purchase that the bank lacks", "MISSING_IN_BOOKS", STRANGE, unit,
                numbered[-1].event_id),
        Planted("a purchase that the network lacks", "MISSING_IN_COMPARE", -lost.billing_amount,
                unit, lost.event_id),
        Planted("a purchase with another amount", "AMOUNT_DIFFERS", CHANGED, unit, _arn(changed)),
        Planted("a purchase that the network has twice", "DOUBLED_IN_COMPARE",
                doubled.billing_amount, unit, _arn(doubled)),
    )  # fmt: skip
    return View(
        april=tuple(event for event in numbered if (event.posted_on or 0) < MAY),
        later=tuple(event for event in numbered if (event.posted_on or 0) >= MAY),
        planted=planted,
    )


def _can_be_planted(event: CardTransaction) -> bool:
    return (
        event.kind == Kind.PRESENTMENT
        and (event.posted_on or 0) < MAY
        and event.billing_amount > _PLANTED_ABOVE
    )


def _seen(event: CardTransaction, **changes: Any) -> CardTransaction:
    """The network knows nothing of the bank's own numbers."""
    return msgspec.structs.replace(event, lifecycle_id=None, original_event_id=None, **changes)


def _arn(event: CardTransaction) -> str:
    return event.arn or ""
