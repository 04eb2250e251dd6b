"""One thing that does not tie, and what it is known by."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from services.settlement.reconcile.code import Check, Code, Owner, owner_of

OPEN, PROPOSED, RESOLVED, CLOSED = "OPEN", "PROPOSED", "RESOLVED", "CLOSED"
"""Nobody said anything · said, and waits for a second person · explained · no longer found."""


class Found(NamedTuple):
    """What a run finds. `amount` is the left side less the right one, in minor units of `unit`,
    which is empty where nothing is counted. `subject` names the thing, `detail` says what is seen.
    """

    check: Check
    code: Code
    subject: str
    amount: int
    unit: str
    detail: str

    @property
    def owner(self) -> Owner:
        """The side that must act."""
        return owner_of(self.check, self.code)


def damaged_name(name: str, content: bytes) -> str:
    """What a changed file is called: damaged otherwise, it is another discrepancy."""
    return f"{name} sha256 {hashlib.sha256(content).hexdigest()[:12]}"


class Identity(NamedTuple):
    """What makes a discrepancy the same one in a later run. `again` counts how often it was gone
    and came back.
    """

    partner: str
    period: str
    check: Check
    code: Code
    subject: str
    amount: int
    unit: str
    again: int

    @property
    def id(self) -> str:
        """20 hex digits of the SHA-256 of its parts, as the database can compute it too."""
        text = "\n".join(json.dumps(str(part), ensure_ascii=False) for part in self)
        return hashlib.sha256(text.encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A stored discrepancy as it stands."""

    id: str
    partner: str
    period: str
    check: str
    code: str
    subject: str
    amount: int
    unit: str
    owner: str
    detail: str
    first_seen: date
    second_eyes: bool
    """Whether its resolution needs a second person."""
    state: str
    who: str | None
    reason: str | None
    approver: str | None

    def age(self, on: date) -> int:
        """Days since it was first seen."""
        return (on - self.first_seen).days
