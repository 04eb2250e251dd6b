"""Connections that every wiring page shares."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.kernel.errors import InvalidInput, Problem
from services.runtime.database import Connection, Database
from services.runtime.person import open_as_person
from services.runtime.settings import Settings

FILE_BYTES_MAX = 1 << 30


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """A connection in the role that the settings name.

    Raises InvalidInput when the login may not take it, and for what the role may not do.
    """
    # Whole numbers come from the database itself or are counted here: no need for checks again.
    async with open_as_person(
        settings, size=1, strict=False, application_name="milepost-settlement"
    ) as database:
        yield database


@asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[Connection]:
    async with open_database(settings) as database, database.connection() as connection:
        yield connection


def content_of(path: Path) -> bytes:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            why = f"is larger than {FILE_BYTES_MAX >> 20} MiB, no file of ours is"
            raise InvalidInput([Problem(why, file=str(path))])
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput([Problem(error.strerror or "cannot be read", file=str(path))]) from error


def beside(path: Path) -> bytes | None:
    return content_of(path) if path.is_file() else None
