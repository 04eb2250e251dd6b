"""The control sheet: for each unit opening, movements by kind, closing, at each place of the chart.

Amounts are credits less debits in minor units, so each row of a sheet sums to zero, and the last
one, closing less what the ledger's accounts hold, is zero everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.settlement.reconcile.code import Check, Code
from services.settlement.reconcile.discrepancy import Found

PLACES = ("cost", "member", "payable", "clearing", "bank", "fee", "rounding", "write-off", "other")
"""Where amounts stand: `settlement_place` in the database names the accounts of each."""
KINDS = (
    "GRANTED", "CLAWED_BACK", "SEALED", "WITHDRAWN", "REJECTED", "PAID", "RETURNED", "FEE",
    "ROUNDING", "WRITTEN_OFF", "OTHER",
)  # fmt: skip
"""What moves them, in the order of a sheet."""
Amounts = Mapping[str, int]
"""Place → credits less debits."""


class Moved(NamedTuple):
    """One kind of movement at one place: before the month, and in it. `partner` is None where no
    contract says whose it is.
    """

    partner: str | None
    unit: str
    kind: str
    place: str
    transfers: int
    before: int
    within: int


class Held(NamedTuple):
    """What the ledger's accounts of one place hold at the end of the month, of all partners."""

    unit: str
    place: str
    amount: int


class Movement(NamedTuple):
    """One row of a sheet: how many transfers of a kind the month has, and what they moved."""

    kind: str
    transfers: int
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class Sheet:
    """One unit of one partner. `difference` is what the ledger holds less the closing of all
    partners: zero at every place, or the books do not tie.
    """

    unit: str
    opening: Amounts
    movements: tuple[Movement, ...]
    closing: Amounts
    difference: Amounts

    @property
    def places(self) -> tuple[str, ...]:
        """The places where anything ever stood."""
        rows = (self.opening, self.closing, self.difference, *(m.amounts for m in self.movements))
        return tuple(place for place in PLACES if any(row.get(place) for row in rows))

    @property
    def ties(self) -> bool:
        """Whether it is what the ledger holds, and every row sums to zero."""
        rows = (self.opening, self.closing, *(movement.amounts for movement in self.movements))
        return not any(self.difference.values()) and not any(sum(row.values()) for row in rows)


def sheets(moved: Sequence[Moved], held: Iterable[Held], *, partner: str) -> list[Sheet]:
    """The sheets of a partner's units, by unit."""
    ledger = {(row.unit, row.place): row.amount for row in held}
    units = sorted({row.unit for row in moved if row.partner == partner})
    return [_sheet(unit, moved, ledger, partner) for unit in units]


def _sheet(
    unit: str, moved: Sequence[Moved], ledger: Mapping[tuple[str, str], int], partner: str
) -> Sheet:
    opening = dict.fromkeys(PLACES, 0)
    known = dict.fromkeys(PLACES, 0)
    kinds: dict[str, dict[str, int]] = {}
    transfers: dict[str, int] = {}
    for row in moved:
        if row.unit != unit or row.partner is None:
            continue
        known[row.place] += row.before + row.within
        if row.partner != partner:
            continue
        opening[row.place] += row.before
        own = kinds.setdefault(row.kind, dict.fromkeys(PLACES, 0))
        own[row.place] += row.within
        transfers[row.kind] = max(transfers.get(row.kind, 0), row.transfers)
    movements = tuple(
        Movement(kind, transfers[kind], kinds[kind]) for kind in KINDS if transfers.get(kind)
    )
    closing = {
        place: opening[place] + sum(movement.amounts[place] for movement in movements)
        for place in PLACES
    }
    difference = {place: ledger.get((unit, place), 0) - known[place] for place in PLACES}
    return Sheet(unit, opening, movements, closing, difference)


def untied(found: Iterable[Sheet]) -> list[Found]:
    """A discrepancy for each place at which a sheet is not what the ledger holds."""
    return [
        Found(
            Check.CONTROL, Code.LEDGER_DIFFERS, f"{sheet.unit} {place}", amount, sheet.unit,
            "no contract says whose it is, or it stands at another partner's account",
        )
        for sheet in found
        for place, amount in sheet.difference.items()
        if amount
    ]  # fmt: skip
