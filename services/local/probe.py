"""Looks at committed positions, often: how far the streams are, and when they got there."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple

from services.kernel.errors import MilepostError
from services.runtime.database import Database
from services.runtime.named_queries import load_queries
from services.runtime.system_clock import SystemClock

LOOK_SECONDS = 0.01
CHECK_SECONDS = 0.5
STALLED_SECONDS = 60.0
_sql = load_queries("services.local", "bench.sql")


class Stalled(MilepostError):
    """Nothing moves though something is left to do."""


class Stands(NamedTuple):
    """By stream: the next offset, the last sequence number, the last one that is published."""

    offsets: dict[int, int]
    seqs: dict[int, int]
    published: dict[int, int]

    @property
    def records(self) -> int:
        """How many records are committed."""
        return sum(self.offsets.values())


class Probe:
    """A connection that asks every ten milliseconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = SystemClock()
        self._seen: dict[int, tuple[list[int], list[int]]] = {}
        """By stream: next offsets, and when each was first seen (microseconds)."""

    async def look(self) -> Stands:
        """Where the streams stand now."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_sql.stands)
        now = self._clock.now_micros()
        for row in rows:
            offsets, times = self._seen.setdefault(row["stream_id"], ([], []))
            if not offsets or row["next_offset"] > offsets[-1]:
                offsets.append(row["next_offset"])
                times.append(now)
        return Stands(
            {row["stream_id"]: row["next_offset"] for row in rows},
            {row["stream_id"]: row["seq"] for row in rows},
            {row["stream_id"]: row["published"] for row in rows},
        )

    async def until(self, records: int, check: Callable[[], None]) -> Stands:
        """Look until so many records are committed, and all that they posted is published.

        `check` raises when a service is gone. Raises Stalled.
        """
        moved = checked = time.monotonic()
        before = await self.look()
        while True:
            stands = await self.look()
            now = time.monotonic()
            if stands.records >= records and stands.published == stands.seqs:
                return stands
            if stands != before:
                before, moved = stands, now
            if now - checked > CHECK_SECONDS:
                checked = now
                check()
            if now - moved > STALLED_SECONDS:
                raise Stalled(f"nothing has moved for {STALLED_SECONDS:.0f} s at {stands}")
            await asyncio.sleep(LOOK_SECONDS)

    async def latencies_ms(self, since: Stands) -> list[int]:
        """Of every record after `since`: from its timestamp to the look that saw it committed.

        Sorted. A look comes up to LOOK_SECONDS after the commit, so none is too short.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(_sql.stamped, list(since.seqs), list(since.seqs.values()))
        found: list[int] = []
        for row in rows:
            offsets, times = self._seen[row["stream_id"]]
            seen = times[bisect_right(offsets, row["offset_at"])]
            found.append(seen // 1000 - round(row["recorded_at"].timestamp() * 1000))
        return sorted(found)


def percentile(ordered: list[int], percent: int) -> int:
    """The nearest-rank percentile of an ordered, non-empty list."""
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]
