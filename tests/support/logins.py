"""People of the database: logins with one role of milepost each, gone with the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from services.runtime.settings import Settings, load_settings
from tests.support.settlement import Books

PASSWORD = "of-a-test"


@asynccontextmanager
async def login(books: Books, role: str, *, partner: str | None = None) -> AsyncIterator[str]:
    """The name of a login that is a member of `milepost_<role>`, and of no other."""
    parts = urlsplit(books.url)
    name = f"{role}_{parts.path.strip('/')}_{partner or ''}".replace("-", "_")
    await books.connection.execute(
        f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}' IN ROLE milepost_{role}"
    )
    if partner is not None:
        await books.connection.execute(
            "INSERT INTO settlement_partner_login VALUES ($1, $2)", name, partner
        )
    try:
        yield name
    finally:
        await books.connection.execute(f"DROP ROLE {name}")


def url_of(books: Books, name: str) -> str:
    """The database's URL as that login."""
    parts = urlsplit(books.url)
    place = f"{name}:{PASSWORD}@{parts.hostname}:{parts.port}"
    return urlunsplit(parts._replace(netloc=place))


def settings_of(books: Books, name: str, role: str, folder: Path) -> Settings:
    """What a person with that login sets."""
    return load_settings(
        {
            "MILEPOST_DATABASE_URL": url_of(books, name),
            "MILEPOST_FILES_DIR": str(folder),
            "MILEPOST_ROLE": role,
        }
    )
