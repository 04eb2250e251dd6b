"""What a command changed in the ledger, as commands show it."""

from __future__ import annotations

from typing import Any

from services.accrual.reconsider import Difference
from services.cli.session import Session
from services.kernel.units import major


def difference_document(difference: Difference) -> dict[str, Any]:
    """Purchases that changed; granted and taken back by unit, in minor units."""
    return {
        "purchases": len(difference.purchases),
        "granted": difference.granted,
        "taken_back": difference.taken_back,
    }


def print_difference(session: Session, difference: Difference) -> None:
    """The same as a table, in major units."""
    units = sorted({*difference.granted, *difference.taken_back})
    rows = [
        [
            unit,
            major(difference.granted.get(unit, 0), unit),
            major(difference.taken_back.get(unit, 0), unit),
        ]
        for unit in units
    ]
    if rows:
        session.table(["unit", "granted", "taken back"], rows)
    session.say(f"{len(difference.purchases)} purchases changed")
