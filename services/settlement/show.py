"""What `batch show` prints: a batch with its price, and a line down to its source events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.kernel.errors import InvalidInput, Problem
from services.settlement.batches.batch import Header, Sealed, Written
from services.settlement.billing.price import Kind, by_kind
from services.settlement.ports import BatchStore, DetailStore


@dataclass(frozen=True, slots=True)
class Shown:
    """A batch with everything but its lines."""

    header: Header
    lines: int
    kinds: tuple[Kind, ...]
    files: tuple[Written, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A line with the other pieces of its sum, and the transfers that it sums up.

    A piece that names an original has the `reason` why it changes it; others have None.
    """

    header: Header
    line: int
    pieces: tuple[dict[str, Any], ...]
    transfers: tuple[dict[str, Any], ...]


async def show(header: Header, store: BatchStore, detail: DetailStore) -> Shown:
    """A batch, what its rewards cost by kind, and its files."""
    sealed: Sealed = await store.load(header)
    return Shown(
        header=header,
        lines=len(sealed.lines),
        kinds=tuple(by_kind(await detail.granted(header.batch), sealed.terms)),
        files=tuple(await store.files(header.batch)),
    )


async def open_line(header: Header, line: int, detail: DetailStore) -> Opened:
    """One line of a batch. Raises InvalidInput if it has none of that number."""
    pieces = await detail.lines(header.batch, line)
    if not pieces:
        why = f"{header.batch} has no such line"
        raise InvalidInput([Problem(why, field="--line", value=str(line))])
    sources = await detail.sources(header.batch, [piece["line"] for piece in pieces])
    reasons = await detail.reasons(header.batch)
    told = ({**piece, "reason": reasons.get((header.batch, piece["line"]))} for piece in pieces)
    return Opened(header, line, tuple(told), tuple(sources))
