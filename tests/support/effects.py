"""What stands behind the arrow of a page's line, and in its sums.

    P1 +31, P2 base -4, NO_CHANGE

Effects are changes of what a purchase has, in major units. Words between purchase and amount pick
a contract, version, rule, funder or unit; with `fee` it is the commission on it, and the words may
pick its party too. `due DATE` behind an amount counts what becomes available on that date only.
Capitals are the outcome or the reason; `nothing` says that no purchase gains or loses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

_CHANGE = re.compile(r"(\S+)((?: [\w-]+)*?) ([+-]?[\d.]+)(?: due (\d{4}-\d\d-\d\d))?$")
FEE = "fee"


@dataclass(frozen=True)
class Change:
    """What one purchase must gain, or must have: `words` pick among its grants."""

    purchase: str
    words: tuple[str, ...]
    amount: Fraction
    due: date | None = None
    """Only what becomes available on this date; None: on any."""

    @property
    def is_fee(self) -> bool:
        """Whether it is about commissions."""
        return FEE in self.words


@dataclass
class Effects:
    """All that a line says of itself."""

    changes: list[Change] = field(default_factory=list)
    nothing: bool = False
    outcome: tuple[str, ...] = ()


def effects_of(text: str) -> Effects:
    """Read what stands behind an arrow."""
    found = Effects()
    for part in (part.strip() for part in text.split(",")):
        if part == "nothing":
            found.nothing = True
        elif re.fullmatch(r"[A-Z_]{3,}( [A-Z_]+)?", part):
            found.outcome = tuple(part.split())
        elif part:
            found.changes.append(change(part))
    return found


def change(text: str) -> Change:
    """Read one amount of a purchase."""
    found = _CHANGE.match(text)
    assert found, f"not an amount of a purchase: {text}"
    due = date.fromisoformat(found[4]) if found[4] else None
    return Change(found[1], tuple(found[2].split()), Fraction(found[3]), due)
