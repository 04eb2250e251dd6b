"""The hostile cases: counted in the ledger, not in the generator. None may be missing.

A scene counts when its events were recorded in the order that makes it hostile and the miles of
its purchases are what a person computes by hand. The other cases are counted as they were found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.kernel.transaction import Kind
from services.local.evidence import Evidence, Recorded
from services.local.generator import scenes
from services.local.generator.people import FIRST_BANK, SECOND_BANK
from services.local.generator.scenes import Scene

EARLY = "event before its member's import"
GARBAGE, CARD_NUMBERS = "garbage bytes, broken lines", "line with a card number"


@dataclass(frozen=True, slots=True)
class Found:
    """A case: how often it was found, how often it was planted for certain, what came of it."""

    case: str
    count: int
    planted: int
    came: str

    @property
    def missing(self) -> bool:
        """Whether the demo has to fail."""
        return self.count == 0 or self.count < self.planted


def found(
    evidence: Evidence, planted: Sequence[Scene], late_accounts: Iterable[str]
) -> list[Found]:
    """Every case, in the order in which it is shown."""
    by_case: dict[str, list[Scene]] = {}
    for scene in planted:
        by_case.setdefault(scene.case, []).append(scene)
    cases = [_duplicates(evidence)]
    for case, (check, came) in _SCENES.items():
        staged = by_case.get(case, [])
        held = sum(_stands(evidence, scene) and check(evidence, scene) for scene in staged)
        cases.append(Found(case, held, len(staged), came))
    cases.append(_early(evidence, frozenset(late_accounts)))
    cases.extend(_rejected(evidence))
    return cases


def _stands(evidence: Evidence, scene: Scene) -> bool:
    """Whether the miles of the scene's purchases are what they must be."""
    return all(
        evidence.granted.get((FIRST_BANK, scene.events[part]), 0) == miles
        for part, miles in scene.miles.items()
    )


def _event(evidence: Evidence, scene: Scene, part: str) -> Recorded:
    return evidence.first[FIRST_BANK, scene.events[part]]


def _before(first: str, second: str) -> Callable[[Evidence, Scene], bool]:
    """Whether one part was recorded before another."""

    def check(evidence: Evidence, scene: Scene) -> bool:
        return _event(evidence, scene, first).seq < _event(evidence, scene, second).seq

    return check


def _waited(evidence: Evidence, scene: Scene) -> bool:
    return _event(evidence, scene, "reversal").outcome == "WAITING"


def _in_march(evidence: Evidence, scene: Scene) -> bool:
    dates = {
        row["governing_date"]
        for row in evidence.grants
        if row["purchase"] == scene.events["march"] and row["issuer_id"] == FIRST_BANK
    }
    return _before("april", "march")(evidence, scene) and dates == {"2026-03-31"}


def _no_change(evidence: Evidence, scene: Scene) -> bool:
    return not evidence.caused(FIRST_BANK, scene.events["again"])


def _posted(*parts: str) -> Callable[[Evidence, Scene], bool]:
    """Whether each of these parts moved something in the ledger."""

    def check(evidence: Evidence, scene: Scene) -> bool:
        return all(evidence.caused(FIRST_BANK, scene.events[part]) for part in parts)

    return check


def _topped_up(evidence: Evidence, scene: Scene) -> bool:
    return any(
        row["purchase"] == scene.events["second"] and row["credit"].startswith("member/")
        for row in evidence.caused(FIRST_BANK, scene.events["refund"])
    )


def _adjusted(evidence: Evidence, scene: Scene) -> bool:
    """Settled in one line, and taken back in a later one that names it."""
    lines = evidence.lines(scene.events["purchase"])
    given = [(row["batch"], row["line"]) for row in lines if int(row["amount"]) > 0]
    taken = [(row["original_batch"], row["original_line"]) for row in lines if row["original_line"]]
    return bool(taken) and set(taken) <= set(given)


def _conflicts(evidence: Evidence, scene: Scene) -> bool:
    ids = (FIRST_BANK, scene.events["purchase"])
    return any(
        row["outcome"] == "CONFLICT" and (row["issuer_id"], row["event_id"]) == ids
        for row in evidence.events
    )


_SCENES: Mapping[str, tuple[Callable[[Evidence, Scene], bool], str]] = {
    scenes.CONFLICT: (_conflicts, "the first holds, this one is listed"),
    scenes.REFUND_FIRST: (_before("refund", "purchase"), "it counts once the purchase is there"),
    scenes.REVERSAL_FIRST: (_waited, "waited, then joined"),
    scenes.MIDNIGHT: (_in_march, "all of it counts in March"),
    scenes.TWICE: (_no_change, "the second changes nothing"),
    scenes.RATE: (_posted("purchase", "refund"), "nothing stays"),
    scenes.CHARGEBACK: (_posted("purchase", "chargeback", "lost"), "taken back, given again"),
    scenes.OVER: (_posted("refund"), "back to 0, never below"),
    scenes.ROOM: (_topped_up, "the next purchase gets the room"),
    scenes.LATE: (_before("newer", "late"), "counts in its own month"),
    scenes.SETTLED: (_adjusted, "an adjustment line names the original"),
}


def _duplicates(evidence: Evidence) -> Found:
    repeated = [row for row in evidence.events if row["outcome"] == "DUPLICATE"]
    in_snapshots = sum(row["issuer_id"] == SECOND_BANK for row in repeated)
    came = f"no effect; {in_snapshots:,} of them repeated by snapshots"
    return Found("duplicate", len(repeated), 1, came)


def _early(evidence: Evidence, late_accounts: frozenset[str]) -> Found:
    """Purchases that found no member, and earn since."""
    count = sum(
        row["reason"] == "NOT_ENROLLED"
        and row["kind"] == Kind.PRESENTMENT
        and row["account_id"] in late_accounts
        and evidence.granted.get((row["issuer_id"], row["event_id"]), 0) > 0
        for row in evidence.events
    )
    return Found(EARLY, count, 1, "earns since the import")


def _rejected(evidence: Evidence) -> list[Found]:
    reasons = [row["reason"] for row in evidence.events if row["outcome"] == "REJECTED"]
    cards = reasons.count("CARD_NUMBER")
    kinds = len(set(reasons) - {"CARD_NUMBER"})
    return [
        Found(GARBAGE, len(reasons) - cards, 1, f"sealed, {kinds} different reasons"),
        Found(CARD_NUMBERS, cards, 1, "sealed, found in clear nowhere"),
    ]
