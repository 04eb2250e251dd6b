"""PostgreSQL through a pool, with a transaction that knows whether it committed.

A COMMIT of an aborted transaction is answered ROLLBACK and the driver raises nothing, so the
command tag is demanded. When no answer comes, the outcome is unknown: the connection is thrown
away, CommitUnknown says so, and the caller reads what is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Self, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from services.kernel.errors import InvariantViolated, Retryable, Unreachable
from services.runtime import outage, session
from services.runtime.failpoint import failpoint

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

APPLICATION_ROLE = "milepost_app"
STATEMENT_SECONDS = 30
LOCK_SECONDS = 10
ACQUIRE_SECONDS = 10
ROLLBACK_SECONDS = 5


class CommitUnknown(Retryable):
    """The answer to COMMIT did not come: it may or may not have happened. Read before retrying."""

    def __init__(self, where: str) -> None:
        super().__init__(f"PostgreSQL at {where} did not answer COMMIT; its outcome is unknown")


class CommitRefused(InvariantViolated):
    """COMMIT was answered with something else: an error inside the block was swallowed."""

    def __init__(self, tag: str) -> None:
        super().__init__(f"COMMIT was answered {tag!r}: nothing was written, an error was hidden")


class Database:
    """A pool of connections to one PostgreSQL. Close it, or use it with `async with`."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], where: str) -> None:
        self._pool = pool
        self.where = where
        """host:port/database, for people; never the password."""

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        role: str | None = APPLICATION_ROLE,
        size: int = 4,
        schema: str | None = None,
        strict: bool = True,
        by_index: bool = False,
        application_name: str = "milepost",
    ) -> Self:
        """Opens a pool of at most `size` connections and proves that the first one works.

        `role` is taken with SET ROLE on each connection; `schema` replaces the search path.
        With `strict`, whole-number parameters refuse float, Decimal and bool, which the driver
        would truncate; a hot path passes False and checks its types before. It also wants its
        rows looked up `by_index`, however small the tables are or look.
        Raises Unreachable when the server does not answer or lets us not in, InvalidInput when
        the URL cannot be used.
        """
        where = outage.address(url)
        try:
            pool = await asyncpg.create_pool(
                outage.with_verified_tls(url),
                min_size=1,
                max_size=size,
                timeout=ACQUIRE_SECONDS,
                # The server's own limits come first; this is for one that is silent.
                command_timeout=STATEMENT_SECONDS + 10,
                max_inactive_connection_lifetime=0,
                server_settings=session.settings(application_name, schema, by_index=by_index),
                init=session.initialiser(role, strict=strict),
                reset=session.keep,
            )
        except Exception as error:
            outage.reraise(error, where)
        return cls(pool, where)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self, *, seconds: float = 5) -> None:
        """Closes every connection; those still in use after `seconds` are cut."""
        try:
            await asyncio.wait_for(self._pool.close(), seconds)
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for reading, each statement by itself.

        Raises Retryable (Unreachable when the server is gone) for what may be tried again.
        """
        connection = await self._acquire()
        try:
            yield connection
        except BaseException as error:
            self._discard_if_broken(connection, error)
            outage.reraise(error, self.where)
        finally:
            await self._release(connection)

    @asynccontextmanager
    async def transaction(
        self, *, statement_seconds: int = STATEMENT_SECONDS, lock_seconds: int = LOCK_SECONDS
    ) -> AsyncIterator[Connection]:
        """One read-committed database transaction; leaving the block normally has committed it.

        An exception in the block rolls back and goes on, as Retryable when the database says
        that the same work may be tried again. Never catch a database error inside the block
        except around a `savepoint`.
        Raises CommitUnknown when the outcome is not known, CommitRefused when the block hid an
        error.
        """
        connection = await self._acquire()
        try:
            try:
                await connection.execute(_begin(statement_seconds, lock_seconds))
                failpoint("transaction: begun")
                yield connection
                failpoint("transaction: about to commit")
            except BaseException as error:
                await self._roll_back(connection, error)
                outage.reraise(error, self.where)
            await self._commit(connection)
            failpoint("transaction: committed")
        finally:
            await self._release(connection)

    async def _acquire(self) -> PoolConnectionProxy[asyncpg.Record]:
        try:
            return await self._pool.acquire(timeout=ACQUIRE_SECONDS)
        except TimeoutError as error:
            hint = f"It gave no connection in {ACQUIRE_SECONDS} s; is it overloaded or cut off?"
            raise Unreachable("PostgreSQL", self.where, hint) from error
        except Exception as error:
            outage.reraise(error, self.where)

    async def _release(self, connection: PoolConnectionProxy[asyncpg.Record]) -> None:
        try:
            await self._pool.release(connection, timeout=ROLLBACK_SECONDS)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            # The pool has cut it already; the outcome of the work does not hang on this.
            _cut(connection)

    def _discard_if_broken(
        self, connection: PoolConnectionProxy[asyncpg.Record], error: BaseException
    ) -> bool:
        """Cuts a connection whose state is not known after `error`; says whether it is gone.

        A cancelled or timed-out statement still runs: asking the server to stop it opens a
        second connection, which may hang as the first does. Cutting it does not.
        """
        if _gone(connection):
            return True
        if isinstance(error, (OSError, TimeoutError)) or not isinstance(error, Exception):
            _cut(connection)
            return True
        return False

    async def _roll_back(
        self, connection: PoolConnectionProxy[asyncpg.Record], error: BaseException
    ) -> None:
        if self._discard_if_broken(connection, error):
            return
        try:
            await connection.execute("ROLLBACK", timeout=ROLLBACK_SECONDS)
        except Exception:
            # A server that loses the connection rolls back by itself.
            _cut(connection)

    async def _commit(self, connection: PoolConnectionProxy[asyncpg.Record]) -> None:
        try:
            tag = await connection.execute("COMMIT")
        except BaseException as error:
            if outage.certainly_rolled_back(error):
                outage.reraise(error, self.where)
            _cut(connection)
            if isinstance(error, Exception):
                raise CommitUnknown(self.where) from error
            raise
        if tag != "COMMIT":
            raise CommitRefused(tag)


def _gone(connection: Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True  # The pool has taken a lost connection away from us.


def _cut(connection: Connection) -> None:
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


def _begin(statement_seconds: int, lock_seconds: int) -> str:
    return (
        "BEGIN ISOLATION LEVEL READ COMMITTED;"
        f"SET LOCAL statement_timeout = '{statement_seconds}s';"
        f"SET LOCAL lock_timeout = '{lock_seconds}s'"
    )


@asynccontextmanager
async def savepoint(connection: Connection, name: str) -> AsyncIterator[None]:
    """Inside a transaction: an exception undoes this block only, and goes on.

    `name` is an SQL identifier.
    """
    await connection.execute(f"SAVEPOINT {name}")
    try:
        yield
    except Exception:
        if not _gone(connection):
            await connection.execute(f"ROLLBACK TO SAVEPOINT {name}")
        raise
    await connection.execute(f"RELEASE SAVEPOINT {name}")


async def copy_rows(
    connection: Connection,
    *,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
) -> int:
    """Writes rows with binary COPY and gives their number.

    On a connection that is not strict the caller has checked that whole numbers are `int`.
    """
    tag = await connection.copy_records_to_table(table, columns=columns, records=rows)
    failpoint(f"copied: {table}")
    return int(tag.removeprefix("COPY "))
