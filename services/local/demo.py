"""`milepost demo`: two banks' streams to settled files, on this machine, and the proof."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.kernel.errors import InvalidInput, Problem
from services.local import closing, stack, tables
from services.local.crew import Crew
from services.local.folder import unused
from services.local.generator.plan import TRANSACTIONS_MIN, Plan, plan
from services.local.narrator import Narrator
from services.local.performance import Stage, perform, reopen
from services.local.premises import Premises, inherited
from services.local.room import full_disk_said, with_room
from services.local.stack import Stack
from services.local.stopping import stoppable
from services.local.summary import Summary
from services.runtime.settings import load_settings
from services.runtime.telemetry import configure_logs

LOOK_SECONDS = 0.5
"""Between two looks whether the services of a waiting demo still run."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to play. Without `keep`, the servers' data is gone at the end."""

    transactions: int
    seed: int
    keep: Path | None
    once: bool


def run(options: Options, narrator: Narrator) -> Summary | None:
    """Play it all and show what came of it; None when an earlier demo only ran again.

    With `once` it returns when everything is proven, else after Ctrl-C. Raises KeyboardInterrupt
    when it is stopped before that, and the errors of milepost. In every case no process is left.
    """
    before = _look_around(options)
    with _last_words(options, narrator), stoppable(), ThreadPoolExecutor(1) as pool:
        written = pool.submit(plan, seed=options.seed, transactions=options.transactions)
        narrator.say(
            "milepost demo: two banks, an airline, cashback in three currencies. Everything is "
            "real but the people\nand the partners; it is a demo, not production: one broker, no "
            "TLS."
        )
        narrator.say()
        with stack.start(keep=options.keep, report=lambda line: narrator.did("", line)) as servers:
            narrator.did("running", *servers.lines)
            with (
                full_disk_said(servers.folder),
                _premises(servers, options, narrator) as premises,
            ):
                return _play(servers, premises, options, narrator, written.result(), before)


def _look_around(options: Options) -> bool:
    """Whether the folder holds a finished demo. Raises InvalidInput for what cannot be played."""
    load_settings(inherited({}))  # a wrong variable is told before anything starts
    if options.transactions < TRANSACTIONS_MIN:
        why = f"at least {TRANSACTIONS_MIN}, so that every case finds room"
        raise InvalidInput([Problem(why, field="--transactions", value=str(options.transactions))])
    if options.keep is None:
        return False
    premises = Premises(options.keep.expanduser().absolute())
    marker = premises.marker()
    if marker is None and premises.is_free():
        return False
    if marker is None:
        why = "holds something else than a demo: choose a new or an empty folder"
        raise InvalidInput([Problem(why, field="--keep", value=str(premises.folder))])
    same = (marker.get("seed"), marker.get("transactions")) == (
        options.seed, options.transactions,
    )  # fmt: skip
    if marker.get("finished") is True and same:
        return True
    why = "holds another demo, or one that was not finished: remove it, or choose another folder"
    raise InvalidInput([Problem(why, field="--keep", value=str(premises.folder))])


def _play(
    servers: Stack,
    premises: Premises,
    options: Options,
    narrator: Narrator,
    play: Plan,
    before: bool,
) -> Summary | None:
    if not before:
        premises.furnish(play)
        premises.mark(seed=options.seed, transactions=options.transactions, finished=False)
    environment = premises.environment(servers.environment)
    settings = load_settings(inherited(environment))
    premises.write_environment(environment)
    with (
        (premises.logs / "demo.log").open("a", encoding="utf-8") as log,
        Crew(inherited(environment), premises.logs) as crew,
        _quietly(narrator),
    ):
        configure_logs("info", service="demo", to=log)
        stage = Stage(settings, premises, crew, narrator)
        summary = None
        if before:
            asyncio.run(reopen(stage))
        else:
            playing = perform(stage, play, seed=options.seed)
            summary = asyncio.run(with_room(playing, servers.folder))
            tables.show(summary, narrator)
            premises.mark(seed=options.seed, transactions=options.transactions, finished=True)
        if not options.once and not (summary and summary.missing):
            _wait(premises, crew, narrator, play)
    return summary


def _wait(premises: Premises, crew: Crew, narrator: Narrator, play: Plan) -> None:
    """Until Ctrl-C, or until a service ends."""
    narrator.say()
    for line in closing.running(premises, play, crew):
        narrator.say(line)
    try:
        while True:
            crew.demand_running()
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _premises(servers: Stack, options: Options, narrator: Narrator) -> Iterator[Premises]:
    """The demo's folder; what stays of it is said at the end."""
    keep = options.keep is not None
    folder = servers.folder if keep else unused("milepost-demo-")
    try:
        if not keep:  # in here: Ctrl-C may come at the very moment it has been made
            folder.mkdir(mode=0o700)
        yield Premises(folder)
    except KeyboardInterrupt:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    except BaseException:
        if any((folder / "logs").glob("*.log")):
            narrator.say(f"The logs are in {folder / 'logs'}")
        elif not keep:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    narrator.say()
    for line in closing.ended(folder, keep=keep):
        narrator.say(line)


@contextmanager
def _last_words(options: Options, narrator: Narrator) -> Iterator[None]:
    """What is left of a demo that was stopped, said when everything has been."""
    try:
        yield
    except KeyboardInterrupt:
        stays = f"what there is of it is in {options.keep}" if options.keep else "nothing was kept"
        narrator.say(f"Stopped: no process is left, {stays}.")
        raise


@contextmanager
def _quietly(narrator: Narrator) -> Iterator[None]:
    """Once stopping has begun, pressing Ctrl-C again does not interrupt it."""
    try:
        yield
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        narrator.say("Stopping …")
        raise
