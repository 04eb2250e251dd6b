"""Whether the events of an account stand where exact keys put them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from services.accrual.lifecycle.exact import homes
from services.accrual.lifecycle.matching import Stub, stub_of
from services.accrual.lifecycle.purchase import Purchase
from services.kernel.transaction import CardTransaction


def misplaced(
    purchases: Sequence[Purchase], waiting: Iterable[tuple[CardTransaction, bool]]
) -> Iterator[str]:
    """What does not stand where the recorded set puts it, in words.

    `waiting` are the events without a purchase, each with whether its decision broke: such a one
    links others all the same.
    """
    known: dict[str, dict[str, Stub]] = {}
    for purchase in purchases:
        stubs = {stub.event_id: stub for stub in purchase.stubs()}
        known.setdefault(purchase.issuer_id, {}).update(stubs)
    open_ones = list(waiting)
    for event, _ in open_ones:
        known.setdefault(event.issuer_id, {})[event.event_id] = stub_of(event)
    found = {issuer: homes(stubs) for issuer, stubs in known.items()}
    for purchase in purchases:
        for leg in purchase.legs:
            home = found[purchase.issuer_id].get(leg.event_id)
            if home is None or (home.key, home.held) != (purchase.key, purchase.held):
                yield f"{leg.event_id} stands in the purchase {purchase.key}, its keys say another"
    for event, broken in open_ones:
        if not broken and event.event_id in found[event.issuer_id]:
            yield f"{event.event_id} waits, and its keys say a purchase"
