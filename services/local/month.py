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
from types import ModuleType

from services.accrual import bootstrap as accrual
from services.accrual.facts import Imported
from services.local import airline, bank
from services.local.acts import OPERATOR, Unfinished
from services.local.crew import Crew
from services.local.generator.accounts import payout_file
from services.local.generator.people import AIRLINE, FIRST_BANK, Person
from services.local.premises import REPAIRED_MEMBERS, REPAIRED_PAYOUTS, Premises
from services.runtime.settings import Settings
from services.settlement import bootstrap as settlement
from services.settlement.batches.outcome import REJECTED
from services.settlement.bootstrap import Closed, Sent, payouts, reconciling
from services.settlement.bootstrap.reconciling import Reconciled
from services.settlement.reconcile.month import read_month
from services.settlement.reconciliation import Terms
from services.settlement.show import Shown

CLOSER = "frida"
"""Who reconciles the month and closes it."""
SECOND_ABOVE, ANSWER_DAYS = 10_000, 5
"""What two people must resolve, in minor units, and when an answer is missing."""
DELIVERED_ON, ANSWERED_ON, PAID_ON = date(2026, 5, 4), date(2026, 5, 6), date(2026, 5, 7)
MONTH, CLOSED_ON = "2026-04", date(2026, 5, 8)
REPAIRED_ON = date(2026, 5, 18)
DELIVERED_AGAIN_ON, ANSWERED_AGAIN_ON = date(2026, 6, 2), date(2026, 6, 4)
SENT, INCOMING = "sent", "incoming"
ANSWER_SECONDS_MAX = 60
LOOK_SECONDS = 0.05
PARTNERS: Mapping[str, ModuleType] = {AIRLINE: airline, FIRST_BANK: bank}
"""Who answers, each by a process of its own."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A partner's answer: the file as it came, and its lines by outcome."""

    batch: str
    file: str
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment of a batch, by the reference that the bank gives."""

    shown: Shown
    reference: str
    lines: int


def hire(crew: Crew, premises: Premises) -> None:
    """Start the simulated partners: they read what is delivered, and write answers."""
    for partner, played_by in PARTNERS.items():
        folder = premises.files / partner
        module = [sys.executable, "-m", played_by.__name__]
        crew.hire(partner, [*module, folder / SENT, folder / INCOMING])


async def deliver(settings: Settings, batch: str, *, on: date) -> Sent:
    """Send an approved batch to the partner's folder, the manifest last."""
    return await settlement.deliver_batch(
        settings, batch, by=OPERATOR, on=on, to=None, resend=False
    )


async def answers(
    settings: Settings, premises: Premises, sent: Sent, *, on: date, check: Callable[[], None]
) -> list[Answered]:
    """Wait for what the partner answers to a delivery, and take it in. Raises Unfinished."""
    partner = sent.header.partner
    found: list[Answered] = []
    for name in _expected([Path(file.path).name for file in sent.files]):
        path = premises.files / partner / INCOMING / name
        if not found:
            await _arrival(path, check)
        if path.exists():  # the last answer comes first, so that all are there with the first
            header, told = await settlement.acknowledge_file(
                settings, path, partner=partner, by=OPERATOR, on=on
            )
            found.append(Answered(header.batch, name, told.outcomes))
    return found


def _expected(sent: Sequence[str]) -> list[str]:
    """The answers to files by their names, in the order in which they are taken in."""
    names: list[str] = []
    for name in sent:
        if airline.REWARDS in name and name.endswith(".txt"):
            names.append(airline.answer_name(name))
        elif bank.TRANSFERS in name:
            names += bank.answer_names(name)
    return names


async def _arrival(path: Path, check: Callable[[], None]) -> None:
    since = time.monotonic()
    while not path.exists():
        check()
        if time.monotonic() - since > ANSWER_SECONDS_MAX:
            raise Unfinished(f"no answer came in {ANSWER_SECONDS_MAX} s: {path}")
        await asyncio.sleep(LOOK_SECONDS)


async def pay(settings: Settings, batch: str, reference: str) -> Paid:
    """Record that a bank has credited its members' statements."""
    _, lines = await settlement.pay_batch(
        settings, batch, by=OPERATOR, reference=reference, on=PAID_ON
    )
    return Paid(await settlement.show_batch(settings, batch), reference, lines)


async def reconcile(settings: Settings, premises: Premises, partner: str) -> Reconciled:
    """Hold a partner's month together: feed, ledger, lines, files and answers, by transaction.

    The control sheet stays as a workbook.
    """
    terms = Terms(partner, read_month(MONTH), CLOSER, CLOSED_ON, SECOND_ABOVE, ANSWER_DAYS)
    workbook = premises.exports / f"reconciliation-{partner}-{MONTH}.xlsx"
    return await reconciling.reconcile_month(settings, terms, to=workbook)


async def close(settings: Settings) -> Closed:
    """Nothing of the month, or before it, changes from here on."""
    return await settlement.close_period(settings, MONTH, by=CLOSER, on=CLOSED_ON)


async def renumber(settings: Settings, premises: Premises) -> Imported:
    """The members whom the airline refused, with the numbers that they have now."""
    return await accrual.import_members(settings, premises.folder / REPAIRED_MEMBERS, REPAIRED_ON)


async def readdress(settings: Settings, premises: Premises, people: Sequence[Person]) -> int:
    """The members whose payment failed, with the accounts that they have now; gives how many."""
    async with accrual.books(settings) as books:
        columns = settlement.BATCH_COLUMNS
        rows = [dict(zip(columns, row, strict=True))
                for row in await settlement.batch_rows(books.connection)]  # fmt: skip
    failed = {row["account_id"] for row in rows
              if row["partner"] == FIRST_BANK and row["outcome"] == REJECTED}  # fmt: skip
    own = [person for person in people if person.account_id in failed]
    path = premises.folder / REPAIRED_PAYOUTS
    path.write_text(payout_file(own, new=True), encoding="utf-8")
    return await payouts.import_payouts(settings, path, by=OPERATOR, on=REPAIRED_ON)


def files(sent: Sequence[Sent]) -> int:
    """How many files were delivered."""
    return sum(len(one.files) for one in sent)
