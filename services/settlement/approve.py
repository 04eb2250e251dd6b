"""A second person approves a batch; the database refuses the one who sealed it."""

from __future__ import annotations

from datetime import date
from unicodedata import normalize

from services.kernel.errors import InvalidInput, Problem
from services.settlement.batches.batch import WITHDRAWN, Header
from services.settlement.ports import BatchStore


async def find(batch: str, store: BatchStore) -> Header:
    """The batch. Raises InvalidInput, naming those that there are, if there is none."""
    found = await store.headers(batch=batch)
    if found:
        return found[0]
    known = [header.batch for header in await store.headers()]
    near = f"; the latest are {', '.join(known[-3:])}" if known else "; none is sealed yet"
    raise InvalidInput([Problem("there is no such batch" + near, field="ID", value=batch)])


async def approve(batch: str, *, approver: str, on: date, store: BatchStore) -> bool:
    """Record the approval; False if this person has approved the batch before.

    Raises InvalidInput for the person who sealed it, when another one has approved it, and for a
    batch that was withdrawn.
    """
    if not approver.strip():
        raise InvalidInput([Problem("say who approves", field="--approver", value=approver)])
    header = await find(batch, store)
    if header.state == WITHDRAWN:
        raise InvalidInput([Problem(f"{batch} is withdrawn", field="ID", value=batch)])
    if header.approver is None:
        await store.approve(header, approver=approver, on=on)
        return True
    if _person(header.approver) == _person(approver):
        return False
    why = f"{batch} is approved already, by {header.approver!r} on {header.approved_on}"
    raise InvalidInput([Problem(why, field="--approver", value=approver)])


def _person(name: str) -> str:
    """Two spellings of one name are one person, as in the database."""
    return normalize("NFKC", normalize("NFKC", name).casefold()).strip()
