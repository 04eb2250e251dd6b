"""Where each stream stands, and who may move it.

A stream's position lives in the commit of the effects that moved it there, and only the holder
of its newest epoch can move it. That alone makes the effects of the log exactly-once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from services.kernel.errors import InvalidInput, InvariantViolated, MilepostError, Problem
from services.kernel.topics import stream_name
from services.runtime.database import Connection
from services.runtime.failpoint import failpoint
from services.runtime.named_queries import load_queries

_sql = load_queries("services.runtime", "stream_position.sql")


@dataclass(frozen=True, slots=True)
class Claim:
    """A partition that this process may move, as long as nobody claims it after us.

    `next_offset` is the first offset whose effects are not committed yet.
    """

    stream_id: int
    topic: str
    partition: int
    epoch: int
    next_offset: int

    @property
    def name(self) -> str:
        """The stream's name, such as `card-transactions/3`."""
        return stream_name(self.topic, self.partition)

    def at(self, next_offset: int) -> Claim:
        """The same claim after a commit moved it to `next_offset`."""
        return replace(self, next_offset=next_offset)


class Fenced(MilepostError):
    """Another process has claimed this stream; what was being done must be rolled back."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        super().__init__(
            f"{claim.name}: another process has claimed it since epoch {claim.epoch}, "
            f"or it does not stand at offset {claim.next_offset}"
        )


async def claim(connection: Connection, topic: str, partition: int, *, owner: str) -> Claim:
    """Takes a partition and says where to go on. Commit before the first record is processed.

    Raises InvalidInput when the partition has no position.
    """
    name = stream_name(topic, partition)
    row = await connection.fetchrow(_sql.claim, name, owner)
    failpoint("claim: updated")
    if row is None:
        why = "has no position in the database; run `milepost topics create`"
        raise InvalidInput([Problem(why, field=name)])
    return Claim(row["stream_id"], topic, partition, row["epoch"], row["next_offset"])


async def advance(connection: Connection, held: Claim, *, next_offset: int, count: int) -> int:
    """Moves a claimed stream to `next_offset` and takes `count` sequence numbers.

    Gives the first of them. The row stays locked to commit, which serialises the stream.
    Raises Fenced when the stream is not where the claim says or belongs to another.
    """
    first_seq: int | None = await connection.fetchval(
        _sql.advance, held.stream_id, held.epoch, held.next_offset, next_offset, count
    )
    failpoint("advance: updated")
    if first_seq is None:
        raise Fenced(held)
    return first_seq


async def lock(connection: Connection, stream_ids: Iterable[int]) -> dict[int, int]:
    """Locks streams to commit, in id order; gives each one's next sequence number."""
    wanted = sorted(set(stream_ids))
    rows = await connection.fetch(_sql.lock, wanted)
    found = {row["stream_id"]: row["next_seq"] for row in rows}
    if missing := set(wanted) - found.keys():
        raise InvariantViolated(f"streams without a position: {sorted(missing)}")
    return found


async def draw(connection: Connection, stream_id: int, count: int) -> int:
    """Takes `count` sequence numbers of a stream that this transaction has locked.

    Gives the first of them.
    """
    first_seq: int | None = await connection.fetchval(_sql.draw, stream_id, count)
    if first_seq is None:
        raise InvariantViolated(f"stream {stream_id} has no position")
    return first_seq


async def still_mine(connection: Connection, claims: Sequence[Claim]) -> dict[int, int]:
    """The committed next offset of each claim that nobody has taken over, by stream id."""
    ids = [held.stream_id for held in claims]
    epochs = [held.epoch for held in claims]
    rows = await connection.fetch(_sql.still_mine, ids, epochs)
    return {row["stream_id"]: row["next_offset"] for row in rows}


async def offsets(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """The committed next offset of each of the named streams that exists."""
    rows = await connection.fetch(_sql.offsets, names)
    return {row["name"]: row["next_offset"] for row in rows}


async def create_streams(connection: Connection, starts: Mapping[str, int]) -> dict[str, int]:
    """Makes sure that each named stream has a position; new ones start at the given offset.

    Gives the id of each. A stream that is there already is left as it is. Call it inside a
    transaction: it lets in one creator at a time.
    """
    names = list(starts)
    known = await stream_ids(connection, names)
    if len(known) < len(names):
        await connection.execute(_sql.lock_streams)
        await connection.execute(_sql.create_streams, names, list(starts.values()))
        known = await stream_ids(connection, names)
    return known


async def stream_ids(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """The ids of the named streams that exist."""
    rows = await connection.fetch(_sql.stream_ids, names)
    return {row["name"]: row["stream_id"] for row in rows}
