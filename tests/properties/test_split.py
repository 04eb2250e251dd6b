"""Law 3: ten partial refunds equal one of their sum, three clearing legs equal one."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from services.kernel.transaction import CardTransaction
from tests.support.dice import Dice, made_by
from tests.support.engine import EngineBook
from tests.support.histories import Arrives, History, played
from tests.support.state import balances
from tests.support.strategies import changed, histories

AMOUNTS = (
    "billing_amount", "transaction_amount", "cash_amount", "tip_amount", "fee_amount", "tax_amount",
)  # fmt: skip


def _whole_and_split(dice: Dice) -> tuple[History, History]:
    """A history, and the same with some events in several parts under ids of their own."""
    history = histories(dice, late_facts=False)
    once = history.once()
    named = {arrival.event.original_event_id for arrival in once}
    parted: list[Arrives] = []
    for arrival in once:
        event = arrival.event
        if event.event_id in named or not _can_be_split(event):
            parted.append(arrival)
            continue
        parts = _parts(dice, event)
        parted += [Arrives(part, arrival.role) for part in parts]
    return history.facts_first(once), history.facts_first(parted)


def _can_be_split(event: CardTransaction) -> bool:
    """Whether the parts find the same purchase, and an id for each changes nothing else."""
    return event.kind != "PRESENTMENT" or event.lifecycle_id is not None


def _parts(dice: Dice, event: CardTransaction) -> list[CardTransaction]:
    """One to four parts that add up to the event in every amount; none of them is empty."""
    parts: list[CardTransaction] = []
    rest = event
    for turn in range(dice.pick(0, 1, 2, 3)):
        if rest.billing_amount < 2:
            break
        share = 1 + dice.upto(rest.billing_amount - 2)
        taken = {name: _share(rest, name, share) for name in AMOUNTS}
        parts.append(changed(rest, event_id=f"{event.event_id}-{turn}", **taken))
        left: dict[str, Any] = {
            name: None if part is None else getattr(rest, name) - part
            for name, part in taken.items()
        }
        rest = changed(rest, **left)
    return [*parts, changed(rest, event_id=f"{event.event_id}-z") if parts else rest]


def _share(event: CardTransaction, name: str, share: int) -> int | None:
    amount: int | None = getattr(event, name)
    return None if amount is None else amount * share // event.billing_amount


def _without_labels(book: EngineBook) -> dict[tuple[Any, ...], int]:
    """What every purchase has, under the label that it has before anything is split."""
    sums: dict[tuple[Any, ...], int] = {}
    for (account, issuer, label, *rest), amount in book.grants().items():
        purchase = "-".join(label.split("-")[:2])
        sums[(account, issuer, purchase, *rest)] = amount
    return sums


@given(made_by(_whole_and_split, size=3_000))
def test_events_in_parts_come_to_what_they_come_to_whole(
    pair: tuple[History, History],
) -> None:
    whole, split = (played(history, EngineBook()) for history in pair)
    assert _without_labels(whole) == _without_labels(split)
    assert whole.totals() == split.totals()
    assert balances(whole) == balances(split)
