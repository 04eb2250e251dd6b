"""The last lines of a demo: what to try next, how to connect, what is kept."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from services.local.acts import AMENDMENT, PROVEN_THROUGH
from services.local.crew import Crew
from services.local.generator import scenes
from services.local.generator.plan import Plan
from services.local.ports import HOST
from services.local.premises import Premises

_COMMAND = 58
"""Columns of a command; a longer one pushes its comment along."""
ADJUSTMENTS = "sky-air-000002"
"""The batch of the refunds that came after settlement."""


def program() -> str:
    """How `milepost` is called from here: by its name when the shell finds it."""
    beside = Path(sys.executable).with_name("milepost")
    if shutil.which("milepost") or not beside.exists():
        return "milepost"
    return os.path.relpath(beside)


def running(premises: Premises, play: Plan, crew: Crew) -> Iterator[str]:
    """A demo that waits: how another shell gets to it, and what is worth a look."""
    ports = ", ".join(f"{name} {port}" for name, port in crew.metrics.items())
    yield "It runs on. In another shell:"
    yield f"  source {premises.folder / 'env'}"
    yield from _aligned(_look_ups(premises, play))
    yield f"Metrics at http://{HOST}:PORT/metrics, by port: {ports}"
    yield "Ctrl-C stops everything."


def _look_ups(premises: Premises, play: Plan) -> list[tuple[str, str]]:
    """Commands that show more of it, each with what it shows."""
    room = next(scene for scene in play.scenes if scene.case == scenes.ROOM)
    settled = next(scene for scene in play.scenes if scene.case == scenes.SETTLED)
    contract = premises.contracts / f"{AMENDMENT.replace('/', '-')}.yaml"
    name = program()
    return [
        (f"{name} explain first-bank/{room.events['second']}", "a full cap, and room freed later"),
        (f"{name} statement {settled.account_id} --period 2026", "earned, settled, taken back"),
        (f"{name} batch show {ADJUSTMENTS}", "what the airline takes back, and who is held"),
        (f"{name} batch show {ADJUSTMENTS} --line 1", "a line, down to the events behind it"),
        (f"{name} audit list --subject {ADJUSTMENTS}", "who sealed, approved, sent it, and so on"),
        (f"{name} trial-balance --through {PROVEN_THROUGH}", "every account of the books"),
        (f"{name} dead-letters list", "what was no event, and why"),
        (f"{name} review list", "what a person must look at"),
        (f"{name} rebuild --check", "every event folded again: the same ledger, row for row"),
        (f"{name} contract check {contract}", "change a number in it first"),
    ]


def ended(folder: Path, *, keep: bool) -> Iterator[str]:
    """A demo that is over: what stays of it, and what to try next."""
    if keep:
        yield f"Kept in {folder}: Kafka's and PostgreSQL's data, files, exports, contracts, logs."
        yield from _aligned([(f"{program()} demo --keep {folder}", "goes on with it in seconds")])
        return
    yield f"Files, exports, contracts and logs: {folder}"
    yield "Kafka and PostgreSQL are gone with their data. Next:"
    adjustments = folder / "files/sky-air/outgoing/sky-air-air-miles-rewards-000002.csv"
    yield from _aligned(
        [
            (f"{program()} demo --keep my-demo", "the same, and it stays to be looked into"),
            (f"less {adjustments}", "lines that take miles back, each names its original"),
            (f"{program()} bench", "a million transactions, measured"),
        ]
    )


def _aligned(commands: list[tuple[str, str]]) -> Iterator[str]:
    for command, shows in commands:
        yield f"  {command.ljust(_COMMAND)}  # {shows}"
