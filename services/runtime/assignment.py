"""Which partitions the group has given to this process, and which of them it has claimed.

The driver swallows what a rebalance listener raises, so the listener here does nothing that can
fail: it notes what was assigned, and the consumer's own loop claims it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from aiokafka import TopicPartition
from aiokafka.abc import ConsumerRebalanceListener

from services.runtime.stream_position import Claim


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """The partitions of one consumer. Only claimed ones are ever processed.

    `busy` is held while a batch or a claim is under way; a revoke waits for it, for at most
    `drain_seconds`. A later end is harmless: the fence catches it.
    """

    def __init__(self, *, drain_seconds: float) -> None:
        self.claims: dict[TopicPartition, Claim] = {}
        self.unclaimed: set[TopicPartition] = set()
        self.fenced: set[TopicPartition] = set()
        """Assigned to this process, yet claimed by another; forgotten until assigned anew."""
        self.busy = asyncio.Lock()
        self.in_hand: frozenset[TopicPartition] = frozenset()
        """Those with records in the batch that is under way."""
        self.changed = asyncio.Event()
        self.generation = 0
        """Moves with every rebalance: what was begun under an older one is void."""
        self._drain_seconds = drain_seconds

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """These partitions are ours now, and have to be claimed."""
        self.generation += 1
        self.claims.clear()
        self.fenced.clear()
        self.unclaimed = set(partitions)
        self.changed.set()

    @contextmanager
    def working_on(self, partitions: Iterable[TopicPartition]) -> Iterator[None]:
        """A batch of these is under way; `busy` is held already."""
        self.in_hand = frozenset(partitions)
        try:
            yield
        finally:
            self.in_hand = frozenset()

    def committed(self, partition: TopicPartition, before: Claim, next_offset: int) -> None:
        """A batch under the claim `before` was committed; if it is still ours, it moves."""
        if self.claims.get(partition) is before:
            self.claims[partition] = before.at(next_offset)

    def forget(self, partition: TopicPartition) -> None:
        """Another process has claimed it."""
        if self.claims.pop(partition, None) is not None:
            self.fenced.add(partition)

    async def on_partitions_revoked(self, _: Iterable[TopicPartition]) -> None:
        """Called by the driver before a rebalance, which takes all partitions away."""
        self.assign(())
        with suppress(TimeoutError):
            async with asyncio.timeout(self._drain_seconds), self.busy:
                pass

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Called by the driver after a rebalance."""
        self.assign(assigned)
