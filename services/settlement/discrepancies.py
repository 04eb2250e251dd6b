"""Keeps what does not tie, and what people say of it.

The same discrepancy in a later run is the same row; one that is no longer found is closed by the
run that misses it, and is a new row should it come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol

from services.kernel.errors import InvalidInput, Problem
from services.settlement.reconcile.discrepancy import (
    CLOSED,
    OPEN,
    PROPOSED,
    RESOLVED,
    Discrepancy,
    Found,
    Identity,
)
from services.settlement.reconciliation import Terms


class Known(NamedTuple):
    """A stored discrepancy, as the next run of its month must know it."""

    id: str
    check: str
    code: str
    subject: str
    amount: int
    unit: str
    again: int
    closed: bool


class Archive(Protocol):
    """Runs and discrepancies, inside one database transaction."""

    async def alone(self, partner: str) -> None:
        """Wait for the run of this partner that is being recorded, and keep others waiting."""

    async def known(self, partner: str, period: str) -> list[Known]:
        """Every discrepancy of a partner's month."""

    async def add_run(self, terms: Terms, *, found: int) -> int:
        """Record a run; gives its number."""

    async def add(self, terms: Terms, run: int, rows: Sequence[tuple[Identity, Found]]) -> None:
        """Record what is found for the first time."""

    async def close(self, partner: str, run: int, ids: Sequence[str]) -> None:
        """Record that these are no longer found."""

    async def listed(
        self, *, partner: str | None = None, period: str | None = None, id: str | None = None
    ) -> list[Discrepancy]:
        """Discrepancies as they stand, the oldest first."""

    async def resolve(self, id: str, *, by: str, reason: str, on: date) -> None:
        """Record what somebody says of one."""

    async def approve(self, id: str, *, by: str, on: date) -> None:
        """Record a second person's agreement. InvalidInput when the database refuses it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded run: what is new, what is gone, and what stands of the month."""

    run: int
    new: int
    gone: int
    standing: tuple[Discrepancy, ...]

    @property
    def unresolved(self) -> int:
        """How many nobody has explained, or no second person yet where one is needed."""
        return sum(one.state in (OPEN, PROPOSED) for one in self.standing)


async def record(terms: Terms, found: Sequence[Found], archive: Archive) -> Recorded:
    """Record a run with what it found."""
    if not terms.by.strip():
        raise InvalidInput([Problem("say who reconciles", field="--by", value=terms.by)])
    await archive.alone(terms.partner)
    period = terms.month.name
    latest: dict[tuple[str, str, str, int, str], Known] = {}
    for stored in sorted(await archive.known(terms.partner, period), key=lambda one: one.again):
        latest[stored[1:6]] = stored
    distinct = {(str(f.check), str(f.code), f.subject, f.amount, f.unit): f for f in found}
    fresh: list[tuple[Identity, Found]] = []
    for what, one in distinct.items():
        before = latest.get(what)
        if before is None or before.closed:
            again = before.again + 1 if before else 0
            identity = Identity(
                terms.partner, period, one.check, one.code, one.subject, one.amount, one.unit, again
            )
            fresh.append((identity, one))
    gone = [
        stored.id for what, stored in latest.items() if not stored.closed and what not in distinct
    ]
    run = await archive.add_run(terms, found=len(distinct))
    await archive.add(terms, run, fresh)
    await archive.close(terms.partner, run, gone)
    standing = await archive.listed(partner=terms.partner, period=period)
    return Recorded(
        run, len(fresh), len(gone), tuple(one for one in standing if one.state != CLOSED)
    )


async def resolve(id: str, *, by: str, reason: str, on: date, archive: Archive) -> Discrepancy:
    """Say why a discrepancy stands. Above the limit of its run it waits for a second person.

    Raises InvalidInput for one that is closed or resolved.
    """
    _demand(by, "--by", "say who resolves")
    _demand(reason, "--reason", "say why")
    found = await find(id, archive)
    if found.state in (CLOSED, RESOLVED):
        raise InvalidInput([Problem(f"is {found.state} already", field="ID", value=id)])
    await archive.resolve(id, by=by, reason=reason, on=on)
    return await find(id, archive)


async def approve(id: str, *, by: str, on: date, archive: Archive) -> Discrepancy:
    """Agree, as a second person, with what was said of a discrepancy.

    Raises InvalidInput for the one who said it, and where nothing waits for a second person.
    """
    _demand(by, "--approver", "say who approves")
    found = await find(id, archive)
    if found.state != PROPOSED:
        why = f"is {found.state}: there is nothing that waits for a second person"
        raise InvalidInput([Problem(why, field="ID", value=id)])
    await archive.approve(id, by=by, on=on)
    return await find(id, archive)


async def find(id: str, archive: Archive) -> Discrepancy:
    """A discrepancy by its id. Raises InvalidInput if there is none."""
    found = await archive.listed(id=id)
    if not found:
        why = "there is no such discrepancy; see `milepost discrepancy list`"
        raise InvalidInput([Problem(why, field="ID", value=id)])
    return found[0]


def _demand(text: str, field: str, why: str) -> None:
    if not text.strip():
        raise InvalidInput([Problem(why, field=field, value=text)])
