"""Wires looking things up: books, exports, and what was rejected."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

from services.accrual.adapters import (
    dead_letter_store,
    event_store,
    export_store,
    invariant_store,
    lookup_store,
    state_store,
)
from services.accrual.adapters.fact_store import FactStore
from services.accrual.adapters.table_file import write_rows
from services.accrual.bootstrap.parts import reading, require_name
from services.accrual.export import DATES, INTEGERS, Rows
from services.accrual.lookup.books import Books
from services.kernel.errors import InvalidInput, Problem
from services.runtime.person import open_as_person
from services.runtime.sealing import Opener
from services.runtime.settings import Settings


async def list_dead_letters(
    settings: Settings, *, feed: str | None, reason: str | None, limit: int | None
) -> list[dict[str, Any]]:
    """The newest rejected records, at most `limit`; what they hold stays sealed."""
    async with reading(settings) as connection:
        return await dead_letter_store.listed(connection, feed=feed, reason=reason, limit=limit)


async def open_dead_letters(
    settings: Settings, places: Sequence[tuple[str, int, int]]
) -> list[dict[str, Any]]:
    """Rejected records by the topic, partition and offset of their raw records; `raw` is what each
    holds, opened with the private key of MILEPOST_QUARANTINE_IDENTITY_FILE.

    Raises InvalidInput when there is none at a place.
    """
    opener = Opener.from_file(settings.require_quarantine_identity())
    opened: list[dict[str, Any]] = []
    async with reading(settings) as connection:
        for place in places:
            found = await dead_letter_store.sealed(connection, *place)
            if found is None:
                source = "/".join(map(str, place))
                why = "is not the source of a dead letter: `milepost dead-letters list` shows them"
                raise InvalidInput([Problem(why, field="SOURCE", value=source)])
            raw = opener.open(found.pop("sealed"))
            opened.append({**found, "raw": raw})
    return opened


async def record_replay(
    settings: Settings, places: Sequence[tuple[str, int, int]], *, by: str | None, on: date
) -> None:
    """Record who sends dead letters once more. Raises InvalidInput for a name that is none."""
    require_name(by)
    if places:
        async with reading(settings) as connection:
            await dead_letter_store.record_replay(connection, places, by=by, on=on)


@asynccontextmanager
async def books(settings: Settings) -> AsyncIterator[Books]:
    """The record and the ledger as they are at one instant, to be looked up."""
    async with (
        open_as_person(
            settings, size=1, strict=False, application_name="milepost-lookup"
        ) as database,
        database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield Books(
            connection, events=event_store, state=state_store, facts=FactStore(),
            lookups=lookup_store, exports=export_store, audits=invariant_store,
        )  # fmt: skip


async def write_table(path: Path, columns: tuple[str, ...], rows: Rows) -> int:
    """Write an export to a file by its ending; gives the number of rows."""
    return await write_rows(path, columns, rows, integers=INTEGERS, dates=DATES)
