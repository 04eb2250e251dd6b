"""What a partner says of a line, and what it may say after that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

ACCEPTED, WARNED, MERGED = "ACCEPTED", "WARNED", "MERGED"
REJECTED, UNKNOWN, PAID = "REJECTED", "UNKNOWN", "PAID"
GIVEN_BACK = "WITHDRAWN"
"""Not an outcome: the line's batch was withdrawn before the partner saw it."""

_TAKEN = frozenset({REJECTED, PAID})
_ANY = frozenset({ACCEPTED, WARNED, MERGED, REJECTED, PAID})
NEXT: Mapping[str | None, frozenset[str]] = {
    None: _ANY | {UNKNOWN},
    UNKNOWN: _ANY,
    ACCEPTED: _TAKEN,
    WARNED: _TAKEN,
    MERGED: _TAKEN,
    PAID: frozenset({REJECTED}),
    REJECTED: frozenset(),
}
"""Outcome → what may follow it, as the table `acknowledgement` enforces it."""


class Told(NamedTuple):
    """One line's outcome. `code` says why; `number` is the one the member was merged into.

    `came_back` is for a rejected line whose member cannot be reached where it went.
    """

    line: int
    outcome: str
    code: str = ""
    number: str | None = None
    came_back: bool = False


class Latest(NamedTuple):
    """What was last said of a line, and how many times something was said."""

    nth: int
    outcome: str
    code: str
    number: str | None

    def repeats(self, told: Told) -> bool:
        """Whether the same is said again."""
        return (self.outcome, self.code, self.number) == (told.outcome, told.code, told.number)
