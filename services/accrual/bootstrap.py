"""Wires accrual: settings → stores → handler. The only importer of the adapters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

from services.accrual.adapters import (
    command_store,
    dead_letter_store,
    event_store,
    export_store,
    invariant_store,
    ledger_store,
    lookup_store,
    publisher_store,
    rebuild_store,
    state_store,
)
from services.accrual.adapters.fact_store import FactStore
from services.accrual.adapters.table_file import write_rows
from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.parse import Signed, parse
from services.accrual.contracts.settlement import settlement_terms
from services.accrual.contracts.versions import check_versions
from services.accrual.deciding import Decider
from services.accrual.export import DATES, INTEGERS, Rows
from services.accrual.facts import Facts, Imported
from services.accrual.handler import AccrualHandler
from services.accrual.lookup.books import Books
from services.accrual.members.csv import read_members
from services.accrual.ports import Version
from services.accrual.publisher import Publisher
from services.accrual.rebuild import Rebuild, Rebuilt
from services.accrual.reconsider import Difference, Reconsideration
from services.accrual.watch import Watch
from services.kernel.errors import InvalidInput, Problem
from services.kernel.topics import CARD_TRANSACTIONS, DEAD_LETTERS
from services.runtime.consumer import StreamConsumer
from services.runtime.database import Connection, Database
from services.runtime.migrations import migrate
from services.runtime.sealing import Opener, Sealer
from services.runtime.service import Service
from services.runtime.session import assert_durable
from services.runtime.settings import Settings

GROUP = "milepost-accrual"


def decider() -> Decider:
    """A decider with its own cache of facts."""
    return Decider(events=event_store, state=state_store, facts=FactStore())


async def run_accrual(service: Service, *, assign: list[tuple[str, int]] | None = None) -> None:
    """Consume `card-transactions` and `dead-letters` until the service is told to stop."""
    settings = service.settings
    sealer = Sealer.from_file(settings.require_quarantine_key())
    database = await service.reach(
        lambda: Database.connect(
            settings.require_database(), strict=False, by_index=True,
            application_name="milepost-accrual",
        )
    )  # fmt: skip
    async with database:
        async with database.connection() as connection:
            await assert_durable(connection)
        handler = AccrualHandler(
            database=database, decider=decider(), ledger=ledger_store, seal=sealer.seal,
            observer=Watch(service),
        )  # fmt: skip
        consumer = StreamConsumer(
            settings, database, handler, topics=[CARD_TRANSACTIONS, DEAD_LETTERS], group=GROUP,
            owner=service.owner, metrics=service.metrics, health=service.health, assign=assign,
        )  # fmt: skip
        service.started()
        await consumer.run(service.stop)


async def run_publisher(service: Service) -> None:
    """Publish the journal to `accruals` until the service is told to stop."""
    database = await service.reach(
        lambda: Database.connect(
            service.settings.require_database(), strict=False, by_index=True,
            application_name="milepost-publisher",
        )
    )  # fmt: skip
    async with database:
        service.started()
        await Publisher(service, database, publisher_store).run(service.stop)


@asynccontextmanager
async def facts(settings: Settings) -> AsyncIterator[Facts]:
    """The commands over facts, with a database of their own."""
    async with await Database.connect(settings.require_database()) as database:
        reconsideration = Reconsideration(decider(), ledger_store, command_store)
        yield Facts(database, reconsideration)


async def import_members(settings: Settings, path: Path, on: date) -> Imported:
    """Import a member file. Raises InvalidInput with every bad line; then nothing is imported."""
    rows = read_members(_bytes(path), file=str(path))
    async with facts(settings) as commands:
        return await commands.import_members(rows, on=on)


async def apply_contract(settings: Settings, path: Path, *, author: str, on: date) -> str:
    """Record a contract file as signed by its author; gives its id and whether it is new."""
    signed = parse(_bytes(path), file=str(path))
    compile_terms(signed.contract)
    contract = signed.contract
    version = Version(
        contract.contract, contract.version, contract.issuer, contract.program, contract.partner,
        signed.text, signed.sha256, settlement_terms(contract), author, on,
    )  # fmt: skip
    await _check_with_approved(settings, signed)
    async with facts(settings) as commands:
        await commands.apply_contract(version)
    return signed.id


async def approve_contract(
    settings: Settings, identifier: str, *, approver: str, on: date, retroactive: bool
) -> Difference:
    """Approve `contract/version` as a second person."""
    contract, _, version = identifier.rpartition("/")
    if not contract or not version.isdigit():
        why = "is not contract/version, such as sky-visa/3"
        raise InvalidInput([Problem(why, field="ID", value=identifier)])
    for row in await list_contracts(settings):
        if (row["contract"], row["version"]) == (contract, int(version)):
            await _check_with_approved(settings, parse(row["document"], file=identifier))
    async with facts(settings) as commands:
        return await commands.approve_contract(
            contract, int(version), approver=approver, on=on, retroactive=retroactive
        )


async def _check_with_approved(settings: Settings, signed: Signed) -> None:
    """Raises InvalidInput when a version does not go with the approved ones of its contract."""
    contract = signed.contract
    others = [
        parse(row["document"], file=f"{row['contract']}/{row['version']}")
        for row in await list_contracts(settings)
        if row["contract"] == contract.contract
        and row["version"] != contract.version
        and row["approver"] is not None
    ]
    if problems := check_versions([*others, signed]):
        raise InvalidInput(problems)


async def list_contracts(settings: Settings) -> list[dict[str, Any]]:
    """Every contract version with author and approval."""
    async with _reading(settings) as connection:
        return await command_store.versions(connection)


async def show_member(settings: Settings, identifier: str) -> list[dict[str, Any]]:
    """Every row of a member or an account."""
    async with _reading(settings) as connection:
        return await command_store.members(connection, identifier)


async def reconsider_account(settings: Settings, account: str, *, on: date) -> Difference:
    """Decide one account anew."""
    async with facts(settings) as commands:
        return await commands.reconsider_account(account, on=on)


async def reconsider_contract(settings: Settings, contract: str, *, on: date) -> Difference:
    """Decide every account of a contract's issuer anew."""
    async with facts(settings) as commands:
        return await commands.reconsider_contract(contract, on=on)


async def list_dead_letters(
    settings: Settings, *, feed: str | None, reason: str | None, limit: int | None
) -> list[dict[str, Any]]:
    """The newest rejected records, at most `limit`; what they hold stays sealed."""
    async with _reading(settings) as connection:
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
    async with _reading(settings) as connection:
        for place in places:
            found = await dead_letter_store.sealed(connection, *place)
            if found is None:
                source = "/".join(map(str, place))
                why = "is not the source of a dead letter: `milepost dead-letters list` shows them"
                raise InvalidInput([Problem(why, field="SOURCE", value=source)])
            raw = opener.open(found.pop("sealed"))
            opened.append({**found, "raw": raw})
    return opened


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


@asynccontextmanager
async def _reading(settings: Settings) -> AsyncIterator[Connection]:
    """A connection for looking things up."""
    async with (
        await Database.connect(settings.require_database(), size=1) as database,
        database.connection() as connection,
    ):
        yield connection


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput([Problem(error.strerror or "cannot be read", file=str(path))]) from error


@asynccontextmanager
async def books(settings: Settings) -> AsyncIterator[Books]:
    """The record and the ledger as they are at one instant, to be looked up."""
    async with (
        await Database.connect(
            settings.require_database(), size=1, strict=False, application_name="milepost-lookup"
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
