"""Mutants that must fail: each takes one layer away, and the direct test of that layer says so.

A run under faults alone would let some of them live, for the other layers cover up for them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest

from services.accrual import handler
from services.accrual.adapters import event_store
from services.accrual.engine import decide
from services.accrual.engine.reasons import Outcome
from services.accrual.intake import Recorded
from services.accrual.lifecycle import net
from services.accrual.lifecycle.purchase import Leg
from services.kernel.transaction import Kind
from services.runtime.database import Connection, Database
from services.runtime.stream_position import Claim
from tests.simulation import checks
from tests.support.worker import Log


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
async def database(migrated_url: str, log: Log) -> AsyncIterator[Database]:
    async with checks.opened(migrated_url, log) as opened:
        yield opened


@pytest.mark.parametrize(
    "check",
    [
        checks.a_zombie_changes_nothing,
        checks.a_batch_comes_once,
        checks.a_repeat_changes_nothing,
        checks.a_batch_that_broke_is_done_again,
    ],
)
async def test_every_layer_keeps_its_promise(check: Any, database: Database, log: Log) -> None:
    await check(database, log)


@pytest.mark.parametrize(
    "check", [checks.a_refund_that_came_first_counts, checks.facts_are_those_of_the_first_leg]
)
def test_the_engine_keeps_its_promise(check: Any) -> None:
    check()


async def test_the_mutant_without_a_fence_fails(
    database: Database, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def advance(connection: Connection, held: Claim, *, next_offset: int, count: int) -> int:
        first: int = await connection.fetchval(
            "UPDATE stream_position SET next_seq = next_seq + $3,"
            "   next_offset = greatest(next_offset, $2)"
            " WHERE stream_id = $1 RETURNING next_seq - $3",
            held.stream_id, next_offset, count,
        )  # fmt: skip
        return first

    monkeypatch.setattr(handler, "advance", advance)
    with pytest.raises(AssertionError, match="the fence let an old claim through"):
        await checks.a_zombie_changes_nothing(database, log)


async def test_the_mutant_that_looks_at_the_epoch_only_fails(
    database: Database, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def advance(connection: Connection, held: Claim, *, next_offset: int, count: int) -> int:
        first: int | None = await connection.fetchval(
            "UPDATE stream_position SET next_seq = next_seq + $4, next_offset = $3"
            " WHERE stream_id = $1 AND epoch = $2 RETURNING next_seq - $4",
            held.stream_id, held.epoch, next_offset, count,
        )  # fmt: skip
        assert first is not None
        return first

    monkeypatch.setattr(handler, "advance", advance)
    with pytest.raises(AssertionError, match="the fence let an old claim through"):
        await checks.a_batch_comes_once(database, log)


async def test_the_mutant_without_dedupe_fails(
    database: Database, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing_is_known(*_: object) -> dict[bytes, Any]:
        return {}

    def all_are_new(recorded: Sequence[Recorded], _: object) -> tuple[list[Recorded], Any]:
        return list(recorded), {}

    monkeypatch.setattr(event_store, "by_identity", nothing_is_known)
    monkeypatch.setattr(event_store, "save_identities", nothing_is_known)
    monkeypatch.setattr(handler, "repeats", all_are_new)
    with pytest.raises(AssertionError, match=Outcome.DUPLICATE):
        await checks.a_repeat_changes_nothing(database, log)


async def test_the_mutant_that_moves_the_offset_before_the_effects_fails(
    database: Database, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_places = handler._take_places

    async def first_of_all(_: Connection, intakes: Sequence[handler.Intake]) -> list[Recorded]:
        async with database.transaction() as connection:
            return await take_places(connection, intakes)

    monkeypatch.setattr(handler, "_take_places", first_of_all)
    with pytest.raises(AssertionError, match="a record is lost"):
        await checks.a_batch_that_broke_is_done_again(database, log)


def test_the_mutant_that_clamps_a_running_net_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def clamped(legs: list[Leg]) -> net.Net:
        running = 0
        for leg in sorted(legs, key=lambda found: found.seq):
            sign = 1 if leg.kind == Kind.PRESENTMENT else -1
            running = max(0, running + sign * leg.amount)
        return msgspec.structs.replace(net.weigh(legs), net=running)

    monkeypatch.setattr(decide, "weigh", clamped)
    with pytest.raises(AssertionError, match="R1"):
        checks.a_refund_that_came_first_counts()


def test_the_mutant_that_takes_facts_by_arrival_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def first_to_come(legs: list[Leg], _: object) -> Leg | None:
        presented = [leg for leg in legs if leg.kind == Kind.PRESENTMENT]
        return min(presented, key=lambda leg: leg.seq, default=None)

    monkeypatch.setattr(net, "_first_standing", first_to_come)
    with pytest.raises(AssertionError, match="P2"):
        checks.facts_are_those_of_the_first_leg()
