"""What every connection to PostgreSQL is before its first query, and what the server must be."""

from __future__ import annotations

import struct
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import asyncpg

from services.kernel.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from services.runtime.database import Connection

_WIDTHS = {"int2": ">h", "int4": ">i", "int8": ">q"}
_DURABLE = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply"),
}


_BY_INDEX = {
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "max_parallel_workers_per_gather": "0",
}


def settings(
    application_name: str, schema: str | None, *, by_index: bool = False
) -> dict[str, str]:
    """Session defaults, sent with the connection itself so that no RESET loses them.

    With `by_index` every plan looks rows up one by one. A hot path touches few rows of tables
    that grow all the time: a plan that reads a whole table is chosen while it is small, or while
    nobody has counted its rows, and kept when it is not.
    """
    given = {
        "application_name": application_name,
        "timezone": "UTC",
        "idle_in_transaction_session_timeout": "60s",
    }
    if by_index:
        given |= _BY_INDEX
    if schema is not None:
        given["search_path"] = quoted(schema)
    return given


def initialiser(
    role: str | None, *, strict: bool
) -> Callable[[asyncpg.Connection[asyncpg.Record]], Coroutine[Any, Any, None]]:
    """What the pool does once with each new connection."""

    async def initialise(connection: asyncpg.Connection[asyncpg.Record]) -> None:
        if role is not None:
            await _take(connection, role)
        if strict:
            await _refuse_truncation(connection)

    return initialise


async def _take(connection: asyncpg.Connection[asyncpg.Record], role: str) -> None:
    try:
        await connection.execute(f"SET ROLE {quoted(role)}")
    except asyncpg.InsufficientPrivilegeError as error:
        why = f"{error}: the login of MILEPOST_DATABASE_URL is no member of it"
        taken = role.removeprefix("milepost_")
        raise InvalidInput([Problem(why, field="MILEPOST_ROLE", value=taken)]) from error


async def keep(_: asyncpg.Connection[asyncpg.Record]) -> None:
    """What the pool does when a connection comes back: nothing.

    `Database` gives back only connections outside a transaction, and nobody sets session state.
    """


def quoted(identifier: str) -> str:
    """An SQL identifier, safe to put into a statement."""
    return '"' + identifier.replace('"', '""') + '"'


async def assert_durable(connection: Connection) -> None:
    """Refuses a server that could lose what it has acknowledged.

    Raises InvalidInput naming every setting that is wrong.
    """
    rows = await connection.fetch(
        "SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name",
        list(_DURABLE),
    )
    problems = [
        Problem(
            f"must be {' or '.join(_DURABLE[row['name']])}, or a crash loses acknowledged rows",
            field=f"PostgreSQL setting {row['name']}",
            value=row["value"],
        )
        for row in rows
        if row["value"] not in _DURABLE[row["name"]]
    ]
    if problems:
        raise InvalidInput(problems)


async def _refuse_truncation(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """The driver stores 1.7, Decimal('1.7') and True as 1 in whole-number columns.

    It has no way to COPY into a numeric column through such a codec; none of ours is numeric.
    """
    for typename, layout in _WIDTHS.items():
        await connection.set_type_codec(
            typename,
            schema="pg_catalog",
            format="binary",
            encoder=_whole_number_encoder(struct.Struct(layout), typename),
            decoder=_whole_number_decoder(struct.Struct(layout)),
        )
    await connection.set_type_codec(
        "numeric", schema="pg_catalog", format="text", encoder=_exact, decoder=Decimal
    )


def _whole_number_encoder(layout: struct.Struct, typename: str) -> Callable[[object], bytes]:
    def encode(value: object) -> bytes:
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{typename} takes an int, not {type(value).__name__}")
        try:
            return layout.pack(value)
        except struct.error:
            raise ValueError(f"a value does not fit {typename}") from None

    return encode


def _whole_number_decoder(layout: struct.Struct) -> Callable[[bytes], int]:
    def decode(raw: bytes) -> int:
        value: int = layout.unpack(raw)[0]
        return value

    return decode


def _exact(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise TypeError(f"numeric takes an int or a Decimal, not {type(value).__name__}")
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError("numeric takes finite numbers only")
    return str(value)
