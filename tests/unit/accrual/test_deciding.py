"""What a batch of several accounts looks up, it finds for each of them."""

from __future__ import annotations

from tests.support.builders import event
from tests.support.engine import EngineBook


def test_many_accounts_may_name_the_same_event_in_one_batch() -> None:
    book = EngineBook()
    book.record(event("bought", account_id="A1"))
    refunds = [
        event(f"back-A{n}", "REFUND", account_id=f"A{n}", original_event_id="bought")
        for n in range(1, 10)
    ]
    outcomes = book.record_batch([(refund, "books") for refund in refunds])
    assert outcomes[0][0] == "NO_REWARD", "it joins the purchase of its own account"
    assert set(outcomes[1:]) == {("WAITING", "MISSING_ORIGINAL")}, "to others it is not there"
