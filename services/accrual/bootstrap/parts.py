"""What several wirings are made of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.accrual.adapters import event_store, state_store
from services.accrual.adapters.fact_store import FactStore
from services.accrual.deciding import Decider
from services.kernel.errors import InvalidInput, Problem
from services.runtime.database import Connection
from services.runtime.person import open_as_person
from services.runtime.settings import Settings


def decider() -> Decider:
    """A decider with its own cache of facts."""
    return Decider(events=event_store, state=state_store, facts=FactStore())


@asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[Connection]:
    """A connection for looking things up."""
    async with open_as_person(settings, size=1) as database, database.connection() as connection:
        yield connection


def require_name(by: str | None) -> None:
    """Raises InvalidInput when somebody is named by nothing but space."""
    if by is not None and not by.strip():
        raise InvalidInput([Problem("is no name", field="--by", value=by)])


def content(path: Path) -> bytes:
    """What a file holds. Raises InvalidInput when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput([Problem(error.strerror or "cannot be read", file=str(path))]) from error
