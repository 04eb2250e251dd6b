"""Invariants of settlement, and its commands folded again."""

from __future__ import annotations

from pathlib import Path

from services.kernel.finding import Finding
from services.runtime.database import Connection
from services.settlement.adapters import refold_store
from services.settlement.adapters.audit_store import PostgresAuditStore
from services.settlement.adapters.batch_store import PostgresBatchStore
from services.settlement.adapters.file_drop import FolderDrop
from services.settlement.adapters.seal_store import PostgresSealStore, Recorded
from services.settlement.batches.line import batch_id
from services.settlement.batches.order import read_command
from services.settlement.invariants import findings
from services.settlement.seal import seal, write_files


async def invariants(connection: Connection, files_dir: Path | None = None) -> list[Finding]:
    """Every invariant of settlement; that of the stored files when there is such a folder."""
    drop = FolderDrop(files_dir) if files_dir is not None and files_dir.is_dir() else None
    return await findings(PostgresAuditStore(connection), PostgresBatchStore(connection), drop)


async def resettle(ledger: Connection, rebuilt: Connection) -> list[str]:
    """Fold every recorded seal again in a rebuilt ledger, and give each difference.

    `rebuilt` is inside a transaction, its search path holds the facts and the folded card streams.
    """
    found: list[str] = []
    for event in await refold_store.commands(ledger):
        command = read_command(event.body)
        if command is None:
            continue
        partner = command.order.partner
        sequence = await refold_store.next_sequence(rebuilt, partner)
        labels = await refold_store.labels(ledger, batch_id(partner, sequence))
        recorded = Recorded(event.stream_id, event.seq, command.vector, command.facts, labels)
        sealing = await seal(command.order, PostgresSealStore(rebuilt, recorded))
        if sealing.seal is None:
            found.append(f"{batch_id(partner, sequence)}: nothing is due when it is folded again")
            continue
        await write_files(sealing.seal.batch, PostgresBatchStore(rebuilt))
    return found + await refold_store.differences(ledger, rebuilt, shown_max=5)
