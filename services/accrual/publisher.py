"""The journal is the outbox: read it behind a cursor, produce it to `accruals`, move the cursor.

`(stream, seq)` is gap-free and in commit order, so no late commit is skipped. What was produced
before a crash is produced again; readers know it by its `transfer_id`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from services.accrual.encoding import encode_transfer
from services.accrual.ports import Cursor, PublishedRow, PublisherStore
from services.kernel.errors import MilepostError, Retryable
from services.kernel.identifiers import derived_text
from services.kernel.topics import ACCRUALS, HEADER_TRANSFER_ID
from services.runtime.backoff import Backoff
from services.runtime.database import Database
from services.runtime.failpoint import failpoint
from services.runtime.producer import BatchProducer, OutgoingRecord
from services.runtime.service import Service
from services.runtime.telemetry import get_logger

EVENTS_MAX = 20_000
PAUSE_SECONDS = 0.2
"""After a round with little in it: the next one is the fuller, and costs the same."""

_log = get_logger(__name__)


class Outpaced(MilepostError):
    """Another publisher holds the streams; this one must end."""


class Publisher:
    """Publishes every stream of the ledger. The newest one started holds them all."""

    def __init__(self, service: Service, database: Database, store: PublisherStore) -> None:
        self._service = service
        self._database = database
        self._store = store
        self._cursors: dict[int, Cursor] = {}
        self._backoff = Backoff()

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop` is set. A broken producer is replaced, and reads from the cursor.

        Raises Outpaced when another publisher has taken over.
        """
        settings = self._service.settings
        while not stop.is_set():
            try:
                async with await BatchProducer.connect(settings, client="publisher") as producer:
                    await self._publish(producer, stop)
            except Retryable as error:
                self._cursors.clear()
                _log.warning("waiting, will try again", error=str(error))
                self._service.metrics.count("milepost_retries_total", what="publisher")
                await self._backoff.wait(stop)

    async def _publish(self, producer: BatchProducer, stop: asyncio.Event) -> None:
        while not stop.is_set():
            moved = await self._round(producer)
            self._backoff.reset()
            if moved < EVENTS_MAX:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), PAUSE_SECONDS)

    async def _round(self, producer: BatchProducer) -> int:
        """Publish what every stream has next; gives the number of events passed."""
        async with self._database.connection() as connection:
            ends = await self._store.ends(connection)
        if ends.keys() - self._cursors.keys():
            async with self._database.transaction() as connection:
                for cursor in await self._store.lease(
                    connection, self._service.owner, list(self._cursors)
                ):
                    self._cursors[cursor.stream_id] = cursor
        moved = 0
        for stream_id, cursor in sorted(self._cursors.items()):
            through = min(ends.get(stream_id, cursor.seq), cursor.seq + EVENTS_MAX)
            if through > cursor.seq:
                await self._pass(producer, cursor, through)
                moved += through - cursor.seq
        return moved

    async def _pass(self, producer: BatchProducer, cursor: Cursor, through: int) -> None:
        async with self._database.connection() as connection:
            rows = await self._store.transfers(connection, cursor, through)
        failpoint("publisher: read")
        if rows:
            await producer.produce(ACCRUALS, [message(cursor.stream, row) for row in rows])
        failpoint("publisher: produced")
        async with self._database.transaction() as connection:
            if not await self._store.move(connection, cursor, through):
                raise Outpaced(f"another publisher holds {cursor.stream}")
        failpoint("publisher: moved")
        self._cursors[cursor.stream_id] = cursor._replace(seq=through)


def message(stream: str, row: PublishedRow) -> OutgoingRecord:
    """The record of one transfer: keyed by account, `transfer_id` in a header."""
    identifier = derived_text("transfer", stream, row.seq, row.leg)
    return OutgoingRecord(
        row.account_id.encode(),
        encode_transfer(stream, row, identifier),
        [(HEADER_TRANSFER_ID, identifier.encode())],
    )
