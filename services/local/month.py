"""What happens in the demo once batches are approved: they go out, the partners answer, banks are
paid, the month is closed, and what was refused is repaired. The same functions as the commands use.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from services.accrual import bootstrap as accrual
from services.accrual.facts import Imported
from services.local import airline
from services.local.acts import Unfinished
from services.local.crew import Crew
from services.local.generator.people import AIRLINE
from services.local.premises import REPAIRED_MEMBERS, Premises
from services.runtime.settings import Settings
from services.settlement import bootstrap as settlement
from services.settlement.bootstrap import Closed, Sent
from services.settlement.show import Shown

OPERATOR, CLOSER = "erik", "frida"
"""Who delivers, takes in answers and pays, and who closes the month."""
DELIVERED_ON, ANSWERED_ON, PAID_ON = date(2026, 5, 4), date(2026, 5, 6), date(2026, 5, 7)
MONTH, CLOSED_ON = "2026-04", date(2026, 5, 8)
REPAIRED_ON = date(2026, 5, 18)
DELIVERED_AGAIN_ON, ANSWERED_AGAIN_ON = date(2026, 6, 2), date(2026, 6, 4)
SENT, INCOMING = "sent", "incoming"
ANSWER_SECONDS_MAX = 60
LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Answered:
    """A partner's answer: the file as it came, and its lines by outcome."""

    batch: str
    file: Path
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment of a batch, by the reference that the bank gives."""

    shown: Shown
    reference: str
    lines: int


def hire_airline(crew: Crew, premises: Premises) -> None:
    """Start the simulated airline: it reads what is delivered, and writes answers."""
    folder = premises.files / AIRLINE
    crew.hire(AIRLINE, [sys.executable, "-m", airline.__name__, folder / SENT, folder / INCOMING])


async def deliver(settings: Settings, batch: str, *, on: date) -> Sent:
    """Send an approved batch to the partner's folder, the manifest last."""
    return await settlement.deliver_batch(
        settings, batch, by=OPERATOR, on=on, to=None, resend=False
    )


async def answer(
    settings: Settings, premises: Premises, sent: Sent, *, on: date, check: Callable[[], None]
) -> Answered:
    """Wait for the airline's answer to a delivery, and take it in. Raises Unfinished."""
    (rewards,) = [
        Path(file.path).name for file in sent.files
        if airline.REWARDS in file.path and file.path.endswith(".txt")
    ]  # fmt: skip
    path = premises.files / AIRLINE / INCOMING / airline.answer_name(rewards)
    await _arrival(path, check)
    header, found = await settlement.acknowledge_file(
        settings, path, partner=AIRLINE, by=OPERATOR, on=on
    )
    return Answered(header.batch, path, found.outcomes)


async def _arrival(path: Path, check: Callable[[], None]) -> None:
    since = time.monotonic()
    while not path.exists():
        check()
        if time.monotonic() - since > ANSWER_SECONDS_MAX:
            raise Unfinished(f"no answer came in {ANSWER_SECONDS_MAX} s: {path}")
        await asyncio.sleep(LOOK_SECONDS)


async def pay(settings: Settings, batch: str, reference: str) -> Paid:
    """Record that a bank's cashback was paid out."""
    _, lines = await settlement.pay_batch(
        settings, batch, by=OPERATOR, reference=reference, on=PAID_ON
    )
    return Paid(await settlement.show_batch(settings, batch), reference, lines)


async def close(settings: Settings) -> Closed:
    """Nothing of the month, or before it, changes from here on."""
    return await settlement.close_period(settings, MONTH, by=CLOSER, on=CLOSED_ON)


async def repair(settings: Settings, premises: Premises) -> Imported:
    """The members whom the airline refused, with the numbers that they have now."""
    return await accrual.import_members(settings, premises.folder / REPAIRED_MEMBERS, REPAIRED_ON)


def files(sent: Sequence[Sent]) -> int:
    """How many files were delivered."""
    return sum(len(one.files) for one in sent)
