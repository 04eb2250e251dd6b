"""What happens in the demo, act by act, through the same functions as the commands use.

Every date is part of the play: what lands in a file must not depend on today.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from services.accrual import bootstrap as accrual
from services.accrual.export import EXPORTS, Rows
from services.accrual.facts import Imported
from services.accrual.lookup.records import SumRow
from services.accrual.reconsider import Difference
from services.ingest import bootstrap as ingest
from services.kernel.errors import InvalidInput, MilepostError, Problem
from services.kernel.finding import Finding
from services.kernel.topics import CARD_TRANSACTIONS, DEAD_LETTERS
from services.local.evidence import EXPORTED
from services.local.generator.people import AIRLINE, FIRST_BANK, SECOND_BANK
from services.local.premises import (
    ACTIVATIONS,
    LATE_ACTIVATIONS,
    LATE_MEMBERS,
    MEMBERS,
    PAYOUTS,
    Premises,
)
from services.runtime.database import Connection, Database
from services.runtime.migrations import migrate
from services.runtime.settings import Settings
from services.runtime.topics import TopicAdmin, create_positions
from services.settlement import bootstrap as settlement
from services.settlement.batches.order import Order
from services.settlement.bootstrap import Approved, Settled, payouts
from services.settlement.show import Shown

AUTHOR, APPROVER = "astrid", "bjarne"
"""Who signs contracts, and who approves them."""
SEALER, RELEASER = "celine", "david"
"""Who seals batches, and who approves them."""
OPERATOR = "erik"
"""Who imports accounts, delivers, takes in answers and records payments."""
SIGNED_ON, APPROVED_ON, IMPORTED_ON = date(2025, 12, 15), date(2025, 12, 17), date(2026, 1, 31)
LATE_ON = date(2026, 4, 2)
SETTLED_ON, THROUGH = date(2026, 5, 1), date(2026, 4, 30)
AGAIN_ON, AGAIN_THROUGH = date(2026, 6, 1), date(2026, 5, 31)
PROVEN_THROUGH = date(2026, 6, 30)
"""After the last answer."""
PARTNERS = (AIRLINE, FIRST_BANK, SECOND_BANK)
AMENDMENT = "sky-visa/2"


class Unfinished(MilepostError):
    """The demo cannot go on; the text says why and where to look."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was there before the first transaction."""

    contracts: tuple[str, ...]
    members: int


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that one person sealed and another approved."""

    sealed: Settled
    approved: Approved

    @property
    def id(self) -> str:
        """The batch's id."""
        return self.approved.header.batch


async def prepare(settings: Settings) -> int:
    """The schema, the topics and their positions; gives the number of topics.

    Raises InvalidInput when these servers hold something already.
    """
    await migrate(settings.require_database())
    specifications = ingest.topic_specifications(settings)
    async with await TopicAdmin.connect(settings) as admin:
        created = await admin.create(specifications)
        partitions = await admin.partitions((CARD_TRANSACTIONS, DEAD_LETTERS))
    if await accrual.list_contracts(settings) or len(created) < len(specifications):
        why = (
            "these servers hold topics or contracts of milepost already; the demo wants empty ones"
        )
        raise InvalidInput([Problem(why)])
    async with await Database.connect(settings.require_database()) as database:
        await create_positions(settings, database, partitions)
    return len(created)


async def seed(settings: Settings, premises: Premises) -> Seeded:
    """Contracts that one person signs and another approves, and members. The amendment waits."""
    approved = []
    for path in sorted(premises.contracts.glob("*.yaml")):
        name = await accrual.apply_contract(settings, path, author=AUTHOR, on=SIGNED_ON)
        if name != AMENDMENT:
            await accrual.approve_contract(
                settings, name, approver=APPROVER, on=APPROVED_ON, retroactive=False
            )
            approved.append(name)
    imported = await accrual.import_members(settings, premises.folder / MEMBERS, IMPORTED_ON)
    return Seeded(tuple(approved), imported.added)


async def register(settings: Settings, premises: Premises) -> int:
    """What members opted into, and where they are paid; gives the number of activations."""
    activated = await accrual.import_activations(
        settings, premises.folder / ACTIVATIONS, IMPORTED_ON
    )
    await payouts.import_payouts(settings, premises.folder / PAYOUTS, by=OPERATOR, on=IMPORTED_ON)
    return activated.added


async def import_late(settings: Settings, premises: Premises) -> Imported:
    """Members whose purchases were recorded before anybody knew them."""
    return await accrual.import_members(settings, premises.folder / LATE_MEMBERS, LATE_ON)


async def activate_late(settings: Settings, premises: Premises) -> Imported:
    """Members who had opted in long before anybody told us."""
    return await accrual.import_activations(settings, premises.folder / LATE_ACTIVATIONS, LATE_ON)


async def amend(settings: Settings) -> Difference:
    """The contract's second version, in force since the middle of March, is approved in April."""
    return await accrual.approve_contract(
        settings, AMENDMENT, approver=APPROVER, on=LATE_ON, retroactive=True
    )


async def settle(settings: Settings, partner: str, *, through: date, on: date) -> Batch:
    """Seal what is due to a partner, and approve it as a second person."""
    order = Order(partner=partner, through=through, by=SEALER, on=on)
    sealed = await settlement.settle(settings, order)
    if sealed.header is None:
        raise InvalidInput([Problem("nothing is due", field="partner", value=partner)])
    approved = await settlement.approve_batch(
        settings, sealed.header.batch, approver=RELEASER, on=on
    )
    return Batch(sealed, approved)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the books say: every invariant, and debits and credits by unit and account."""

    findings: tuple[Finding, ...]
    trial: tuple[SumRow, ...]

    @property
    def broken(self) -> list[str]:
        """What does not hold."""
        return [f"{one.id}: {one.detail}" for one in self.findings if not one.ok]


async def prove(settings: Settings, *, through: date) -> Proof:
    """Check every invariant, and add the books up through a day."""
    async with accrual.books(settings) as books:
        findings = await books.findings()
        findings += await settlement.invariants(books.connection, settings.files_dir, settings)
        trial = await books.trial_balance(through, members=False)
    return Proof(tuple(findings), tuple(trial))


async def export(settings: Settings, folder: Path, *, as_of: date) -> None:
    """Everything that was recorded, as files."""
    async with accrual.books(settings) as books:
        for name in EXPORTED:
            settled = name == "batches"
            columns = settlement.BATCH_COLUMNS if settled else EXPORTS[name]
            rows = _batches(books.connection) if settled else books.rows(name, as_of)
            await accrual.write_table(folder / f"{name}.csv", columns, rows)


async def _batches(connection: Connection) -> Rows:
    yield await settlement.batch_rows(connection)


async def show(settings: Settings, batch: str) -> Shown:
    """A batch with its price and its files."""
    return await settlement.show_batch(settings, batch)


async def shown(settings: Settings) -> list[Shown]:
    """Every batch."""
    return [
        await show(settings, header.batch) for header in await settlement.list_batches(settings)
    ]
