"""The month is reconciled with what was planted in it: each of these is found and named, explained
by a person and where it is much by a second one, and then the month ties.

On purpose wrong are the network's view of what a bank booked (`generator.network`), and a copy of a
file that was delivered, from which a line is taken: the file itself stays as it was.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from services.local import airline, month
from services.local.acts import PARTNERS, RELEASER
from services.local.amounts import grouped
from services.local.generator.network import Planted
from services.local.generator.people import AIRLINE, FIRST_BANK
from services.local.month import CLOSED_ON, CLOSER
from services.local.narrator import Narrator
from services.local.premises import Premises
from services.runtime.settings import Settings
from services.settlement.batches.line import batch_id
from services.settlement.bootstrap import reconciling
from services.settlement.bootstrap.reconciling import Reconciled
from services.settlement.reconcile.discrepancy import (
    OPEN,
    PROPOSED,
    Discrepancy,
    damaged_name,
)

CONCERNED = (AIRLINE, FIRST_BANK)
"""Whose months hold what a network tells of the first bank."""
UNIT, CARRIER = "SKY-MILE", f"{airline.REWARDS}.txt"
OUTGOING = "outgoing"
NOT_PLANTED = "nothing that was planted"
REASONS = {
    "MISSING_IN_BOOKS": "the bank books it in May: its acquirer sent it late",
    "MISSING_IN_COMPARE": "cleared between two accounts of the bank, past the network",
    "AMOUNT_DIFFERS": "a fee that the network adds and the bank does not bill",
    "DOUBLED_IN_COMPARE": "the network repeats a file; it has withdrawn the second",
}
"""What the person says who looked into it."""


@dataclass(frozen=True, slots=True)
class Tie:
    """A planted discrepancy: in whose months, how often it was found, and what came of it."""

    planted: Planted
    partners: tuple[str, ...]
    found: int
    owner: str
    came: str
    stands: bool
    """Whether somebody has still to say something."""

    @property
    def expected(self) -> int:
        """How often it must be found: once in each of the months."""
        return len(self.partners)

    @property
    def wrong(self) -> bool:
        """Whether the demo has to fail."""
        return self.stands or self.found != self.expected

    def document(self) -> dict[str, Any]:
        """The same for a machine; the amount is in minor units."""
        return {
            **asdict(self.planted), "partners": list(self.partners), "planted": self.expected,
            "found": self.found, "owner": self.owner, "came": self.came,
        }  # fmt: skip


async def reconcile(
    settings: Settings, premises: Premises, planted: Sequence[Planted], narrator: Narrator
) -> list[Tie]:
    """Reconcile, resolve what is found, and reconcile again. Gives what was planted, and whatever
    else was found.
    """
    with tempfile.TemporaryDirectory(prefix="milepost-") as folder:
        lost = await asyncio.to_thread(damage, premises.files, Path(folder))
        copied = settings.model_copy(update={"files_dir": Path(folder)})
        found = await asyncio.gather(
            *(
                month.reconcile(copied if partner == AIRLINE else settings, premises, partner)
                for partner in PARTNERS
            )
        )
    _tell(narrator, found, f"{_unresolved(found):,} do not tie")
    resolved = [
        await _explain(settings, one)
        for done in found for one in done.recorded.standing if one.code in REASONS
    ]  # fmt: skip
    approved = sum(one.approver is not None for one in resolved)
    narrator.did(
        "resolved",
        f"{len(resolved)} by {CLOSER}, {approved} of them by {RELEASER} too: "
        f"above {grouped(month.SECOND_ABOVE, 'NOK')}; the line is back in its file",
    )
    again = await asyncio.gather(
        *(month.reconcile(settings, premises, partner) for partner in CONCERNED)
    )
    left = _unresolved(again)
    _tell(narrator, again, f"{left:,} do not tie" if left else "all ties but what was resolved")
    before = [one for done in found for one in done.recorded.standing]
    after = {one.id: one for done in again for one in done.recorded.standing}
    wanted = [(one, CONCERNED) for one in planted] + [(one, (AIRLINE,)) for one in lost]
    return ties(wanted, before, after)


def damage(files: Path, to: Path) -> tuple[Planted, ...]:
    """Copy what was delivered to the airline, and take a line out of the copy of a file."""
    shutil.copytree(files / AIRLINE / OUTGOING, to / AIRLINE / OUTGOING)
    batch = batch_id(AIRLINE, 1)
    (path,) = (to / AIRLINE / OUTGOING).glob(f"*-{airline.REWARDS}-{batch[-6:]}.txt")
    records = path.read_bytes().split(b"\r")
    number = (len(records) - 1) // 2
    miles = airline.miles(records[number].decode("ascii"))
    damaged = b"\r".join([*records[:number], *records[number + 1 :]])
    path.write_bytes(damaged)
    return (
        Planted("a line that is taken out of a file's copy", "MISSING_LINE", miles, UNIT,
                f"{batch} line {number} in {CARRIER}"),
        Planted("the same, as other bytes of the copy", "CHANGED_FILE", 0, UNIT,
                damaged_name(path.name, damaged)),
    )  # fmt: skip


def ties(
    planted: Sequence[tuple[Planted, tuple[str, ...]]],
    before: Sequence[Discrepancy],
    after: dict[str, Discrepancy],
) -> list[Tie]:
    """What was planted in whose months beside what the first run found and the last one left."""
    rest = list(before)
    rows = []
    for one, partners in planted:
        own = [found for found in rest if found.partner in partners and _is(one, found)]
        rest = [found for found in rest if found not in own]
        rows.append(_tie(one, partners, own, after))
    new = [found for found in after.values() if found.id not in {one.id for one in before}]
    for found in (*rest, *new):
        what = Planted(NOT_PLANTED, found.code, found.amount, found.unit, found.subject)
        rows.append(_tie(what, (), [found], after))
    return rows


def _is(planted: Planted, found: Discrepancy) -> bool:
    same = (planted.code, planted.amount, planted.unit) == (found.code, found.amount, found.unit)
    return same and found.subject.endswith(planted.mark)


def _tie(
    planted: Planted,
    partners: tuple[str, ...],
    own: Sequence[Discrepancy],
    after: dict[str, Discrepancy],
) -> Tie:
    left = [after[one.id] for one in own if one.id in after]
    said = sorted({_said(one) for one in left}) or ["gone: the file lies there whole"] * bool(own)
    owners = ", ".join(sorted({one.owner for one in own}))
    stands = any(one.state in (OPEN, PROPOSED) for one in left)
    return Tie(planted, partners, len(own), owners, "; ".join(said), stands)


def _said(one: Discrepancy) -> str:
    if one.approver:
        return f"resolved by {one.who}, approved by {one.approver}"
    return f"resolved by {one.who}" if one.who else one.state


async def _explain(settings: Settings, one: Discrepancy) -> Discrepancy:
    said = await reconciling.resolve_discrepancy(
        settings, one.id, by=CLOSER, reason=REASONS[one.code], on=CLOSED_ON
    )
    if said.state == PROPOSED:
        said = await reconciling.approve_discrepancy(settings, one.id, by=RELEASER, on=CLOSED_ON)
    return said


def _unresolved(found: Sequence[Reconciled]) -> int:
    return sum(done.recorded.unresolved for done in found)


def _tell(narrator: Narrator, found: Sequence[Reconciled], came: str) -> None:
    rows = sum(tally.left_rows + tally.right_rows for done in found for tally in done.seen.tallies)
    partners = ", ".join(done.terms.partner for done in found)
    narrator.did(
        "reconciled",
        f"{month.MONTH} of {partners}: {rows:,} rows of feeds, ledger, lines, files and answers; "
        f"{came}",
    )


def show(rows: Sequence[Tie], narrator: Narrator) -> None:
    """The table."""
    cells: list[list[str | int]] = [
        [
            one.planted.what, one.planted.code,
            f"{grouped(one.planted.amount, one.planted.unit)} {one.planted.unit}", one.owner,
            one.expected, one.found, f"WRONG: {one.came}" if one.wrong else one.came,
        ]
        for one in rows
    ]  # fmt: skip
    cells.append(["all", "", "", "", sum(one.expected for one in rows),
                  sum(one.found for one in rows), ""])  # fmt: skip
    months = " and ".join(CONCERNED)
    title = f"Planted in {month.MONTH}, as `reconcile` found it: what feeds say for {months}"
    columns = ("what", "code", "amount", "who acts", "planted", "found", "what came of it")
    narrator.table(title, columns, cells)
