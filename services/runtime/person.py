"""The database as the person sees it who gives a command: in the role that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg

from services.kernel.errors import InvalidInput, Problem
from services.runtime.database import Database
from services.runtime.settings import Settings

FIELD = "MILEPOST_ROLE"
PARTNER = "partner"


@asynccontextmanager
async def open_as_person(
    settings: Settings,
    *,
    size: int = 4,
    strict: bool = True,
    application_name: str = "milepost",
) -> AsyncIterator[Database]:
    """At most `size` connections in the role of MILEPOST_ROLE; the rest as `Database.connect`.

    Raises InvalidInput when the login may not take the role, and for what the role may not do.
    """
    with role_refusals(settings.role):
        async with await Database.connect(
            settings.require_database(), role=role_name(settings.role), size=size,
            strict=strict, application_name=application_name,
        ) as database:  # fmt: skip
            if settings.role == PARTNER:
                await _demand_partner(database, settings.role)
            yield database


async def _demand_partner(database: Database, role: str) -> None:
    """A login of no partner would see nothing, as if there were nothing."""
    async with database.connection() as connection:
        if await connection.fetchval("SELECT settlement_own_partner()") is None:
            why = "permission denied: the login is of no partner; the owner of the database says "
            why += "of which it is, in settlement_partner_login"
            raise InvalidInput([Problem(why, field=FIELD, value=role)])


def role_name(role: str) -> str:
    """What the database calls a role of MILEPOST_ROLE."""
    return f"milepost_{role}"


@contextmanager
def role_refusals(role: str) -> Iterator[None]:
    """What the database does not permit in the block becomes InvalidInput, which names the role."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        raise InvalidInput([Problem(str(error), field=FIELD, value=role)]) from error


@contextmanager
def owner_refusals() -> Iterator[None]:
    """The same for what only the login that owns the database may do."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        why = f"{error}: this is for the login that owns the database, and for no other"
        raise InvalidInput([Problem(why, field="MILEPOST_DATABASE_URL")]) from error
