"""Which of what is told is new. Pure.

A partner answers a line once. A bank speaks of a payment as often as it likes, in any order: its
statement repeats its notification, a status report comes late. Only what contradicts is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.kernel.errors import Problem
from services.settlement.batches.follow import Following
from services.settlement.batches.outcome import (
    ACCEPTED,
    MERGED,
    NEXT,
    REJECTED,
    UNKNOWN,
    WARNED,
    Told,
)
from services.settlement.exchange.answers import Placed

_EARLY = frozenset({ACCEPTED, WARNED, UNKNOWN})
"""Outcomes that say nothing new once something definite is known."""


def of_partner(
    told: Sequence[Placed], standing: Following, file: str, problems: list[Problem]
) -> list[Told]:
    """The lines that are told something new. One that was told otherwise before is a problem, and
    so is a number that is merged into two.
    """
    problems += _torn(told, standing, file)
    fresh: list[Told] = []
    for at, one in told:
        before = standing.said.get(one.line) or standing.latest.get(one.line)
        if before is None or before.outcome == UNKNOWN:
            fresh.append(one)
        elif not before.repeats(one):
            why = f"line {one.line} was answered {before.outcome} before, now {one.outcome}"
            problems.append(Problem(why, file=file, line=at, field="status"))
    return fresh


def _torn(told: Sequence[Placed], standing: Following, file: str) -> list[Problem]:
    """Lines that merge a number into another than a line before them does."""
    into: dict[str | None, Placed] = {}
    found = []
    for at, one in told:
        if one.outcome != MERGED:
            continue
        number = standing.lines[one.line].membership_number
        first = into.setdefault(number, Placed(at, one))
        if first.told.number != one.number:
            why = f"merges {number} into {one.number}, line {first.at} into {first.told.number}"
            found.append(Problem(why, file=file, line=at, field="merge to"))
    return found


def of_bank(
    rounds: Sequence[Sequence[Placed]], standing: Following, file: str, problems: list[Problem]
) -> list[list[Told]]:
    """The same of a bank's rounds, each after the one before it."""
    heard = {line: set(outcomes) for line, outcomes in standing.heard.items()}
    latest: dict[int, str | None] = {line: one.outcome for line, one in standing.latest.items()}
    found: list[list[Told]] = []
    for told in rounds:
        fresh: list[Told] = []
        for at, one in told:
            known = heard.setdefault(one.line, set())
            now = latest.get(one.line)
            if one.outcome in known or (one.outcome in _EARLY and known - {UNKNOWN}):
                continue
            if one.outcome not in NEXT[now]:
                why = f"line {one.line} is {now} already: it cannot be {one.outcome} after that"
                if now == REJECTED:
                    why += "; its sum was given back to the member"
                problems.append(Problem(why, file=file, line=at))
                continue
            known.add(one.outcome)
            latest[one.line] = one.outcome
            fresh.append(one)
        found.append(fresh)
    return found
