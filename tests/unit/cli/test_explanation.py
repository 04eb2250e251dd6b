"""What a person reads of an explanation."""

from __future__ import annotations

from typing import Any

import pytest

from services.accrual.engine.reasons import (
    MISSING_ORIGINAL,
    MISSING_POSTING_DATE,
    NO_CHANGE,
    Reason,
)
from services.cli.explanation import rows, summary

MILES = {"contract": "sky-visa", "version": 1, "rule": "dining", "unit": "SKY-MILE"}
FACTS = {
    "event_id": "P2", "why": "the purchase's only presentment",
    "occurred_at": "2026-03-05T12:30:00Z", "posted_on": "2026-03-05", "mcc": "5812",
    "merchant": None, "country": "NO", "channel": "IN_STORE", "card_product": None,
    "merchant_name": "FJORD KAFE", "city": "OSLO", "currency": None,
    "attributes": {"wallet": "APPLE"},
}  # fmt: skip


def explained(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "issuer_id": "first-bank", "event_id": "P2", "outcome": "NO_REWARD", "reason": None,
        "purchase": None, "facts": None, "versions": [], "steps": [], "granted": [],
        "transfers": [], "later": [],
    }  # fmt: skip
    return plain | changes


def posted(purchase: str, rule: str, amount: int) -> dict[str, Any]:
    return {
        "step": "posted", "text": "", "purchase": purchase, "rule": rule, "unit": "SKY-MILE",
        "amount": amount,
    }  # fmt: skip


def test_the_short_answer_says_what_moved_and_what_there_is_now() -> None:
    steps = [posted("P1", "base", -31), posted("P2", "dining", 11)]
    refund = explained(outcome="POSTED", purchase="P1", steps=steps)
    assert summary(refund) == (
        "It took 31 SKY-MILE back from purchase P1 (base) and gave purchase P2 11 SKY-MILE "
        "(dining). Purchase P1 has nothing now."
    )
    granted = [MILES | {"funder": name, "amount": part} for name, part in (("a", 11), ("b", 7))]
    bought = explained(outcome="NO_REWARD", reason="CAP_REACHED", purchase="P2", granted=granted)
    assert summary(bought) == (
        "It gave nothing: the most that can be earned was reached before. "
        "Purchase P2 has 18 SKY-MILE now."
    )


def test_what_one_purchase_got_by_several_rules_is_said_once() -> None:
    steps = [posted("P5", "base", 1), posted("P5", "coffee", 30), posted("P5", "tiers", -2)]
    assert summary(explained(outcome="POSTED", purchase="P5", steps=steps)) == (
        "It gave purchase P5 31 SKY-MILE (base 1, coffee 30) and took 2 SKY-MILE back from "
        "purchase P5 (tiers). Purchase P5 has nothing now."
    )


@pytest.mark.parametrize(
    "reason", [*Reason.__members__, NO_CHANGE, MISSING_ORIGINAL, MISSING_POSTING_DATE]
)
def test_every_reason_has_words(reason: str) -> None:
    assert summary(explained(reason=reason)).startswith("It gave nothing: ")


@pytest.mark.parametrize("outcome", ["WAITING", "DUPLICATE", "CONFLICT", "FAILED", "REJECTED"])
def test_every_outcome_has_words(outcome: str) -> None:
    assert summary(explained(outcome=outcome)).endswith(".")


def test_the_page_goes_from_the_short_answer_to_what_there_is_now() -> None:
    transfer = MILES | {
        "purchase": "P2", "funder": "first-bank", "amount": -12, "effective_on": "2026-04-01",
        "available_on": "2026-03-19",
    }  # fmt: skip
    change = {
        "effective_on": "2026-03-09", "unit": "SKY-MILE", "standing": 30,
        "text": "+11 SKY-MILE by dining: room freed when purchase P1 was refunded (refund R1)",
    }  # fmt: skip
    steps = [
        {"step": "event", "text": "presentment P2"}, {"step": "link", "text": "it opens P2"},
        {"step": "net", "text": "net 100.00 NOK"}, posted("P2", "dining", 19),
    ]  # fmt: skip
    found = explained(
        outcome="POSTED", purchase="P2", facts=FACTS, steps=steps, transfers=[transfer],
        later=[change, {"effective_on": None, "unit": None, "text": "no change: refund R3"}],
        versions=[{"contract": "sky-visa", "version": None, "why": "no approved version"}],
        granted=[MILES | {"funder": "first-bank", "amount": 18}],
    )  # fmt: skip
    assert list(rows(found)) == [
        ("outcome", "POSTED"),
        ("in short", "It gave purchase P2 19 SKY-MILE (dining). Purchase P2 has 18 SKY-MILE now."),
        ("event", "presentment P2"),
        ("purchase", "it opens P2"),
        ("facts", "of P2, the purchase's only presentment: bought at 2026-03-05T12:30:00Z, posted "
         "on 2026-03-05, at FJORD KAFE, in OSLO, country NO, merchant category 5812, paid in a "
         "store, wallet APPLE"),
        ("contract", "sky-visa/–: no approved version"),
        ("amount", "net 100.00 NOK"),
        ("posted", ""),
        ("transfer", "−12 SKY-MILE for P2 by dining, back to first-bank; booked on 2026-04-01, "
         "available on 2026-03-19"),
        ("later", "2026-03-09: +11 SKY-MILE by dining: room freed when purchase P1 was refunded "
         "(refund R1); it has 30 SKY-MILE then"),
        ("later", "no change: refund R3"),
        ("now", "P2 has 18 SKY-MILE by dining of sky-visa/1, paid by first-bank"),
    ]  # fmt: skip
