"""Wires the proof by folding: the record, decided again in a schema of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.accrual.adapters import ledger_store, rebuild_store
from services.accrual.bootstrap.parts import decider
from services.accrual.rebuild import Rebuild, Rebuilt
from services.kernel.errors import InvalidInput
from services.runtime.database import Connection, Database
from services.runtime.migrations import migrate
from services.runtime.person import owner_refusals
from services.runtime.settings import Settings


async def rebuild(
    settings: Settings,
    say: Callable[[str], None],
    settle: Callable[[Connection, Connection], Awaitable[list[str]]] | None = None,
) -> Rebuilt:
    """Fold the recorded events into an empty schema and compare it with the ledger.

    `settle(ledger, rebuilt)` folds and compares the partners' streams on top. The schema is
    removed again. Raises InvalidInput when another rebuild runs.
    """
    url = settings.require_database()
    with owner_refusals():
        return await _rebuild(url, say, settle)


async def _rebuild(
    url: str,
    say: Callable[[str], None],
    settle: Callable[[Connection, Connection], Awaitable[list[str]]] | None,
) -> Rebuilt:
    async with (
        await Database.connect(url, role=None, size=1) as owner,
        owner.connection() as connection,
    ):
        if not await rebuild_store.take(connection):
            raise InvalidInput("another rebuild of this database runs; wait for its end")
        try:
            await rebuild_store.drop(connection)
            await migrate(url, schema=rebuild_store.SCHEMA)
            await rebuild_store.copy_facts(connection)
            return await _fold(url, connection, say, settle)
        finally:
            await rebuild_store.drop(connection)


async def _fold(
    url: str,
    owner: Connection,
    say: Callable[[str], None],
    settle: Callable[[Connection, Connection], Awaitable[list[str]]] | None,
) -> Rebuilt:
    folded = 0

    def progress(count: int) -> None:
        nonlocal folded
        if folded // 100_000 != (folded + count) // 100_000:
            say(f"{folded + count:,} events folded")
        folded += count

    schema = rebuild_store.SCHEMA
    async with (
        await Database.connect(url, size=1, strict=False) as main,
        await Database.connect(url, role=None, size=1, schema=schema, strict=False) as shadow,
    ):
        rebuild = Rebuild(decider(), ledger_store, rebuild_store)
        rebuilt = await rebuild.run(main, shadow, progress)
        rebuilt.differences.extend(await rebuild.compare(owner))
        if settle is not None:
            async with main.connection() as reading, shadow.transaction() as writing:
                rebuilt.differences.extend(await settle(reading, writing))
    return rebuilt
