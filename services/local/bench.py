"""`milepost bench`: how much of a bank's stream goes through all of milepost on this machine.

Five times: a part of the feed is sent while ingest stands still; it is let go, and the clock runs
until the last transfer is published; then the rows that came of it are copied bare. After that
the stream goes on at a steady rate, and how long each record took to its commit is looked at. At
the end every invariant is checked.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from itertools import islice

from services.ingest.bootstrap import GROUP
from services.kernel.errors import InvariantViolated
from services.local import acts, flow, pace, stack
from services.local.cpu import cpu_seconds, machine_seconds
from services.local.crew import Crew
from services.local.figures import Drain, Figures, Paced
from services.local.floor import Floor
from services.local.flow import Flow
from services.local.load import FEEDS, TOPIC, Load, Record, contracts
from services.local.narrator import Narrator
from services.local.options import Options
from services.local.premises import FEEDS as FEEDS_FILE
from services.local.premises import MEMBERS, Premises, inherited
from services.local.probe import Probe, Stands
from services.local.room import full_disk_said, with_room
from services.local.stack import Stack
from services.local.stopping import patiently, stoppable
from services.runtime.database import Database
from services.runtime.named_queries import load_queries
from services.runtime.settings import Settings, load_settings
from services.runtime.telemetry import configure_logs

PAIRS = 5
READY_SECONDS_MAX = 90
REPORT_SECONDS = 0.5
THROUGH = date(2026, 12, 31)
INGEST, PUBLISHER = "ingest", "publisher"
_sql = load_queries("services.local", "bench.sql")


def run(options: Options, narrator: Narrator) -> Figures:
    """Measure everything. No process is left, whatever happens.

    Raises KeyboardInterrupt when it is stopped, InvariantViolated when the books do not hold,
    InvalidInput, Unreachable and other errors of milepost.
    """
    load = options.load()
    load_settings(inherited({}))  # a wrong variable is told before anything starts
    with (
        stoppable(),
        stack.start(keep=options.keep, report=lambda line: narrator.did("", line)) as servers,
        full_disk_said(servers.folder),
        patiently(),
    ):
        narrator.did("running", *servers.lines)
        premises = Premises(servers.folder)
        _furnish(premises, load)
        environment = premises.environment(servers.environment)
        settings = load_settings(inherited(environment))
        with (
            (premises.logs / "bench.log").open("a", encoding="utf-8") as log,
            Crew(inherited(environment), premises.logs) as crew,
        ):
            configure_logs("info", service="bench", to=log)
            bench = Bench(options, load, servers, settings, premises, crew, narrator)
            return asyncio.run(with_room(bench.measure(), servers.folder))


def _furnish(premises: Premises, load: Load) -> None:
    """Keys, contracts, the feed and its members, where the services find them."""
    for folder in (premises.contracts, premises.files, premises.logs):
        folder.mkdir(exist_ok=True)
    premises.make_keys()
    for name, text in contracts().items():
        (premises.contracts / name).write_text(text, encoding="utf-8")
    (premises.folder / FEEDS_FILE).write_text(FEEDS, encoding="utf-8")
    (premises.folder / MEMBERS).write_bytes(load.members())


@dataclass(slots=True)
class Bench:
    """One bench on running servers."""

    options: Options
    load: Load
    servers: Stack
    settings: Settings
    premises: Premises
    crew: Crew
    narrator: Narrator

    @property
    def workers(self) -> list[str]:
        """The names of the accrual processes."""
        return [f"accrual-{nth}" for nth in range(1, self.options.workers + 1)]

    async def measure(self) -> Figures:
        """Drain, pace, prove."""
        await self._open()
        records = self.load.records()
        url = self.settings.require_database()
        async with (
            await Flow.open(self.settings, group=GROUP, topics=(TOPIC,)) as way,
            await Database.connect(url, size=1) as looking,
            await Database.connect(url, size=1, role=None, strict=False) as owner,
        ):
            await self._shared(looking)
            probe = Probe(looking)
            floor = Floor(owner, self.servers.postgres.pids)
            drains = await self._drain(records, way, probe, floor)
            paced = await self._pace(records, way, probe, drains)
            async with looking.connection() as connection:
                rows = await connection.fetch(_sql.outcomes)
        proof = await acts.prove(self.settings, through=THROUGH)
        if proof.broken:
            raise InvariantViolated("; ".join(proof.broken))
        checked = sum(found.checked for found in proof.findings)
        self.narrator.did(
            "verified", f"{len(proof.findings)} invariants hold, {checked:,} rows checked"
        )
        return Figures(
            tuple(drains), paced, {row["outcome"]: row["events"] for row in rows},
            len(proof.findings),
        )  # fmt: skip

    async def _open(self) -> None:
        await acts.prepare(self.settings)
        seeded = await acts.seed(self.settings, self.premises)
        self.narrator.did(
            "seeded", f"{self.load.accounts:,} accounts, contracts {', '.join(seeded.contracts)}"
        )
        for name in (INGEST, PUBLISHER):
            self.crew.start(name)
        for name in self.workers:
            self.crew.start("accrual", name=name)

    async def _shared(self, looking: Database) -> None:
        """Wait until the workers share the streams out and everyone is ready."""
        try:
            async with asyncio.timeout(READY_SECONDS_MAX):
                while not self.crew.is_ready() or not await self._claimed(looking):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            why = f"the services are not ready after {READY_SECONDS_MAX} s"
            raise acts.Unfinished(f"{why}: see {self.premises.logs}") from None
        names = ", ".join((INGEST, *self.workers, PUBLISHER))
        self.narrator.did("started", f"{names}: a process each")

    async def _claimed(self, looking: Database) -> bool:
        async with looking.connection() as connection:
            owners: int = await connection.fetchval(_sql.owners)
        return owners == min(self.options.workers, 8)

    async def _drain(
        self, records: Iterator[Record], way: Flow, probe: Probe, floor: Floor
    ) -> list[Drain]:
        """The backlog, part by part, each followed by its floor."""
        drains: list[Drain] = []
        await floor.lay()
        with self.narrator.watching(self.options.transactions) as watch:
            report = asyncio.create_task(_report(way, watch))
            try:
                for nth in range(PAIRS):
                    size = self.options.transactions * (nth + 1) // PAIRS - way.sent
                    part = list(islice(records, size))
                    drains.append(await self._part(part, way, probe, floor))
            finally:
                report.cancel()
                with suppress(asyncio.CancelledError):
                    await report
        await floor.remove()
        found = Figures(tuple(drains), Paced(0, []), {}, 0)
        self.narrator.did(
            "drained",
            f"{found.transactions:,} transactions in {found.seconds:.1f} s: "
            f"{found.per_second:,} a second",
        )
        return drains

    async def _part(self, part: list[Record], way: Flow, probe: Probe, floor: Floor) -> Drain:
        before = await probe.look()
        with self.crew.held(INGEST):
            await pace.send(way.producer, part)
            way.sent += len(part)
            cpu, others, started = self._cpu(), _others(), time.monotonic()
        after = await probe.until(way.sent, self.crew.demand_running)
        seconds = time.monotonic() - started
        spent = {name: used - cpu[name] for name, used in self._cpu().items()}
        others = _others() - others
        local = bool(self.servers.postgres.pids)
        copied = await floor.seconds(before.seqs, after.seqs) if local else None
        return Drain(len(part), seconds, spent, copied, others)

    async def _pace(
        self, records: Iterator[Record], way: Flow, probe: Probe, drains: list[Drain]
    ) -> Paced:
        """The stream goes on at a steady rate."""
        drained = sum(d.transactions for d in drains) / sum(d.seconds for d in drains)
        rate = self.options.rate or max(1, int(drained) // 2)
        seconds = min(self.options.paced_seconds, max(2, self.options.transactions // rate // 4))
        part = list(islice(records, rate * seconds))
        before: Stands = await probe.look()
        way.sent += len(part)
        async with asyncio.TaskGroup() as group:
            group.create_task(probe.until(way.sent, self.crew.demand_running))
            group.create_task(pace.send_paced(way.producer, part, rate=rate))
        paced = Paced(rate, await probe.latencies_ms(before))
        self.narrator.did(
            "paced", f"{len(part):,} transactions at {rate:,} a second, p99 {paced.at(99)} ms"
        )
        return paced

    def _cpu(self) -> dict[str, float]:
        """CPU seconds so far, by process."""
        return cpu_seconds(
            {
                INGEST: [self.crew.pid(INGEST)],
                "accrual": [self.crew.pid(name) for name in self.workers],
                PUBLISHER: [self.crew.pid(PUBLISHER)],
                "postgres": self.servers.postgres.pids,
                "kafka": self.servers.kafka.pids,
            }
        )


def _others() -> float:
    """CPU seconds so far of whatever is neither ours nor started by us."""
    return machine_seconds() - cpu_seconds({"ours": [os.getpid()]})["ours"]


async def _report(way: Flow, watch: flow.Watch) -> None:
    """Say how far it is until somebody has heard enough."""
    while True:
        watch(await way.progress())
        await asyncio.sleep(REPORT_SECONDS)
