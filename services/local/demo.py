"""`milepost demo`: a bank's stream to settled files, on this machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.ingest.bootstrap import GROUP
from services.kernel.units import major
from services.local import acts, stack
from services.local.acts import Batch
from services.local.crew import Crew
from services.local.flow import Flow
from services.local.generator.people import AIRLINE, FIRST_BANK, SECOND_BANK
from services.local.generator.plan import Plan, plan
from services.local.narrator import Narrator
from services.local.premises import Premises, inherited
from services.runtime.settings import Settings, load_settings

SERVICES = ("ingest", "accrual", "publisher")
TOPICS = tuple(f"card-feed.{bank}" for bank in (FIRST_BANK, SECOND_BANK))


@dataclass(frozen=True, slots=True)
class Options:
    """What to play."""

    transactions: int
    seed: int
    keep: Path | None
    once: bool


def run(options: Options, narrator: Narrator) -> None:
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(plan, seed=options.seed, transactions=options.transactions)
        with stack.start(keep=options.keep, report=lambda line: narrator.did("", line)) as servers:
            narrator.did("running", *servers.lines)
            play = written.result()
            premises = Premises(servers.folder)
            premises.furnish(play)
            environment = premises.environment(servers.environment)
            settings = load_settings(inherited(environment))
            with Crew(inherited(environment), premises.logs) as crew:
                asyncio.run(_play(settings, premises, crew, play, narrator))
                narrator.did("played")
            narrator.did("crew gone")
        narrator.did("stack gone")


async def _play(settings, premises, crew, play, narrator):
    topics = await acts.prepare(settings)
    narrator.did("prepared")
    for name in SERVICES:
        crew.start(name)
    seeded = await acts.seed(settings, premises, topics)
    narrator.did("seeded", str(seeded))
    async with await Flow.open(settings, group=GROUP, topics=TOPICS) as flow:
        narrator.did("opened")
        with narrator.watching(len(play.main)) as watch:
            await flow.send(play.main, watch)
            narrator.did("sent")
            await flow.drain(watch, crew.demand_running)
        narrator.did("drained", str(await flow.progress()))
        narrator.did("late", str(await acts.import_late(settings, premises))[:200])
        d = await acts.amend(settings)
        narrator.did("amend", str(len(d.purchases)), str(d.granted), str(d.taken_back))
        for partner in acts.PARTNERS:
            b = await acts.settle(settings, partner, through=acts.THROUGH, on=acts.SETTLED_ON)
            narrator.did("settled", b.id, str(b.sealed.header.totals), str(b.sealed.lines), str(b.sealed.draft.held), *[str(f) for f in b.approved.files])
        await flow.send(play.afterwards, lambda now: None)
        await flow.drain(lambda now: None, crew.demand_running)
        narrator.did("drained", str(await flow.progress()))
        b = await acts.settle(settings, AIRLINE, through=acts.AGAIN_THROUGH, on=acts.AGAIN_ON)
        narrator.did("settled", b.id, str(b.sealed.header.totals), str(b.sealed.lines), str(b.sealed.draft.held), *[str(f) for f in b.approved.files])
