"""Invariants of settlement, and its commands folded again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from services.kernel.finding import Finding
from services.runtime.database import Connection
from services.runtime.sealing import Opener
from services.runtime.settings import Settings
from services.settlement.adapters import payout_store, refold_store
from services.settlement.adapters.answer_store import PostgresAnswerStore
from services.settlement.adapters.audit_store import PostgresAuditStore
from services.settlement.adapters.batch_store import PostgresBatchStore
from services.settlement.adapters.chain_store import PostgresChainStore
from services.settlement.adapters.file_drop import FolderDrop
from services.settlement.adapters.life_store import PostgresLifeStore
from services.settlement.adapters.refold_store import RecordedCommand
from services.settlement.adapters.seal_store import PostgresSealStore, Recorded
from services.settlement.audit import chain_findings
from services.settlement.batches.follow import FollowUp, Place, read_follow_up
from services.settlement.batches.line import batch_id
from services.settlement.batches.order import Command, read_command
from services.settlement.bootstrap.parts import reading
from services.settlement.bootstrap.payouts import opener_of
from services.settlement.following import apply
from services.settlement.invariants import findings
from services.settlement.seal import seal, write_files


async def invariants(
    connection: Connection, files_dir: Path | None = None, settings: Settings | None = None
) -> list[Finding]:
    """Every invariant of settlement; that of the stored files when there is such a folder, and of
    files that pay when the settings name what opens the payout table.
    """
    drop = FolderDrop(files_dir) if files_dir is not None and files_dir.is_dir() else None
    batches = PostgresBatchStore(connection, opener_of(settings))
    found = await findings(PostgresAuditStore(connection), batches, drop)
    if (opener := opener_of(settings)) is not None:
        found.append(await PostgresAnswerStore(connection).sealed_finding(opener))
    return found + await chain_findings(PostgresChainStore(connection), batches, drop)


async def audit_rows(
    settings: Settings, *, subject: str | None, actor: str | None, rows_max: int
) -> list[dict[str, Any]]:
    """What people did, latest first."""
    async with reading(settings) as connection:
        store = PostgresChainStore(connection)
        return await store.rows(subject=subject, actor=actor, rows_max=rows_max)


async def resettle(
    ledger: Connection, rebuilt: Connection, settings: Settings | None = None
) -> list[str]:
    """Fold every recorded command again in a rebuilt ledger, and give each difference.

    `rebuilt` is inside a transaction, its search path holds the facts and the folded card streams.
    """
    found: list[str] = []
    opener = opener_of(settings)
    await payout_store.copy_all(ledger, rebuilt)
    for event in await refold_store.commands(ledger):
        sealing, following = read_command(event.body), read_follow_up(event.body)
        if sealing is not None:
            found += await _seal_again(sealing, event, ledger, rebuilt, opener)
        elif following is not None:
            found += await _follow_again(following, event, rebuilt)
    return found + await refold_store.differences(ledger, rebuilt, shown_max=5)


async def _seal_again(
    command: Command,
    event: RecordedCommand,
    ledger: Connection,
    rebuilt: Connection,
    opener: Opener | None,
) -> list[str]:
    partner = command.order.partner
    batch = batch_id(partner, await refold_store.next_sequence(rebuilt, partner))
    labels = await refold_store.labels(ledger, batch)
    recorded = Recorded(event.stream_id, event.seq, command.vector, command.facts, labels)
    sealing = await seal(command.order, PostgresSealStore(rebuilt, recorded, opener))
    if sealing.seal is None:
        return [f"{batch}: nothing is due when it is folded again"]
    await write_files(sealing.seal.batch, PostgresBatchStore(rebuilt, opener))
    await refold_store.copy_steps(ledger, rebuilt, batch)
    return []


async def _follow_again(
    command: FollowUp, event: RecordedCommand, rebuilt: Connection
) -> list[str]:
    headers = await PostgresBatchStore(rebuilt).headers(batch=command.batch)
    if not headers:
        return [f"{command.batch}: {command.command} of a batch that is not there"]
    store = PostgresLifeStore(rebuilt, Place(event.stream_id, event.seq))
    await apply(command, await store.standing(headers[0]), store)
    return []
