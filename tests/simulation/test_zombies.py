"""A worker that was away and comes back, and one that is not told what became of its commit."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from services.local.stack import Stack
from tests.simulation import log
from tests.simulation.nursery import Halt, until
from tests.simulation.staging import Stage
from tests.support.proxy import CommitProxy

SEED = 7
GROUPS = 8
FROZEN_SECONDS = 1.0


@pytest.fixture
def stage(stack: Stack, tmp_path: Path) -> Stage:
    return Stage(stack, tmp_path, seed=SEED, groups=GROUPS)


@pytest.mark.slow
@pytest.mark.parametrize("point", ["consumer: about to handle", "transaction: begun"])
def test_a_worker_that_slept_before_its_batch_is_fenced(stage: Stage, point: str) -> None:
    whole, url = stage.copy(), stage.copy()
    stage.finish(stage.accrual(whole), whole)
    turn = {"transaction: begun": 2}.get(point, 1)  # the first one is the claim's
    sleeper = stage.accrual(url, Halt(point, turn, signal.SIGSTOP))
    until(sleeper.is_frozen, seconds=20, what="sleep")
    stage.finish(stage.accrual(url), url)
    books = stage.books(url)
    assert books == stage.books(whole)
    sleeper.send(signal.SIGCONT)
    until(lambda: "fenced" in sleeper.log.read_text(), seconds=20, what="a fence")
    sleeper.kill()
    assert stage.books(url) == books


@pytest.mark.slow
def test_who_claims_waits_for_a_worker_that_sleeps_in_its_batch(stage: Stage) -> None:
    whole, url = stage.copy(), stage.copy()
    stage.finish(stage.accrual(whole), whole)
    sleeper = stage.accrual(url, Halt("accrual: transfers", 1, signal.SIGSTOP))
    until(sleeper.is_frozen, seconds=20, what="sleep")
    heir = stage.accrual(url)
    waiting = "SELECT count(*) AS n FROM pg_locks WHERE NOT granted"
    until(lambda: log.rows(url, waiting)[0]["n"] == 1, seconds=20, what="a claim that waits")
    time.sleep(FROZEN_SECONDS)
    assert not stage.books(url)["transfer"]
    sleeper.send(signal.SIGCONT)
    stage.finish(heir, url)
    sleeper.kill()
    assert stage.books(url) == stage.books(whole)


@pytest.mark.slow
def test_a_commit_whose_answer_is_lost_has_one_effect(stage: Stage) -> None:
    """Every other answer, to claims and to batches, is lost."""
    whole, url = stage.copy(), stage.copy()
    stage.finish(stage.accrual(whole), whole)
    stage.environment["MILEPOST_BATCH_RECORDS_MAX"] = "20"
    with CommitProxy(url, loses=lambda number: number % 2 == 1) as proxy:
        worker = stage.accrual(proxy.url)
        stage.finish(worker, url)
        assert proxy.lost >= 5
    assert worker.log.read_text().count("its outcome is unknown") >= 5
    assert stage.books(url) == stage.books(whole)
