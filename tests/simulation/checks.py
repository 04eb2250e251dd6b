"""What each layer promises by itself, as checks that raise AssertionError: on the real code they
pass, on a mutant of their layer they must not.

Every other layer is kept out of the way, for it would mask the one that is missing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

from services.kernel.transaction import CardTransaction
from services.runtime.database import Database
from services.runtime.stream_position import Fenced
from tests.support import builders, ledger
from tests.support.builders import event
from tests.support.engine import EngineBook
from tests.support.worker import Log, Worker, rows

DINING, GROCERY = "5812", "5411"


def contract(**changes: Any) -> str:
    """One mile for each 10.00, three in restaurants, at most 50 a month."""

    def rule(name: str, units: str, **more: Any) -> dict[str, Any]:
        return {
            "id": name, "award": "base", "exclusive_group": "spend",
            "earn": {"per_block": {"block": "10.00", "units": units}},
            "rounding": {"mode": "down", "scale": 0, "level": "per_transaction"}, **more,
        }  # fmt: skip

    cap = {"limit": "50", "of": "reward", "per": "month", "scope": "account", "beyond": "0"}
    dining = {"when": {"mcc": [DINING]}, "priority": 10, "cap": {"shared_with": "base"}}
    rules = [rule("base", "1", priority=0, cap=cap), rule("dining", "3", **dining)]
    return builders.as_text(builders.contract(rules=rules, **changes))


@asynccontextmanager
async def opened(url: str, log: Log) -> AsyncIterator[Database]:
    """A migrated database with a contract, and the accounts that these checks use."""
    async with (
        ledger.opened(url, partitions=len(log.partitions)) as book,
        await Database.connect(url, strict=False) as database,
    ):
        await book.approve(contract())
        await book.enrol(builders.row(log.account_in(part)) for part in log.partitions)
        yield database


async def a_zombie_changes_nothing(database: Database, log: Log) -> None:
    """The old owner holds records that nobody has processed: no other layer would stop it."""
    account = log.account_in(0)
    log.append(event("P1", account_id=account), event("P2", account_id=account))
    old, new = Worker(database, log, name="old"), Worker(database, log, name="new")
    await old.claim([0])
    await new.claim([0])
    await _is_fenced(database, old)
    await new.step(1)
    await _is_fenced(database, old)
    assert old.claims[0].epoch < new.claims[0].epoch
    await new.step()
    await _is_fenced(database, old)
    assert await outcomes(database) == {0: ["POSTED", "POSTED"]}
    assert await granted(database) == {"P1": 10, "P2": 10}


async def a_batch_comes_once(database: Database, log: Log) -> None:
    """The same owner hands the same slice over again, as if it had not heard of the commit."""
    log.append(event("P1", account_id=log.account_in(0)))
    worker = Worker(database, log)
    await worker.claim([0])
    before = dict(worker.claims)
    await worker.step()
    worker.claims = before
    log.append(event("P2", account_id=log.account_in(0)))
    await _is_fenced(database, worker)


async def _is_fenced(database: Database, worker: Worker) -> None:
    before = await rows(database)
    try:
        await worker.step()
    except Fenced:
        assert await rows(database) == before
        return
    raise AssertionError("the fence let an old claim through")


async def a_repeat_changes_nothing(database: Database, log: Log) -> None:
    """In one batch, in a later one, and in the stream of another account."""
    here, there = log.account_in(0), log.account_in(1)
    first = event("P1", account_id=here)
    log.append(first, first)
    worker = Worker(database, log)
    await worker.claim()
    await worker.step()
    log.append(first)
    await worker.step()
    log.append(event("P1", account_id=there))
    await worker.step()
    assert await outcomes(database) == {
        0: ["POSTED", "DUPLICATE", "DUPLICATE"], 1: ["CONFLICT"]
    }  # fmt: skip
    assert await granted(database) == {"P1": 10}


async def a_batch_that_broke_is_done_again(database: Database, log: Log) -> None:
    """It breaks at its last write; a new process goes on where the database stands."""
    account = log.account_in(0)
    log.append(event("P1", account_id=account), event("P2", account_id=account))
    broken = Worker(database, log, ledger=Breaking())
    await broken.claim()
    try:
        await broken.step(1)
    except Broken:
        pass
    else:
        raise AssertionError("nothing was written")
    fresh = Worker(database, log)
    await fresh.claim()
    await fresh.step()
    assert await outcomes(database) == {0: ["POSTED", "POSTED"]}, "a record is lost"
    assert await granted(database) == {"P1": 10, "P2": 10}


class Broken(Exception):
    """Planted."""


class Breaking:
    """A ledger that writes nothing."""

    async def save_transfers(self, *_: Any) -> None:
        raise Broken


def a_refund_that_came_first_counts() -> None:
    """A purchase and a refund of all of it come to nothing, in either order."""
    purchase = event("P1", lifecycle_id="L1")
    refund = event("R1", "REFUND", lifecycle_id="L1", original_event_id="P1")
    _same_in_any_order([purchase, refund], {})


def facts_are_those_of_the_first_leg() -> None:
    """Two legs of one purchase: the earlier one says what was bought, whichever came first."""
    legs = [
        event("P1", lifecycle_id="L1", mcc=DINING, at=datetime(2026, 3, 2, 12, tzinfo=UTC)),
        event("P2", lifecycle_id="L1", mcc=GROCERY, at=datetime(2026, 3, 3, 12, tzinfo=UTC)),
    ]
    _same_in_any_order(legs, {("P1", "dining"): 50})


def _same_in_any_order(events: list[CardTransaction], expected: dict[Any, int]) -> None:
    for order in permutations(events):
        book = EngineBook()
        book.approve(contract())
        book.import_members([builders.row()])
        for one in order:
            book.record(one)
        found = {(key[2], key[5]): amount for key, amount in book.grants().items()}
        assert found == expected, [one.event_id for one in order]


async def granted(database: Database) -> dict[str, int]:
    """What each purchase has, by its label."""
    async with database.connection() as connection:
        found = await connection.fetch(
            "SELECT purchase, sum(amount)::bigint AS amount FROM payable_transfer GROUP BY purchase"
        )
    return {row["purchase"]: row["amount"] for row in found}


async def outcomes(database: Database) -> dict[int, list[str]]:
    """The outcomes of each partition's records, in order."""
    async with database.connection() as connection:
        found = await connection.fetch(
            "SELECT split_part(name, '/', 2)::int AS part, outcome"
            "  FROM card_event JOIN stream USING (stream_id) WHERE role <> 'command'"
            " ORDER BY stream_id, seq"
        )
    by_partition: dict[int, list[str]] = {}
    for row in found:
        by_partition.setdefault(row["part"], []).append(row["outcome"])
    return by_partition
