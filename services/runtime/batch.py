"""What the consumer hands to a handler: slices of claimed streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.kernel.errors import InvariantViolated
from services.runtime.stream_position import Claim

Partition = TypeVar("Partition")


class Record(Protocol):
    """A record as Kafka gave it. `timestamp` is in milliseconds since the epoch."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


@dataclass(frozen=True, slots=True)
class StreamSlice:
    """Records of one claimed partition, in order, and where the stream stands after them.

    Offsets may have gaps. `next_offset` is what `stream_position.advance` moves the claim to.
    """

    claim: Claim
    records: Sequence[Record]
    next_offset: int


class Handler(Protocol):
    """What is done with a batch."""

    async def handle(self, slices: Sequence[StreamSlice]) -> None:
        """Commits the effects of all slices and their positions in one database transaction.

        The slices are of different streams, in order of their id. Raises Fenced (as `advance`
        did), Retryable to be called again with what is not committed; anything else stops the
        process. In each case nothing, or a beginning of each slice with its position, is
        committed.
        """


def slices_of(
    taken: Mapping[Partition, Sequence[Record]], claims: Mapping[Partition, Claim]
) -> dict[Partition, StreamSlice]:
    """What was taken, of the partitions that are still claimed, in order of stream id."""
    slices = {
        partition: StreamSlice(held, records, next_offset=records[-1].offset + 1)
        for partition, records in taken.items()
        if records and (held := claims.get(partition)) is not None
    }
    for given in slices.values():
        if given.records[0].offset < given.claim.next_offset:
            raise InvariantViolated(f"{given.claim.name}: a record came after its commit")
    return dict(sorted(slices.items(), key=lambda item: item[1].claim.stream_id))
