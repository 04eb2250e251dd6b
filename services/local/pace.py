"""Sends at a steady rate, whatever comes back: a record is stamped when it is due, not when there
was time for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from services.local.load import TOPIC, Record
from services.runtime.producer import BatchProducer, OutgoingRecord
from services.runtime.system_clock import SystemClock

TICK_SECONDS = 0.01
CHUNK = 5_000


async def send(producer: BatchProducer, records: Sequence[Record]) -> None:
    """Send records as fast as they go, stamped by the clock."""
    for at in range(0, len(records), CHUNK):
        chunk = records[at : at + CHUNK]
        await producer.produce(TOPIC, [OutgoingRecord(key, line) for key, line in chunk])


async def send_paced(producer: BatchProducer, records: Sequence[Record], *, rate: int) -> None:
    """Send `rate` records a second."""
    clock = SystemClock()
    start = clock.now_micros()
    sent = 0
    while sent < len(records):
        due = min(len(records), (clock.now_micros() - start) * rate // 1_000_000 + 1)
        await producer.produce(
            TOPIC,
            [
                OutgoingRecord(key, line, timestamp_ms=start // 1000 + (sent + at) * 1000 // rate)
                for at, (key, line) in enumerate(records[sent:due])
            ],
        )
        sent = due
        await asyncio.sleep(TICK_SECONDS)
