"""What a purchase shows to a person: events without effect, and too much that went back."""

from __future__ import annotations

import pytest

from services.accrual.lifecycle.purchase import Purchase, leg_of
from services.accrual.lookup.review import suspects_of
from services.kernel.transaction import CardTransaction
from tests.support.builders import event


def purchase(*events: CardTransaction) -> Purchase:
    return Purchase(
        stream_id=1, number=1, issuer_id="first-bank", account_id="A1", key="L:1",
        legs=[leg_of(one, seq) for seq, one in enumerate(events, 1)], grants=[],
    )  # fmt: skip


def test_a_purchase_in_order_needs_nobody() -> None:
    assert suspects_of(purchase(event("P1"))) == []
    refund = event("R1", "REFUND", original_event_id="P1")
    assert suspects_of(purchase(event("P1"), refund)) == []


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (event("V", "REFUND_REVERSAL", original_event_id="P1"),
         "reversal of a refund names P1, a presentment"),
        (event("V", "PRESENTMENT_REVERSAL", original_event_id="P9"),
         "reversal of a presentment names P9, which is not in its purchase"),
        (event("V", "PRESENTMENT_REVERSAL", original_event_id="P1", billing_currency="SEK"),
         "reversal of a presentment is billed in SEK, what it names in NOK"),
        (event("R", "REFUND", original_event_id="P1", billing_currency="SEK"),
         "refund is billed in SEK, its purchase in NOK"),
        (event("R", "REFUND", billing_amount=10_001),
         "0.01 NOK more went back of purchase P1 than was spent"),
    ],
)  # fmt: skip
def test_what_has_no_effect_says_why(odd: CardTransaction, why: str) -> None:
    (found,) = suspects_of(purchase(event("P1"), odd))
    assert (found.leg.event_id, found.why, found.names) == (odd.event_id, why, None)


def test_keys_that_disagree_matter_only_if_what_is_named_is_recorded() -> None:
    (found,) = suspects_of(purchase(event("P1"), event("R", "REFUND", original_event_id="P9")))
    assert (found.what, found.names) == ("no-effect", "P9")
