"""Kill everything at random while a hostile stream runs; nothing is lost, nothing is doubled."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from services.local.stack import Stack
from tests.simulation import proof
from tests.simulation.crowd import GARBAGE, Crowd, as_csv, chunks, crowd
from tests.simulation.world import World
from tests.support.dates import Row

SEED = int(os.environ.get("SIMULATION_SEED", "20260307"))
TERMS = 20_261_082
"""The contracts do not follow the seed: most make a run of purchases that earn nothing."""
GROUPS = 200
ROUNDS = 7
BURSTS = 70
TRIES = 5
KILLS_MIN = 20
SESSION_MS = 2_000
VICTIMS = ("ingest", "accrual", "accrual-2", "publisher")

pytestmark = pytest.mark.skipif(
    any(os.environ.get(f"MILEPOST_{name}") for name in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL")),
    reason="the servers are somebody else's: they are not ours to kill",
)


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_when_everything_is_killed(
    fresh_stack: Stack, tmp_path: Path
) -> None:
    world = World(
        fresh_stack, tmp_path, MILEPOST_BATCH_RECORDS_MAX="8", MILEPOST_BATCH_WAIT_MS_MAX="5",
        MILEPOST_KAFKA_SESSION_MS=str(SESSION_MS), MILEPOST_WATCHDOG_SECONDS="5",
    )  # fmt: skip
    people = crowd(SEED, groups=GROUPS, terms=TERMS)
    try:
        storm = Storm(world, people)
        storm.open()
        for number in range(ROUNDS):
            storm.round(number)
        storm.settle()
        assert world.stop(seconds=10) == [0] * len(VICTIMS), "told to stop, each drains and says so"
    finally:
        world.abandon()
    kills = Counter(kill.name for kill in world.kills)
    assert kills.total() >= KILLS_MIN
    assert all(kill.behind > 0 for kill in world.kills)
    assert kills.keys() == {*VICTIMS, "thief", "publisher-2"}
    counts = proof.holds(world, people)
    assert storm.lines > 100
    print(f"\nseed {SEED}: {storm.sent} records, {counts}, {storm.lines} lines sealed meanwhile")
    print(f"{kills.total()} kills -9 {dict(kills)}")
    print("ended by themselves:", *world.ended, sep="\n  ")


class Storm:
    """Rounds of records, each with kills, and with one thing more that goes wrong or changes."""

    def __init__(self, world: World, people: Crowd) -> None:
        self.world = world
        self.sent = 0
        self.lines = 0
        """Sealed so far."""
        self._chance = random.Random(SEED)
        self._people = people
        self._bursts = chunks(people.arrivals, BURSTS)
        self._imports = list(chunks(people.imports, ROUNDS))
        self._extra: dict[int, Callable[[], None]] = {
            0: self._polite_stop,
            1: self._zombie,
            2: self._database_crash,
            3: self._broker_kill,
            4: self._approval,
            5: self._thief,
            6: self._rival,
        }

    def open(self) -> None:
        """Keys, tables, topics, all contracts but the last, and the services."""
        self.world.run("keys", "create", "--dir", str(self.world.folder))
        self.world.run("migrate")
        self.world.run("topics", "create")
        for text in self._people.contracts[:-1]:
            self._sign(text)
        for name in VICTIMS:
            self.world.start(name)

    def round(self, number: int) -> None:
        """Each service is killed once while it is behind; what is special comes amid it."""
        names = list(VICTIMS)
        self._chance.shuffle(names)
        turn = self._chance.randrange(len(names))
        for place, name in enumerate(names):
            if place == turn:
                self._burst()
                self._extra.get(number, self._burst)()
            if place == 1:
                self._import(self._imports[number])
            if place == 2:
                self._settle()
            self._kill(name)

    def _kill(self, name: str) -> None:
        """kill -9 at some moment after a burst; where it was too quick for us, another one."""
        for _ in range(TRIES):
            self._burst()
            time.sleep(self._chance.uniform(0, 0.05))
            if self.world.kill_behind(name, seconds=3):
                if name in VICTIMS:
                    self.world.start(name)
                return
            self.world.revive()

    def settle(self) -> None:
        """Send the rest, and wait until everything is recorded and published."""
        for _ in range(BURSTS):
            self._burst()
        world = self.world
        world.wait(lambda: world.recorded() >= self.sent, seconds=60, what="all recorded")
        world.wait(lambda: not any(world.unrecorded().values()), seconds=30, what="no lag")
        world.wait(lambda: world.unpublished() == 0, seconds=30, what="all published")

    def _burst(self) -> None:
        rubbish = self._chance.sample(GARBAGE, 1)
        arrivals = next(self._bursts, ())
        if arrivals:
            self.sent += self.world.feed(arrivals, rubbish)

    def _polite_stop(self) -> None:
        """Told to stop while records wait, each service ends in time, without a fault."""
        world = self.world
        up = [f'/{world.processes[name].pid}", "event": "started"' for name in VICTIMS]
        world.wait(lambda: all(words in world.said("") for words in up), seconds=20, what="starts")
        self._burst()
        assert self.world.stop(seconds=10) == [0] * len(VICTIMS)
        for name in VICTIMS:
            self.world.start(name)

    def _zombie(self) -> None:
        """A worker sleeps until others have its partitions, and wakes up as if nothing was."""
        sleeper = self.world.processes["accrual"]
        sleeper.send(signal.SIGSTOP)
        self._burst()
        time.sleep(SESSION_MS / 1000 * 1.5)
        sleeper.send(signal.SIGCONT)

    def _database_crash(self) -> None:
        self.world.stack.postgres.crash()
        self.world.stack.postgres.restart()

    def _broker_kill(self) -> None:
        self.world.stack.kafka.kill()
        self.world.stack.kafka.restart()

    def _approval(self) -> None:
        self._sign(self._people.contracts[-1], "--retroactive")

    def _thief(self) -> None:
        """A worker outside the group takes every partition from the two that have them."""
        world = self.world
        world.wait(lambda: self._owned_by("accrual", "accrual-2") == 8, seconds=20, what="claims")
        world.start("thief")
        world.wait(lambda: self._owned_by("thief") == 8, seconds=10, what="the theft")
        self._burst()
        world.wait(lambda: "fenced" in world.said("accrual"), seconds=10, what="a fenced worker")
        self._kill("thief")

    def _rival(self) -> None:
        """A second publisher takes every stream; the first notices, ends, and takes them back."""
        self.world.start("publisher-2")
        self._burst()
        told = "another publisher holds"
        self.world.wait(lambda: told in self.world.said("publisher"), seconds=10, what="a rival")
        self._kill("publisher-2")

    def _owned_by(self, *names: str) -> int:
        """How many partitions of `card-transactions` these processes have claimed."""
        pids = [f"%/{self.world.processes[name].pid}" for name in names]
        return len(self.world.rows(
            "SELECT FROM stream_position JOIN stream USING (stream_id)"
            " WHERE name LIKE 'card%' AND owner LIKE ANY ($1)", pids,
        ))  # fmt: skip

    def _sign(self, text: str, *options: str) -> None:
        file = self.world.folder / "contract.yaml"
        file.write_text(text)
        applied = self.world.run("contract", "apply", str(file), "--author", "ann")
        self.world.run("contract", "approve", applied["contract"], "--approver", "bob", *options)

    def _settle(self) -> None:
        """Seal what is due, beside all that goes on."""
        words = ("--partner", "sky-air", "--through", "2026-12-31", "--by", "ann")
        sealed = self.world.run("settle", *words)
        self.lines += sealed["lines"]

    def _import(self, imports: Sequence[Sequence[Row]]) -> None:
        """Import rows; those of one key come in one file after another."""
        files: list[dict[tuple[object, ...], Row]] = []
        for row in (row for rows in imports for row in rows):
            key = (row["account_id"], row["card_token"], row["program"], row["enrolled_from"])
            file = next((found for found in files if key not in found), None)
            if file is None:
                files.append(file := {})
            file[key] = row
        place = self.world.folder / "members.csv"
        for found in files:
            place.write_text(as_csv(list(found.values())))
            self.world.run("member", "import", str(place))


def test_the_crowd_is_hostile_enough() -> None:
    people = crowd(SEED, groups=GROUPS, terms=TERMS)
    assert len(people.arrivals) > 2_000
    assert len({arrival.event.kind for arrival in people.arrivals}) == 10
    ids = [(arrival.role, arrival.event.event_id) for arrival in people.arrivals]
    assert len(set(ids)) < len(ids) - 100, "repeats and conflicts"
    accounts: dict[tuple[str, str], set[str]] = {}
    for arrival in people.arrivals:
        key = (arrival.role, arrival.event.event_id)
        accounts.setdefault(key, set()).add(arrival.event.account_id)
    assert sum(len(found) > 1 for found in accounts.values()) > 10, "one id, two accounts"
