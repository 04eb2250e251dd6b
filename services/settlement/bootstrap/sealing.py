"""Seal, approve, list, show and reproduce batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from services.kernel.errors import Unreachable
from services.runtime.database import Connection
from services.runtime.settings import Settings
from services.settlement.adapters.batch_store import PostgresBatchStore
from services.settlement.adapters.file_drop import FolderDrop
from services.settlement.adapters.seal_store import PostgresSealStore
from services.settlement.approve import approve, find
from services.settlement.batches.batch import SEALED, Header
from services.settlement.batches.draft import Draft
from services.settlement.batches.order import Order
from services.settlement.bootstrap.parts import beside, content_of, open_database, reading
from services.settlement.bootstrap.payouts import opener_of
from services.settlement.checking import check
from services.settlement.emission import Emitted, emit, is_waiting, release
from services.settlement.files.file import Checked, File
from services.settlement.seal import cycle_of, recompute, seal, write_files
from services.settlement.show import Opened, Shown, open_line, show

SEAL_SECONDS = 600
"""Time that a statement of a large batch may take; the partner's stream is locked meanwhile."""
BATCH_COLUMNS = (
    "batch", "partner", "sequence", "revision", "state", "line", "membership_number", "account_id",
    "purchase", "rule", "award", "unit", "amount", "original_batch", "original_line", "outcome",
    "code", "reason",
)  # fmt: skip
"""Columns of `batch_rows`."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of `settle`. `header` is None when nothing was due.

    `repaired` are batches sealed earlier whose files were missing and have been written now.
    """

    header: Header | None
    draft: Draft
    lines: int
    files: tuple[Emitted, ...]
    repaired: tuple[str, ...]


async def end_of_cycle(settings: Settings, partner: str, month: date) -> date:
    """The last day of the cycle that a month is, by the partner's contracts."""
    async with reading(settings) as connection:
        return cycle_of(await PostgresBatchStore(connection).terms(partner), partner, month)


async def settle(settings: Settings, order: Order) -> Settled:
    """Seal what is due, store the batch, and write its files to `pending/`.

    The batch is committed before its files are written: if writing fails, `reproduce_batch`, or
    the next `settle` of the partner, writes the same bytes.
    """
    drop = FolderDrop(settings.require_files_dir())
    async with open_database(settings) as database:
        async with database.transaction(statement_seconds=SEAL_SECONDS) as connection:
            sealing = await seal(order, PostgresSealStore(connection, opener=opener_of(settings)))
            store = PostgresBatchStore(connection, opener_of(settings))
            files = await write_files(sealing.seal.batch, store) if sealing.seal else []
        async with database.connection() as connection:
            store = PostgresBatchStore(connection, opener_of(settings))
            headers = await store.headers(partner=order.partner)
            header = headers.pop() if sealing.seal else None
            repaired = []
            for earlier in headers:
                if earlier.state == SEALED and not is_waiting(earlier, drop):
                    emit(earlier, await recompute(earlier.batch, store), drop)
                    repaired.append(earlier.batch)
    return Settled(
        header=header,
        draft=sealing.draft,
        lines=sum(line.amount != 0 for line in sealing.seal.lines) if sealing.seal else 0,
        files=tuple(_emit_sealed(header, files, drop)) if header else (),
        repaired=tuple(repaired),
    )


def _emit_sealed(header: Header, files: Sequence[File], drop: FolderDrop) -> list[Emitted]:
    try:
        return emit(header, files, drop)
    except Unreachable as error:
        hint = f"{header.batch} is sealed, its files are missing. {error.hint}"
        raise Unreachable(error.what, error.where, hint) from error


async def list_batches(settings: Settings, *, partner: str | None = None) -> list[Header]:
    """All batches, or a partner's, in order of partner and sequence."""
    async with reading(settings) as connection:
        return await PostgresBatchStore(connection, opener_of(settings)).headers(partner=partner)


async def show_batch(settings: Settings, batch: str) -> Shown:
    """A batch with its price, its files, and who waits."""
    async with reading(settings) as connection:
        store = PostgresBatchStore(connection, opener_of(settings))
        return await show(await find(batch, store), store, store)


async def show_line(settings: Settings, batch: str, line: int) -> Opened:
    """A line down to the events that caused it."""
    async with reading(settings) as connection:
        store = PostgresBatchStore(connection, opener_of(settings))
        return await open_line(await find(batch, store), line, store)


@dataclass(frozen=True, slots=True)
class Approved:
    """What came of `batch approve`; `fresh` is False when it was approved before."""

    header: Header
    fresh: bool
    files: tuple[Emitted, ...]


async def approve_batch(settings: Settings, batch: str, *, approver: str, on: date) -> Approved:
    """Approve as a second person, and move the files to `outgoing/`.

    Before anything is recorded the files are computed anew and compared with what lies in
    `pending/`: what is approved is what was sealed.
    """
    drop = FolderDrop(settings.require_files_dir())
    async with open_database(settings) as database:
        async with database.connection() as connection:
            store = PostgresBatchStore(connection, opener_of(settings))
            header = await find(batch, store)
            files = await recompute(batch, store)
            if header.state == SEALED:
                emit(header, files, drop)
        async with database.transaction() as connection:
            fresh = await approve(
                batch,
                approver=approver,
                on=on,
                store=PostgresBatchStore(connection, opener_of(settings)),
            )
        async with database.connection() as connection:
            header = await find(batch, PostgresBatchStore(connection, opener_of(settings)))
    moved = release(header, files, drop) if fresh or is_waiting(header, drop) else []
    return Approved(header, fresh, tuple(moved))


async def reproduce_batch(settings: Settings, batch: str) -> tuple[Header, list[Emitted]]:
    """Compute a batch's files anew and write those that are missing.

    Raises InvariantViolated when they are not what was sealed, or other bytes lie there.
    """
    drop = FolderDrop(settings.require_files_dir())
    async with reading(settings) as connection:
        store = PostgresBatchStore(connection, opener_of(settings))
        header = await find(batch, store)
        return header, emit(header, await recompute(batch, store), drop)


def check_file(path: Path) -> Checked:
    """Read a file of a published layout; for a manifest also the files beside it.

    Raises InvalidInput when it cannot be read or is of no published layout.
    """
    return check(content_of(path), path.name, beside=lambda name: beside(path.parent / name))


async def batch_rows(connection: Connection) -> list[tuple[Any, ...]]:
    """Every line that stood in a file, for `export batches`; columns are BATCH_COLUMNS."""
    return await PostgresBatchStore(connection).export()
