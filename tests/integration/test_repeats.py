"""The same id again: later, in another stream, at the same moment. One of them has an effect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from services.accrual.adapters import ledger_store
from services.accrual.ledger.transfer import Transfer
from services.kernel.errors import Retryable
from services.kernel.identifiers import identity
from services.kernel.transaction import Role
from services.runtime.database import Connection, Database
from tests.simulation import checks
from tests.support.builders import event
from tests.support.worker import Log, Worker


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
async def database(migrated_url: str, log: Log) -> AsyncIterator[Database]:
    async with checks.opened(migrated_url, log) as opened:
        yield opened


async def test_repeats_in_a_batch_in_later_ones_and_in_other_streams_change_nothing(
    database: Database, log: Log
) -> None:
    await checks.a_repeat_changes_nothing(database, log)


async def test_a_conflict_keeps_the_first_and_both_are_recorded(
    database: Database, log: Log
) -> None:
    account = log.account_in(0)
    log.append(event("P1", account_id=account, billing_amount=10_000))
    worker = Worker(database, log)
    await worker.claim()
    await worker.step()
    log.append(event("P1", account_id=account, billing_amount=30_000))
    await worker.step()
    log.append(event("P1", account_id=account, billing_amount=10_000))
    await worker.step()
    assert await checks.outcomes(database) == {0: ["POSTED", "CONFLICT", "DUPLICATE"]}
    assert await checks.granted(database) == {"P1": 10}


async def test_another_role_is_another_record(database: Database, log: Log) -> None:
    account = log.account_in(0)
    log.append(event("P1", account_id=account), role="compare")
    log.append(event("P1", account_id=account))
    worker = Worker(database, log)
    await worker.claim()
    await worker.step()
    assert await checks.outcomes(database) == {0: ["NO_REWARD", "POSTED"]}


async def test_two_workers_that_record_the_same_ids_at_once_agree_who_was_first(
    database: Database, log: Log
) -> None:
    for number in range(40):
        accounts = [log.account_in(part) for part in (0, 1)]
        log.append(*(event(f"P{number}", account_id=account) for account in accounts))
    workers = [Worker(database, log), Worker(database, log)]
    for part, worker in enumerate(workers):
        await worker.claim([part])

    async def drain(worker: Worker) -> None:
        while True:
            try:
                if not await worker.step(3):
                    return
            except Retryable:
                continue

    await asyncio.gather(*map(drain, workers))
    found = await checks.outcomes(database)
    first, second = found[0], found[1]
    assert len(first) == len(second) == 40
    assert all((a == "CONFLICT") != (b == "CONFLICT") for a, b in zip(first, second, strict=True))


async def test_a_race_lost_twice_is_put_off_and_is_no_bug(
    migrated_url: str,
) -> None:
    """Two others record one of its ids each, while it is about to record both."""
    log = Log(3)
    ours = [event(name, account_id=log.account_in(0)) for name in ("P1", "P2")]
    ours.sort(key=lambda found: identity(Role.BOOKS, found.issuer_id, found.event_id))
    theirs = [
        event(found.event_id, account_id=log.account_in(part)) for part, found in enumerate(ours, 1)
    ]
    log.append(*ours, *theirs)
    async with checks.opened(migrated_url, log) as database:
        worker, gates = Worker(database, log), [Gate(), Gate()]
        await worker.claim([0])
        others = []
        for part, gate in enumerate(gates, 1):
            other = Worker(database, log, ledger=gate)
            await other.claim([part])
            others.append(asyncio.create_task(other.step()))
            await gate.reached.wait()
        race = asyncio.create_task(worker.step())
        for gate, other in zip(gates, others, strict=True):
            await _until_one_waits(database)
            gate.opened.set()
            await other
        with pytest.raises(Retryable, match="being recorded by others"):
            await race
        assert await checks.outcomes(database) == {1: ["POSTED"], 2: ["POSTED"]}
        await worker.step()
        assert (await checks.outcomes(database))[0] == ["CONFLICT", "CONFLICT"]


class Gate:
    """A ledger that makes a batch wait before its last write, until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = asyncio.Event(), asyncio.Event()

    async def save_transfers(self, connection: Connection, transfers: Sequence[Transfer]) -> None:
        self.reached.set()
        await self.opened.wait()
        await ledger_store.save_transfers(connection, transfers)


async def _until_one_waits(database: Database) -> None:
    async with asyncio.timeout(10), database.connection() as connection:
        while not await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.02)
