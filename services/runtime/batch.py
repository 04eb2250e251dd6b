"""What the consumer hands to a handler: slices of claimed streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.runtime.stream_position import Claim


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
