"""Wires settlement: settings → stores → use cases. The only importer of the adapters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from services.kernel.errors import InvalidInput, Problem, Retryable, Unreachable
from services.kernel.finding import Finding
from services.kernel.topics import SETTLEMENTS
from services.runtime.backoff import Backoff
from services.runtime.database import Connection, Database
from services.runtime.producer import BatchProducer, OutgoingRecord
from services.runtime.service import Service
from services.runtime.settings import Settings
from services.runtime.telemetry import get_logger
from services.settlement.adapters import payout_store, refold_store
from services.settlement.adapters.audit_store import PostgresAuditStore
from services.settlement.adapters.batch_store import PostgresBatchStore
from services.settlement.adapters.file_drop import FolderDrop
from services.settlement.adapters.seal_store import PostgresSealStore, Recorded
from services.settlement.approve import approve, find
from services.settlement.batches.batch import SEALED, Header
from services.settlement.batches.draft import Draft
from services.settlement.batches.line import batch_id
from services.settlement.batches.order import Order, read_command
from services.settlement.bootstrap.payouts import opener_of
from services.settlement.checking import check
from services.settlement.emission import Emitted, emit, is_waiting, release
from services.settlement.files.file import Checked, File
from services.settlement.invariants import findings
from services.settlement.keeper import announcement, tidy
from services.settlement.seal import recompute, seal, write_files
from services.settlement.show import Opened, Shown, open_line, show

ROUND_SECONDS = 1.0
_log = get_logger("milepost.settlement")
SEAL_SECONDS = 600
"""Time that a statement of a large batch may take; the partner's stream is locked meanwhile."""
FILE_BYTES_MAX = 1 << 30
BATCH_COLUMNS = (
    "batch", "partner", "sequence", "revision", "state", "line", "membership_number", "account_id",
    "purchase", "rule", "award", "unit", "amount", "original_batch", "original_line",
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


async def settle(settings: Settings, order: Order) -> Settled:
    """Seal what is due, store the batch, and write its files to `pending/`.

    The batch is committed before its files are written: if writing fails, `reproduce_batch`, or
    the next `settle` of the partner, writes the same bytes.
    """
    drop = FolderDrop(settings.require_files_dir())
    async with _database(settings) as database:
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
    async with _reading(settings) as connection:
        return await PostgresBatchStore(connection).headers(partner=partner)


async def show_batch(settings: Settings, batch: str) -> Shown:
    """A batch with its price, its files, and who waits."""
    async with _reading(settings) as connection:
        store = PostgresBatchStore(connection, opener_of(settings))
        return await show(await find(batch, store), store, store)


async def show_line(settings: Settings, batch: str, line: int) -> Opened:
    """A line down to the events that caused it."""
    async with _reading(settings) as connection:
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
    async with _database(settings) as database:
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
    async with _reading(settings) as connection:
        store = PostgresBatchStore(connection, opener_of(settings))
        header = await find(batch, store)
        return header, emit(header, await recompute(batch, store), drop)


def check_file(path: Path) -> Checked:
    """Read a file of a published layout; for a manifest also the files beside it.

    Raises InvalidInput when it cannot be read or is of no published layout.
    """
    return check(_content(path), path.name, beside=lambda name: _beside(path.parent / name))


async def batch_rows(connection: Connection) -> list[tuple[Any, ...]]:
    """Every line that stood in a file, for `export batches`; columns are BATCH_COLUMNS."""
    return [tuple(row) for row in await PostgresBatchStore(connection).export()]


async def invariants(
    connection: Connection, files_dir: Path | None = None, settings: Settings | None = None
) -> list[Finding]:
    """Every invariant of settlement; that of the stored files when there is such a folder."""
    drop = FolderDrop(files_dir) if files_dir is not None and files_dir.is_dir() else None
    return await findings(
        PostgresAuditStore(connection), PostgresBatchStore(connection, opener_of(settings)), drop
    )


async def resettle(
    ledger: Connection, rebuilt: Connection, settings: Settings | None = None
) -> list[str]:
    """Fold every recorded seal again in a rebuilt ledger, and give each difference.

    `rebuilt` is inside a transaction, its search path holds the facts and the folded card streams.
    """
    found: list[str] = []
    await payout_store.copy_all(ledger, rebuilt)
    for event in await refold_store.commands(ledger):
        command = read_command(event.body)
        if command is None:
            continue
        partner = command.order.partner
        sequence = await refold_store.next_sequence(rebuilt, partner)
        labels = await refold_store.labels(ledger, batch_id(partner, sequence))
        recorded = Recorded(event.stream_id, event.seq, command.vector, command.facts, labels)
        sealing = await seal(
            command.order, PostgresSealStore(rebuilt, recorded, opener_of(settings))
        )
        if sealing.seal is None:
            found.append(f"{batch_id(partner, sequence)}: nothing is due when it is folded again")
            continue
        await write_files(sealing.seal.batch, PostgresBatchStore(rebuilt, opener_of(settings)))
    return found + await refold_store.differences(ledger, rebuilt, shown_max=5)


async def run_settlement(service: Service) -> None:
    """Keep files where their batches say and announce batches, until told to stop."""
    settings = service.settings
    drop = FolderDrop(settings.require_files_dir())
    database = await service.reach(
        lambda: Database.connect(
            settings.require_database(), size=1, strict=False,
            application_name="milepost-settlement",
        )
    )  # fmt: skip
    backoff = Backoff()
    async with database:
        service.started()
        while not service.stop.is_set():
            try:
                async with database.connection() as connection:
                    store = PostgresBatchStore(connection, opener_of(settings))
                    for batch in await tidy(store, drop):
                        _log.info("files written", batch=batch)
                    await _announce(settings, store)
                backoff.reset()
                with suppress(TimeoutError):
                    await asyncio.wait_for(service.stop.wait(), ROUND_SECONDS)
            except Retryable as error:
                _log.warning("waiting, will try again", error=str(error))
                service.metrics.count("milepost_retries_total", what="settlement")
                await backoff.wait(service.stop)


async def _announce(settings: Settings, store: PostgresBatchStore) -> None:
    """Produce the present state of batches that has not been produced yet."""
    batches = await store.unannounced()
    if not batches:
        return
    async with await BatchProducer.connect(settings, client="settlement") as producer:
        for batch in batches:
            header = (await store.headers(batch=batch))[0]
            record = OutgoingRecord(
                key=header.partner.encode(),
                value=announcement(header, await store.files(batch)),
                headers=[("batch", batch.encode()), ("state", header.state.encode())],
            )
            await producer.produce(SETTLEMENTS, [record])
            await store.announced(batch, header.state)
            _log.info("announced", batch=batch, outcome=header.state)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    # Whole numbers come from the database itself or are counted here: no need for checks again.
    async with await Database.connect(
        settings.require_database(), size=1, strict=False, application_name="milepost-settlement"
    ) as database:
        yield database


@asynccontextmanager
async def _reading(settings: Settings) -> AsyncIterator[Connection]:
    async with _database(settings) as database, database.connection() as connection:
        yield connection


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            why = f"is larger than {FILE_BYTES_MAX >> 20} MiB, no file of ours is"
            raise InvalidInput([Problem(why, file=str(path))])
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput([Problem(error.strerror or "cannot be read", file=str(path))]) from error


def _beside(path: Path) -> bytes | None:
    return _content(path) if path.is_file() else None
