"""A hostile case counts only when the ledger shows it."""

from __future__ import annotations

from services.local import cases
from services.local.evidence import Evidence, Row
from services.local.generator import scenes
from services.local.generator.scenes import Scene

SCENE = Scene(scenes.REFUND_FIRST, "A", {"refund": "r", "purchase": "p"}, {"purchase": 24})


def _event(event_id: str, seq: int, outcome: str = "POSTED", **more: str) -> Row:
    row = {"stream": "card-transactions/0", "seq": str(seq), "issuer_id": "first-bank",
           "event_id": event_id, "account_id": "A", "kind": "PRESENTMENT", "outcome": outcome,
           "reason": ""}  # fmt: skip
    return {**row, **more}


def _grant(purchase: str, amount: int) -> Row:
    return {"issuer_id": "first-bank", "purchase": purchase, "amount": str(amount),
            "governing_date": "2026-03-03"}  # fmt: skip


def _count(evidence: Evidence, case: str, *planted: Scene) -> cases.Found:
    found = cases.found(evidence, planted, late_accounts=["A"])
    return next(one for one in found if one.case == case)


def test_a_scene_counts_when_its_order_and_its_miles_are_right() -> None:
    evidence = Evidence([_event("r", 1), _event("p", 2)], [_grant("p", 24)], [], [])
    found = _count(evidence, scenes.REFUND_FIRST, SCENE)
    assert (found.count, found.planted, found.missing) == (1, 1, False)


def test_a_scene_that_came_in_another_order_is_missing() -> None:
    evidence = Evidence([_event("p", 1), _event("r", 2)], [_grant("p", 24)], [], [])
    assert _count(evidence, scenes.REFUND_FIRST, SCENE).missing


def test_a_scene_with_a_mile_too_many_is_missing() -> None:
    evidence = Evidence([_event("r", 1), _event("p", 2)], [_grant("p", 25)], [], [])
    assert _count(evidence, scenes.REFUND_FIRST, SCENE).missing


def test_in_an_empty_ledger_every_case_is_missing() -> None:
    found = cases.found(Evidence([], [], [], []), [], [])
    assert len(found) == 15
    assert all(one.missing for one in found)


def test_an_event_before_the_import_counts_once_it_earns() -> None:
    early = _event("p", 1, "NO_REWARD", reason="NOT_ENROLLED")
    without = Evidence([early], [], [], [])
    assert _count(without, cases.EARLY).missing
    assert _count(Evidence([early], [_grant("p", 3)], [], []), cases.EARLY).count == 1


def test_a_card_number_is_no_garbage() -> None:
    rejected = [_event("", 0, "REJECTED", reason=reason) for reason in ("NOT_JSON", "CARD_NUMBER")]
    evidence = Evidence(rejected, [], [], [])
    assert _count(evidence, cases.GARBAGE).count == 1
    assert _count(evidence, cases.CARD_NUMBERS).count == 1


def test_an_adjustment_has_to_name_the_line_that_it_takes_back_from() -> None:
    scene = Scene(scenes.SETTLED, "A", {"purchase": "p", "refund": "r"}, {"purchase": 0})
    given = {"purchase": "p", "amount": "52", "batch": "sky-air-000001", "line": "7",
             "original_batch": "", "original_line": ""}  # fmt: skip
    taken = {**given, "amount": "-52", "batch": "sky-air-000002", "line": "1",
             "original_batch": "sky-air-000001", "original_line": "7"}  # fmt: skip
    assert _count(Evidence([], [], [], [given, taken]), scenes.SETTLED, scene).count == 1
    stray = {**taken, "original_line": "8"}
    assert _count(Evidence([], [], [], [given, stray]), scenes.SETTLED, scene).missing
