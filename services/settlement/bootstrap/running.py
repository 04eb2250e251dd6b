"""The service: keeps files where their batches say, announces batches, seals the audit."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from services.kernel.errors import Retryable
from services.kernel.topics import SETTLEMENTS
from services.runtime.backoff import Backoff
from services.runtime.database import Database
from services.runtime.producer import BatchProducer, OutgoingRecord
from services.runtime.service import Service
from services.runtime.settings import Settings
from services.runtime.system_clock import SystemClock
from services.runtime.telemetry import get_logger
from services.settlement.adapters.batch_store import PostgresBatchStore
from services.settlement.adapters.chain_store import PostgresChainStore
from services.settlement.adapters.file_drop import FolderDrop
from services.settlement.adapters.review_store import PostgresReviewStore
from services.settlement.audit import seal_audit
from services.settlement.bootstrap.delivering import check_deliveries
from services.settlement.bootstrap.payouts import opener_of
from services.settlement.keeper import announcement, tidy
from services.settlement.review import overdue

ROUND_SECONDS = 1.0
SEAL_EVERY = 5
"""Rounds from one look for audit rows to the next."""
SEAL_SECONDS = 20
"""Shorter than the delay after which audit rows are linked."""
_log = get_logger("milepost.settlement")


async def run_settlement(service: Service) -> None:
    """Keep files where their batches say, announce batches, and link audit rows, until told to
    stop."""
    settings = service.settings
    drop = FolderDrop(settings.require_files_dir())
    check_deliveries(settings)
    database = await service.reach(
        lambda: Database.connect(
            settings.require_database(), size=1, strict=False,
            application_name="milepost-settlement",
        )
    )  # fmt: skip
    backoff = Backoff()
    rounds = 0
    left: set[str] = set()  # what cannot be written is told once: nothing of it changes here
    async with database:
        service.started()
        while not service.stop.is_set():
            try:
                async with database.connection() as connection:
                    store = PostgresBatchStore(connection, opener_of(settings))
                    tidied = await tidy(store, drop, skip=left)
                    for batch in tidied.touched:
                        _log.info("files written", batch=batch)
                    for batch, why in tidied.left.items():
                        _log.error("files not written", batch=batch, error=why)
                    left |= tidied.left.keys()
                    await _announce(settings, store)
                if rounds % SEAL_EVERY == 0:
                    async with database.transaction(statement_seconds=SEAL_SECONDS) as connection:
                        await seal_audit(PostgresChainStore(connection))
                    await _count_silence(service, database)
                rounds += 1
                backoff.reset()
                with suppress(TimeoutError):
                    await asyncio.wait_for(service.stop.wait(), ROUND_SECONDS)
            except Retryable as error:
                _log.warning("waiting, will try again", error=str(error))
                service.metrics.count("milepost_retries_total", what="settlement")
                await backoff.wait(service.stop)


async def _count_silence(service: Service, database: Database) -> None:
    """Tell how many batches a partner should have answered; nothing is sent again by itself."""
    today, days = SystemClock().today(), service.settings.answer_days
    async with database.connection() as connection:
        silent = await overdue(PostgresReviewStore(connection), today=today, days=days)
    service.metrics.set("milepost_answers_overdue", len(silent))


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
