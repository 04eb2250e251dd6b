"""Where exact keys put events, as a function of all of them."""

from __future__ import annotations

from itertools import permutations

import pytest

from services.accrual.intake import arrive
from services.accrual.lifecycle.exact import Home, hashed, homes
from services.accrual.lifecycle.matching import stub_of
from services.ingest.feeds.encoding import FRAME, encode
from services.kernel.errors import Rejected
from services.kernel.transaction import CardTransaction
from tests.support.builders import event

BOTH = ("scheme_reference", "arn")


def placed(*events: CardTransaction) -> dict[str, str]:
    """The purchase of each event, `?` before it where it is held; the same in every order."""
    found: list[dict[str, Home]] = [
        homes({one.event_id: stub_of(one) for one in order}) for order in permutations(events)
    ]
    assert all(one == found[0] for one in found)
    return {name: f"{'?' if home.held else ''}{home.key}" for name, home in found[0].items()}


def test_events_with_one_key_are_of_one_purchase() -> None:
    one, two = (event(name, arn="1", exact=("arn",)) for name in ("P1", "P2"))
    back = event("R1", "REFUND", arn="1", exact=("arn",))
    assert placed(one, two, back) == dict.fromkeys(("P1", "P2", "R1"), "K:arn:1")


def test_a_firm_event_says_which_purchase_it_is() -> None:
    firm = event("P1", lifecycle_id="L1", arn="1", exact=("arn",))
    back = event("R1", "REFUND", arn="1", exact=("arn",))
    assert placed(firm, back) == {"P1": "L:L1", "R1": "L:L1"}
    other = event("P2", lifecycle_id="L2", arn="1", exact=("arn",))
    assert placed(firm, back, other) == {"P1": "L:L1", "P2": "L:L2", "R1": "?K:arn:1"}


def test_two_keys_join_whoever_has_either() -> None:
    left = event("P1", scheme_reference="9", exact=BOTH)
    right = event("P2", arn="9", exact=BOTH)
    assert placed(left, right) == {"P1": "K:scheme_reference:9", "P2": "K:arn:9"}
    bridge = event("P3", scheme_reference="9", arn="9", exact=BOTH)
    assert placed(left, right, bridge) == dict.fromkeys(("P1", "P2", "P3"), "K:arn:9")


def test_what_names_a_loose_event_goes_with_it_and_brings_its_own_key() -> None:
    spent = event("P1", arn="5", exact=("arn",))
    back = event("R1", "REFUND", original_event_id="P1", arn="3", exact=("arn",))
    undone = event("V1", "REFUND_REVERSAL", arn="3", exact=("arn",))
    assert placed(spent, back, undone) == dict.fromkeys(("P1", "R1", "V1"), "K:arn:3")
    assert placed(back, undone) == {"V1": "?K:arn:3"}, "R1 waits for what it names"


def test_a_key_that_is_not_declared_or_not_there_links_nothing() -> None:
    assert placed(event("P1", arn="1"), event("P2", arn="1", exact=("scheme_reference",))) == {
        "P1": "E:P1", "P2": "E:P2",
    }  # fmt: skip


def test_a_key_is_local_to_issuer_and_account() -> None:
    found = {
        hashed(*of) for of in (("A1", "b", "arn:1"), ("A2", "b", "arn:1"), ("A1", "c", "arn:1"))
    }
    assert len(found) == 3


def test_a_declaration_of_anything_else_is_rejected() -> None:
    value = FRAME + encode(event("P1", arn="1"))
    for content in (b"", b"merchant_id", b"arn,", b"\xff"):
        with pytest.raises(Rejected):
            arrive(value, [("exact_keys", content)], offset_at=0, timestamp_ms=0)
    taken = arrive(value, [("exact_keys", b"arn")], offset_at=0, timestamp_ms=0)
    assert (taken.event.exact, taken.body) == (("arn",), value[5:])
