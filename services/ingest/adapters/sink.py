"""Sends to Kafka, with a new producer after one that has failed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from services.kernel.topics import CARD_TRANSACTIONS, DEAD_LETTERS
from services.runtime.producer import BatchProducer, OutgoingRecord, ProducerFailed


class KafkaSink:
    """The Sink port. `connect` gives a producer, however long that takes."""

    def __init__(self, connect: Callable[[], Awaitable[BatchProducer]]) -> None:
        self._connect = connect
        self._producer: BatchProducer | None = None

    async def send(
        self, *, events: Sequence[OutgoingRecord], letters: Sequence[OutgoingRecord]
    ) -> None:
        """Sends both; raises ProducerFailed when not everything is known to have arrived."""
        if self._producer is None:
            self._producer = await self._connect()
        producer = self._producer
        work = [
            producer.produce(topic, records)
            for topic, records in ((CARD_TRANSACTIONS, events), (DEAD_LETTERS, letters))
            if records
        ]
        # Both are waited for, so that neither is still under way when the batch comes again.
        results = await asyncio.gather(*work, return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if any(isinstance(failure, ProducerFailed) for failure in failures):
            await self.close()
        for failure in failures:
            raise failure

    async def close(self) -> None:
        """Closes the producer, if there is one."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await producer.close()
