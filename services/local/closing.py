"""The last lines of a demo: what to try next, how to connect, what is kept."""

from __future__ import annotations

from pathlib import Path

from services.local.acts import AGAIN_THROUGH
from services.local.crew import Crew
from services.local.generator import scenes
from services.local.generator.plan import Plan
from services.local.ports import HOST
from services.local.premises import Premises

_GAP = 64


def next_steps(premises: Premises, play: Plan) -> list[str]:
    """Commands that show more of it, each with what it shows."""
    room = next(scene for scene in play.scenes if scene.case == scenes.ROOM)
    settled = next(scene for scene in play.scenes if scene.case == scenes.SETTLED)
    contract = premises.contracts / "sky-visa-2.yaml"
    commands = [
        (f"explain first-bank/{room.events['second']}", "a full cap, and the room freed later"),
        (f"statement {settled.account_id} --period 2026", "earned, settled, refunded, taken back"),
        ("batch show sky-air-000002", "what the airline takes back, who is held"),
        ("batch show sky-air-000002 --line 1", "one line, down to the events behind it"),
        (f"trial-balance --through {AGAIN_THROUGH}", "every account of the books"),
        ("dead-letters list", "what was no event, and why"),
        ("review list", "what a person must look at"),
        ("rebuild --check", "fold every event again: the same ledger, row for row"),
        (f"contract check {contract}", "change a number in it first"),
    ]
    return [f"  milepost {command}".ljust(_GAP) + f"  # {shows}" for command, shows in commands]


def connection(environment: Path, crew: Crew) -> list[str]:
    """How another shell gets to the running demo."""
    ports = ", ".join(f"{name} {port}" for name, port in crew.metrics.items())
    return [f"  source {environment}", f"  metrics on http://{HOST}:PORT/metrics: {ports}"]


def kept(folder: Path) -> str:
    """What stays of a demo whose folder is kept."""
    return (
        f"Kept in {folder}: the data of Kafka and PostgreSQL, files, exports, logs.\n"
        f"To run it again as it is: milepost demo --keep {folder}"
    )


def left(folder: Path) -> str:
    """What stays of a demo that was not to be kept."""
    return (
        f"Kafka and PostgreSQL are gone with their data. Files, exports, contracts and logs stay "
        f"in {folder}"
    )
