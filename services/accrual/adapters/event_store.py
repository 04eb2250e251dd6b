"""What was recorded: events, their identities, and rejected records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import asyncpg
from asyncpg.pgproto.pgproto import UUID

from services.accrual.intake import Recorded
from services.accrual.links import Held
from services.accrual.ports import DeadLetter, Repeated
from services.kernel.transaction import CardTransaction
from services.runtime.database import Connection, copy_rows
from services.runtime.named_queries import load_queries

_sql = load_queries("services.accrual.adapters", "event_store.sql")

_EVENT_COLUMNS: tuple[str, ...] = (
    "stream_id", "seq", "offset_at", "recorded_at", "source", "role", "body", "outcome",
    "reason", "revision",
)  # fmt: skip
_DECLARED_COLUMNS = (*_EVENT_COLUMNS, "exact_keys")


@lru_cache(maxsize=8192)
def moment(timestamp_ms: int) -> datetime:
    """A record's timestamp as an instant."""
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC)


async def by_identity(connection: Connection, identities: Sequence[bytes]) -> dict[bytes, Held]:
    """Those of these identities that are recorded."""
    rows = await connection.fetch(_sql.by_identity, [UUID(key) for key in identities])
    return {
        row["identity"].bytes: (row["stream_id"], row["seq"], row["body"], row["exact_keys"])
        for row in rows
    }


async def save_identities(connection: Connection, events: Iterable[Recorded]) -> None:
    """Record who came first. Raises Repeated when one of them is recorded already."""
    ordered = sorted((event.identity, event.stream_id, event.seq) for event in events)
    rows = [(UUID(key), stream_id, seq) for key, stream_id, seq in ordered]
    try:
        await copy_rows(
            connection, table="event_identity", columns=("identity", "stream_id", "seq"), rows=rows
        )
    except asyncpg.UniqueViolationError as error:
        raise Repeated from error


async def save_link(connection: Connection, identity: bytes, *, stream_id: int, seq: int) -> None:
    """Record which command links an event. Raises Repeated when another one has."""
    try:
        await copy_rows(
            connection, table="event_identity", columns=("identity", "stream_id", "seq"),
            rows=[(UUID(identity), stream_id, seq)],
        )  # fmt: skip
    except asyncpg.UniqueViolationError as error:
        raise Repeated from error


async def save_events(
    connection: Connection,
    events: Sequence[Recorded],
    outcomes: Mapping[tuple[int, int], tuple[str, str | None]],
    *,
    revision: int,
) -> None:
    """Record events with what came of them, and what their feeds declare where any does."""
    rows: list[tuple[object, ...]] = [
        (
            event.stream_id, event.seq, event.offset_at, moment(event.timestamp_ms), event.source,
            event.role, event.body, *outcomes[event.stream_id, event.seq], revision,
        )
        for event in events
    ]  # fmt: skip
    columns = _EVENT_COLUMNS
    if any(event.event.exact for event in events):
        columns = _DECLARED_COLUMNS
        rows = [(*row, declaration(event.event)) for row, event in zip(rows, events, strict=True)]
    await copy_rows(connection, table="card_event", columns=columns, rows=rows)


def declaration(event: CardTransaction) -> str | None:
    """The fields of an event that its feed declares exact, as they are stored."""
    return ",".join(event.exact) or None


async def save_dead_letters(connection: Connection, letters: Sequence[DeadLetter]) -> int:
    """Record rejected records; one whose source is known already is left as it is."""
    if not letters:
        return 0
    known = {
        (row["source_topic"], row["source_partition"], row["source_offset"])
        for row in await connection.fetch(
            _sql.known_sources,
            [letter.source_topic for letter in letters],
            [letter.source_partition for letter in letters],
            [letter.source_offset for letter in letters],
        )
    }
    fresh: list[DeadLetter] = []
    for letter in letters:
        source = (letter.source_topic, letter.source_partition, letter.source_offset)
        if source not in known:
            known.add(source)
            fresh.append(letter)
    try:
        await copy_rows(connection, table="dead_letter", columns=DeadLetter._fields, rows=fresh)
    except asyncpg.UniqueViolationError as error:
        raise Repeated from error
    return len(fresh)
