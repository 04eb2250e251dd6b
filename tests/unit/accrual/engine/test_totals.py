"""What is shared out does not follow from the order in which purchases were read."""

from __future__ import annotations

from services.accrual.ledger.transfer import Transfer
from tests.support import builders
from tests.support.builders import event
from tests.support.engine import EngineBook

CAP = {"limit": "50", "of": "reward", "per": "month", "scope": "account", "beyond": "0"}
BASE = {
    "id": "base",
    "award": "base",
    "earn": {"per_block": {"block": "10.00", "units": "1"}},
    "rounding": {"mode": "down", "scale": 0, "level": "per_transaction"},
    "cap": CAP,
}


def transfers(*, reversed_: bool) -> list[Transfer]:
    """Those of a refund that frees room for two later purchases."""
    book = EngineBook()
    book.approve(builders.as_text(builders.contract(rules=[BASE])))
    book.import_members([builders.row()])
    for name in ("P1", "P2", "P3"):
        book.record(event(name, billing_amount=30_000))
    if reversed_:
        book.memory.purchases = dict(reversed(book.memory.purchases.items()))
    posted = len(book.transfers)
    book.record(event("R1", "REFUND", billing_amount=30_000, original_event_id="P1"))
    return book.transfers[posted:]


def test_the_transfers_of_an_event_stand_in_the_recorded_order_of_their_purchases() -> None:
    found = transfers(reversed_=False)
    assert [line.of_purchase for line in found] == sorted(line.of_purchase for line in found)
    assert len(found) == 3
    assert transfers(reversed_=True) == found
