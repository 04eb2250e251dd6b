"""Brings a database to the current schema, from `schemas/postgres/migrations`.

Files are applied in the order of their numbers, each in a transaction of its own. A session lock
lets one starter work while the others wait, and a hash guards what was applied from edits.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib import resources

import asyncpg

from services.kernel.errors import InvalidInput, Problem
from services.runtime import outage, session
from services.runtime.database import Connection, Database
from services.runtime.failpoint import failpoint

DIRECTORY = "postgres/migrations"
LOCK_SECONDS = 120
_NAME = re.compile(r"(?P<version>\d{4})_(pre|post)_[a-z0-9_]+\.sql", re.ASCII)
_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migration (
  version     integer PRIMARY KEY,
  name        text NOT NULL,
  sha256      text NOT NULL,
  applied_at  timestamptz NOT NULL DEFAULT now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `pre` ones run before new code, `post` ones after the last old code is gone."""

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """The hash of its text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


async def migrate(
    url: str, *, schema: str | None = None, migrations: list[Migration] | None = None
) -> list[str]:
    """Applies what is missing and gives the names; an empty list when nothing was.

    With `schema`, the tables are made in that schema, which is created when it is missing.
    Raises InvalidInput when an applied file was edited or the database is newer than this
    milepost, Unreachable when it does not answer.
    """
    wanted = shipped() if migrations is None else migrations
    # Not as the application's role: that one may not create tables.
    async with await Database.connect(url, role=None, size=1, schema=schema) as database:
        async with database.connection() as connection:
            await connection.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
            await connection.execute(
                "SELECT pg_advisory_lock(hashtextextended($1, 0))",
                f"milepost.migrations/{schema or ''}",
                timeout=LOCK_SECONDS + 10,
            )
            if schema is not None:
                await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {session.quoted(schema)}")
            await connection.execute(_TABLE)
            missing = _missing(wanted, await _applied(connection))
            for migration in missing:
                await _apply(connection, migration, database.where)
        return [migration.name for migration in missing]


def shipped() -> list[Migration]:
    """The migrations that came with this milepost, in order."""
    folder = resources.files("schemas").joinpath(DIRECTORY)
    found = []
    for file in folder.iterdir():
        if file.name.endswith(".sql"):
            match = _NAME.fullmatch(file.name)
            if match is None:
                raise ValueError(f"{file.name} is not named like 0007_pre_add_column.sql")
            text = file.read_text(encoding="utf-8")
            found.append(Migration(int(match["version"]), file.name.removesuffix(".sql"), text))
    found.sort(key=lambda migration: migration.version)
    versions = [migration.version for migration in found]
    if len(set(versions)) < len(versions):
        raise ValueError(f"two migrations have one number: {versions}")
    return found


async def _applied(connection: Connection) -> dict[int, tuple[str, str]]:
    rows = await connection.fetch("SELECT version, name, sha256 FROM schema_migration")
    return {row["version"]: (row["name"], row["sha256"]) for row in rows}


def _missing(wanted: list[Migration], applied: dict[int, tuple[str, str]]) -> list[Migration]:
    """What is to be applied. Raises InvalidInput when what was applied is not what we have."""
    known = {migration.version: migration for migration in wanted}
    problems = []
    for version, (name, sha256) in sorted(applied.items()):
        if version not in known:
            why = "is in the database but unknown here: use the newer milepost that applied it"
            problems.append(Problem(why, field=f"migration {name}"))
        elif known[version].sha256 != sha256:
            why = "was edited after it was applied: restore it, and add a new file instead"
            problems.append(Problem(why, field=f"migration {name}"))
    if problems:
        raise InvalidInput(problems)
    return [migration for migration in wanted if migration.version not in applied]


async def _apply(connection: Connection, migration: Migration, where: str) -> None:
    await connection.execute("BEGIN")
    try:
        await connection.execute(migration.sql, timeout=3600)
        await connection.execute(
            "INSERT INTO schema_migration (version, name, sha256) VALUES ($1, $2, $3)",
            migration.version,
            migration.name,
            migration.sha256,
        )
    except asyncpg.PostgresError as error:
        await connection.execute("ROLLBACK")
        if outage.translated(error, where) is not None:
            raise
        why = f"was refused: {error}"
        raise InvalidInput([Problem(why, field=f"migration {migration.name}")]) from error
    failpoint(f"migrated: {migration.name}")
    await connection.execute("COMMIT")
