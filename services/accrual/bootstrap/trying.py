"""Wires trials of drafts, and what is asked of the record about a draft."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from services.accrual.adapters import command_store, state_store, trial_store
from services.accrual.batch import Loaded
from services.accrual.bootstrap.parts import content
from services.accrual.contracts.parse import Signed
from services.accrual.members.activations import read_activations
from services.accrual.members.csv import read_members
from services.accrual.members.rows import AccountRows
from services.accrual.trial.drafted import Documents
from services.accrual.trial.run import (
    ACCOUNTS,
    OfFile,
    OfRecord,
    Piece,
    Progress,
    Stored,
    Trial,
    by_account,
    run,
)
from services.accrual.trial.tally import Window
from services.accrual.trial.unseen import Named, unseen
from services.kernel.transaction import CardTransaction
from services.runtime.database import Connection, Database
from services.runtime.person import role_name, role_refusals
from services.runtime.settings import Settings

APPLICATION = "milepost-trial"


async def try_on_record(
    settings: Settings, draft: Signed, window: Window, progress: Progress, *,
    accounts_max: int = ACCOUNTS, cores: int | None = None,
) -> Trial:  # fmt: skip
    """Try a draft on everything recorded of its issuer, at one instant."""
    url, read = settings.require_database(), partial(read_accounts, role=settings.role)
    async with _snapshot(url, settings.role) as connection:
        documents = await _documents(connection, draft, window)
        snapshot = await trial_store.export_snapshot(connection)
        found: list[Piece] = []
        for stream_id in await command_store.card_streams(connection):
            accounts = await command_store.accounts_of(connection, stream_id, draft.contract.issuer)
            found += [
                OfRecord(documents, read, url, snapshot, tuple(part))
                for part in _chunks(accounts, accounts_max)
            ]
        return await run(documents, found, progress, cores=cores)


async def try_on_events(
    settings: Settings,
    draft: Signed,
    window: Window,
    progress: Progress,
    *,
    events: Iterable[CardTransaction],
    against: Sequence[tuple[str, str]] | None,
    members: Path | None,
    activations: Path | None = None,
    accounts_max: int = ACCOUNTS,
    cores: int | None = None,
) -> Trial:
    """Try a draft on events of its issuer, in their order. An id that comes again is left out.

    `against` are the documents that it stands beside, as (name, text); None: the approved ones of
    the database. Without `members`, a member file, everyone takes part. `activations` is an
    activation file.
    """
    if against is None:
        async with _snapshot(settings.require_database(), settings.role) as connection:
            documents = await _documents(connection, draft, window)
    else:
        documents = Documents(tuple(against), (draft.document.file, draft.text), window)
    facts = AccountRows()
    if members is not None:
        facts = read_members(content(members), file=str(members))
    if activations is not None:
        read = read_activations(content(activations), file=str(activations))
        facts.activations.extend(read.activations)
    rows = by_account(facts)
    sent: dict[str, dict[str, CardTransaction]] = {}
    for event in events:
        sent.setdefault(event.account_id, {}).setdefault(event.event_id, event)
    found: list[Piece] = []
    for part in _chunks(sorted(sent), accounts_max):
        own = {account: list(sent[account].values()) for account in part}
        known = _together(rows[name] for name in part if name in rows)
        found.append(OfFile(documents, own, known, everyone=members is None))
    return await run(documents, found, progress, cores=cores)


async def read_accounts(url: str, snapshot: str, accounts: Sequence[str], *, role: str) -> Stored:
    """Everything of some accounts of one stream, at the instant of a snapshot."""
    loaded = {account: Loaded() for account in accounts}
    async with _snapshot(url, role, snapshot) as connection:
        await state_store.load_accounts(connection, loaded)
        await state_store.load_waiting(connection, loaded)
        rows = await command_store.current_rows(connection, accounts)
    streams = {stream for found in loaded.values() for stream, _ in found.purchases}
    return Stored(min(streams, default=0), loaded, rows)


async def merchants_unseen(settings: Settings, issuer: str, named: Sequence[Named]) -> list[Named]:
    """Those of the merchants named that no recorded purchase of the issuer was made at.

    Reads purchases until all are found. Raises Unreachable when the database does not answer.
    """
    async with _snapshot(settings.require_database(), settings.role) as connection:
        return await unseen(named, trial_store.presentments(connection, issuer))


@asynccontextmanager
async def _snapshot(url: str, role: str, snapshot: str | None = None) -> AsyncIterator[Connection]:
    """A connection that reads as of one instant, as that role may, and cannot write."""
    with role_refusals(role):
        async with (
            await Database.connect(
                url,
                role=role_name(role),
                size=1,
                strict=False,
                by_index=True,
                application_name=APPLICATION,
            ) as database,
            database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            if snapshot is not None:
                await trial_store.import_snapshot(connection, snapshot)
            yield connection


async def _documents(connection: Connection, draft: Signed, window: Window) -> Documents:
    """The approved versions of the draft's contract, and the draft."""
    approved = tuple(
        (f"{row['contract']}/{row['version']}", row["document"])
        for row in await command_store.versions(connection)
        if row["contract"] == draft.contract.contract and row["approver"] is not None
    )
    return Documents(approved, (draft.document.file, draft.text), window)


def _chunks(accounts: Sequence[str], most: int) -> Iterable[Sequence[str]]:
    return (accounts[at : at + most] for at in range(0, len(accounts), most))


def _together(parts: Iterable[AccountRows]) -> AccountRows:
    together = AccountRows()
    for part in parts:
        together.members.extend(part.members)
        together.dates.extend(part.dates)
        together.activations.extend(part.activations)
    return together
