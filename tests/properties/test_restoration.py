"""Law 4: a purchase that went back whole leaves everything as if it had never been."""

from __future__ import annotations

from hypothesis import assume, given

from services.kernel.transaction import CardTransaction
from tests.support.books import NaiveBook
from tests.support.builders import event
from tests.support.dice import Dice, made_by
from tests.support.engine import EngineBook
from tests.support.histories import Arrives, History, played
from tests.support.lifecycles import Lifecycle, Linked, Recorded, link
from tests.support.strategies import histories


def _with_and_without(dice: Dice) -> tuple[History, History, str]:
    """A history whose end gives a purchase back, the history without it, and its label."""
    history = histories(dice, late_facts=False)
    once = [arrival for arrival in history.once() if arrival.role == "books"]
    linked = link(Recorded(seq, arrival.event) for seq, arrival in enumerate(once, 1))
    alone = [found for found in linked.lifecycles.values() if _stands_alone(found, linked, once)]
    if not alone:
        return history, history, ""
    gone = dice.pick(*alone)
    ids = {record.event.event_id for record in gone.records}
    others = [arrival for arrival in once if arrival.event.event_id not in ids]
    back = Arrives(_all_back(gone))
    return history.facts_first([*once, back]), history.facts_first(others), gone.label


def _stands_alone(found: Lifecycle, linked: Linked, once: list[Arrives]) -> bool:
    """Whether it has a presentment, and nothing outside of it names anything in it."""
    ids = {record.event.event_id for record in found.records}
    outside = [arrival.event for arrival in once if arrival.event.event_id not in ids]
    return found.facts is not None and not any(one.original_event_id in ids for one in outside)


def _all_back(gone: Lifecycle) -> CardTransaction:
    """A refund far larger than the purchase."""
    facts = gone.facts
    assert facts is not None
    return event(
        "back", "REFUND", issuer_id=facts.issuer_id, account_id=facts.account_id,
        lifecycle_id=facts.lifecycle_id, billing_amount=10**9,
        original_event_id=None if facts.lifecycle_id else facts.event_id,
        billing_currency=facts.billing_currency,
    )  # fmt: skip


@given(made_by(_with_and_without, size=3_000))
def test_a_purchase_that_went_back_leaves_the_others_what_they_would_have_had(
    pair: tuple[History, History, str],
) -> None:
    with_it, without_it, label = pair
    assume(label)
    after, never = played(with_it, EngineBook()), played(without_it, EngineBook())
    assert all(key[2] != label for key in after.grants())
    assert after.grants() == never.grants()
    assert after.totals() == never.totals()
    assert after.grants() == played(with_it, NaiveBook()).grants()
