"""Histories in pairs that must come to the same: by law, whatever the contracts say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.kernel.transaction import CardTransaction
from tests.support.builders import event
from tests.support.dice import Dice
from tests.support.histories import Arrives, History
from tests.support.lifecycles import Lifecycle, Linked, Recorded, link
from tests.support.strategies import changed, histories

AMOUNTS = (
    "billing_amount", "transaction_amount", "cash_amount", "tip_amount", "fee_amount", "tax_amount",
)  # fmt: skip


@dataclass(frozen=True)
class Twins:
    """Two histories that belong together."""

    one: History
    other: History


@dataclass(frozen=True)
class Batches:
    """A history, and how many of its events may lie in each batch."""

    history: History
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Undone:
    """A history whose end gives a purchase back, the history without it, and its label.

    The label is empty where no purchase stands alone.
    """

    having: History
    without: History
    label: str


# ── order ───────────────────────────────────────────────────────────────────────────────────


def two_orders(dice: Dice) -> Twins:
    """The same events in two orders, the second with some of them repeated."""
    history = histories(dice, late_facts=False)
    once = history.once()
    other = dice.shuffled(once)
    for arrival in once:
        if dice.seldom(5):
            other.insert(dice.upto(len(other)), arrival)
    return Twins(history.facts_first(once), history.facts_first(other))


# ── batches ─────────────────────────────────────────────────────────────────────────────────


def in_batches(dice: Dice) -> Batches:
    """A history, and the sizes of its batches."""
    history = histories(dice)
    return Batches(history, tuple(dice.pick(1, 2, 3, 7, 100) for _ in history.steps))


# ── parts ───────────────────────────────────────────────────────────────────────────────────


def whole_and_split(dice: Dice) -> Twins:
    """A history, and the same with some events in several parts under ids of their own."""
    history = histories(dice, late_facts=False)
    once = history.once()
    named = {arrival.event.original_event_id for arrival in once}
    parted: list[Arrives] = []
    for arrival in once:
        spent = arrival.event
        if spent.event_id in named or not _can_be_split(spent):
            parted.append(arrival)
            continue
        parted += [Arrives(part, arrival.role) for part in _parts(dice, spent)]
    return Twins(history.facts_first(once), history.facts_first(parted))


def _can_be_split(found: CardTransaction) -> bool:
    """Whether the parts find the same purchase, and an id for each changes nothing else."""
    return found.kind != "PRESENTMENT" or found.lifecycle_id is not None


def _parts(dice: Dice, found: CardTransaction) -> list[CardTransaction]:
    """One to four parts that add up to the event in every amount; none of them is empty."""
    parts: list[CardTransaction] = []
    rest = found
    for turn in range(dice.pick(0, 1, 2, 3)):
        if rest.billing_amount < 2:
            break
        share = 1 + dice.upto(rest.billing_amount - 2)
        taken = {name: _share(rest, name, share) for name in AMOUNTS}
        parts.append(changed(rest, event_id=f"{found.event_id}-{turn}", **taken))
        left: dict[str, Any] = {
            name: None if part is None else getattr(rest, name) - part
            for name, part in taken.items()
        }
        rest = changed(rest, **left)
    return [*parts, changed(rest, event_id=f"{found.event_id}-z") if parts else rest]


def _share(found: CardTransaction, name: str, share: int) -> int | None:
    amount: int | None = getattr(found, name)
    return None if amount is None else amount * share // found.billing_amount


# ── what went back ──────────────────────────────────────────────────────────────────────────


def undone(dice: Dice) -> Undone:
    """A history whose end gives a purchase back, and the history without it."""
    history = histories(dice, late_facts=False)
    once = [arrival for arrival in history.once() if arrival.role == "books"]
    linked = link(Recorded(seq, arrival.event) for seq, arrival in enumerate(once, 1))
    alone = [found for found in linked.lifecycles.values() if _stands_alone(found, linked, once)]
    if not alone:
        return Undone(history, history, "")
    gone = dice.pick(*alone)
    ids = {record.event.event_id for record in gone.records}
    others = [arrival for arrival in once if arrival.event.event_id not in ids]
    back = Arrives(_all_back(gone))
    return Undone(history.facts_first([*once, back]), history.facts_first(others), gone.label)


def _stands_alone(found: Lifecycle, linked: Linked, once: list[Arrives]) -> bool:
    """Whether it has a presentment, and nothing outside of it names anything in it, or may join it
    by an exact key."""
    if any(record.event.exact for record in found.records):
        return False
    ids = {record.event.event_id for record in found.records}
    outside = [arrival.event for arrival in once if arrival.event.event_id not in ids]
    return found.facts is not None and not any(one.original_event_id in ids for one in outside)


def _all_back(gone: Lifecycle) -> CardTransaction:
    """A chargeback far larger than the purchase: no refund policy leaves it out."""
    facts = gone.facts
    assert facts is not None
    return event(
        "back", "CHARGEBACK", issuer_id=facts.issuer_id, account_id=facts.account_id,
        lifecycle_id=facts.lifecycle_id, billing_amount=10**9,
        original_event_id=None if facts.lifecycle_id else facts.event_id,
        billing_currency=facts.billing_currency,
    )  # fmt: skip
