"""A trial, divided among processes: each takes accounts and reads them as they were at one instant.

A piece of work is picklable: texts and rows, no compiled terms. What it comes to is a `Tally`.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Protocol

from services.accrual.batch import Loaded
from services.accrual.engine.eligibility import Enrolments
from services.accrual.engine.waiting import Waiting
from services.accrual.members.roster import MemberRow, Roster
from services.accrual.members.rows import AccountRows
from services.accrual.trial.compare import try_events, try_recorded
from services.accrual.trial.drafted import Documents, Drafted, drafted
from services.accrual.trial.tally import Tally
from services.kernel.errors import Retryable
from services.kernel.transaction import CardTransaction

ACCOUNTS = 250
"""Accounts of one piece of work; for fewer no other process is started."""

Progress = Callable[[int, int], None]
"""Told how many accounts are done, and of how many."""


class Everyone:
    """The facts of an account of which no member file tells: it takes part."""

    opened_on: date | None = None
    cycle_day: int | None = None

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    def enrolled(self, program: str, day: date) -> bool:
        """Always."""
        return True

    def product(self, card_token: str, day: date) -> str | None:
        """Only what the event itself says."""
        return None

    def activations(self, code: str) -> tuple[tuple[date, date | None], ...]:
        """As an activation file says it."""
        return self._roster.activations(code)


@dataclass(frozen=True, slots=True)
class Stored:
    """Accounts of a stream, as what is stored of them."""

    stream_id: int
    loaded: dict[str, Loaded]
    rows: AccountRows


class Reader(Protocol):
    """Reads accounts as they were at the instant of a trial."""

    async def __call__(self, url: str, snapshot: str, accounts: Sequence[str]) -> Stored:
        """Everything of these accounts of one stream."""


@dataclass(frozen=True, slots=True)
class OfRecord:
    """A piece of the record. `read` is a function of a module, so that it can be sent along."""

    documents: Documents
    read: Reader
    url: str = field(repr=False)
    snapshot: str
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OfFile:
    """A piece of a file of events, by account, each in the order of the file. `everyone` takes
    part where no member file says who does."""

    documents: Documents
    events: dict[str, list[CardTransaction]]
    rows: AccountRows
    everyone: bool

    @property
    def accounts(self) -> Iterable[str]:
        """The accounts of the piece."""
        return self.events


Piece = OfRecord | OfFile


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial came to, on so many cores."""

    documents: Documents
    tally: Tally
    cores: int


async def run(
    documents: Documents, pieces: Sequence[Piece], progress: Progress, *, cores: int | None = None
) -> Trial:
    """Try every piece: on all cores, or on so many, but not on more than there is work for."""
    total = sum(len(list(piece.accounts)) for piece in pieces)
    if cores is None:
        cores = min(os.cpu_count() or 1, total // ACCOUNTS)
    cores = max(1, min(cores, len(pieces)))
    tally = Tally()
    parts = _here(pieces) if cores == 1 else _shared(pieces, cores)
    async for part in parts:
        tally.add(part)
        progress(tally.accounts, total)
    return Trial(documents, tally, cores)


async def _here(pieces: Sequence[Piece]) -> AsyncIterator[Tally]:
    for piece in pieces:
        yield await attempt(piece)


async def _shared(pieces: Sequence[Piece], cores: int) -> AsyncIterator[Tally]:
    # A fresh interpreter: a fork would take the event loop and its connections along.
    context = multiprocessing.get_context("spawn")
    loop = asyncio.get_running_loop()
    # Ctrl-C reaches every process of the terminal: this one tells the others when to end.
    with ProcessPoolExecutor(
        cores, mp_context=context, initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    ) as pool:  # fmt: skip
        try:
            futures = [loop.run_in_executor(pool, _in_process, piece) for piece in pieces]
            for future in asyncio.as_completed(futures):
                yield await future
        except BrokenProcessPool as error:
            raise Retryable("A process of the trial was ended, perhaps for its memory.") from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _in_process(piece: Piece) -> Tally:
    return asyncio.run(attempt(piece))


async def attempt(piece: Piece) -> Tally:
    """Try one piece here."""
    both = _compiled(piece.documents)
    if isinstance(piece, OfFile):
        return _file(piece, both)
    stored = await piece.read(piece.url, piece.snapshot, piece.accounts)
    members, rosters = _members(stored.rows), _rosters(stored.rows, piece.accounts)
    tally = Tally()
    for account, loaded in stored.loaded.items():
        tally.add(
            try_recorded(
                account, loaded, stream_id=stored.stream_id, drafted=both,
                enrolments=rosters[account], member_id=members.get(account, account),
            )
        )  # fmt: skip
    return tally


def _file(piece: OfFile, both: Drafted) -> Tally:
    members = _members(piece.rows)
    rosters: dict[str, Enrolments] = {
        account: Everyone(roster) if piece.everyone else roster
        for account, roster in _rosters(piece.rows, piece.events).items()
    }
    tally = Tally()
    for account, events in piece.events.items():
        waiting = [Waiting(seq, event) for seq, event in enumerate(events, 1)]
        tally.add(
            try_events(
                account, waiting, drafted=both, enrolments=rosters[account],
                member_id=members.get(account, account),
            )
        )  # fmt: skip
    return tally


@lru_cache(maxsize=4)
def _compiled(documents: Documents) -> Drafted:
    return drafted(documents)


def _members(rows: AccountRows) -> dict[str, str]:
    """The member of each account, by its latest row."""
    latest: dict[str, MemberRow] = {}
    for row in rows.members:
        held = latest.get(row.account_id)
        if held is None or _age(held) < _age(row):
            latest[row.account_id] = row
    return {account: row.member_id for account, row in latest.items()}


def _age(row: MemberRow) -> tuple[int, date, str]:
    return row.revision, row.enrolled_from, row.member_id


def _rosters(rows: AccountRows, accounts: Iterable[str]) -> dict[str, Roster]:
    own = by_account(rows)
    found = {account: own.get(account, AccountRows()) for account in accounts}
    return {
        account: Roster.of(one.members, dates=one.dates, activations=one.activations)
        for account, one in found.items()
    }


def by_account(rows: AccountRows) -> dict[str, AccountRows]:
    """The rows of each account that has any."""
    found: dict[str, AccountRows] = {}
    for member in rows.members:
        found.setdefault(member.account_id, AccountRows()).members.append(member)
    for dates in rows.dates:
        found.setdefault(dates.account_id, AccountRows()).dates.append(dates)
    for activation in rows.activations:
        found.setdefault(activation.account_id, AccountRows()).activations.append(activation)
    return found
