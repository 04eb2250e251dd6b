"""A house at work: a database in which each command finds something to do, and a login of each
role."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg
from typer.testing import CliRunner, Result

from services.cli.__main__ import app
from services.runtime.sealing import IDENTITY, PUBLIC_KEY, Sealer, create_keys
from services.runtime.settings import Settings, load_settings
from services.settlement import bootstrap as settlement
from services.settlement.batches.order import Order
from services.settlement.batches.payout import Payouts
from services.settlement.bootstrap import reconciling
from services.settlement.reconcile.month import read_month
from services.settlement.reconciliation import Terms
from tests.support import bank, builders, ledger
from tests.support.batches import ACH_PAYOUTS
from tests.support.builders import event
from tests.support.logins import login, url_of
from tests.support.partner import answered
from tests.support.settlement import Books
from tests.support.trials import agreement

ROLES = ("author", "approver", "operator", "auditor", "partner")
PARTNER = "sky-air"
SEALED_ON = date(2026, 4, 1)
BATCHES = tuple(f"{PARTNER}-{nth:06d}" for nth in range(1, 7))
ANSWERED, SENT, SILENT, APPROVED, PENDING, UNWANTED = BATCHES
"""One batch of each state; of two that were sent the answer to one is at hand, of two that are
sealed one is for withdrawing."""
LATER = date(2026, 4, 30)
"""Through this day something is due that no batch holds."""
LETTER = f"{ledger.FEED}/0/7"


class House:
    """One database for many commands. `folder` holds the files that they are given."""

    def __init__(self, url: str, folder: Path, kafka: str) -> None:
        self.folder, self.url = folder, url
        self.files = folder / "files"
        self.logins: dict[str, str] = {}
        self.discrepancies: list[str] = []
        self._people = AsyncExitStack()
        self._loop = asyncio.Runner()
        keys = folder / "keys"
        create_keys(keys)
        feeds = folder / "feeds.yaml"
        feeds.write_text(
            "feeds:\n  - {name: first-bank, issuer: first-bank, role: books, "
            f"topic: {ledger.FEED}, format: milepost-json}}\n"
        )
        public, private = str(keys / PUBLIC_KEY), str(keys / IDENTITY)
        self.environment = {
            "MILEPOST_DATABASE_URL": url, "MILEPOST_FILES_DIR": str(self.files),
            "MILEPOST_PAYOUT_KEY_FILE": public, "MILEPOST_PAYOUT_IDENTITY_FILE": private,
            "MILEPOST_QUARANTINE_KEY_FILE": public, "MILEPOST_QUARANTINE_IDENTITY_FILE": private,
            "MILEPOST_FEEDS_FILE": str(feeds), "MILEPOST_KAFKA_BOOTSTRAP_SERVERS": kafka,
        }  # fmt: skip

    def __enter__(self) -> Self:
        self._loop.run(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._loop.run(self._people.aclose())
        self._loop.close()

    def run(self, login: str, arguments: list[str], *, role: str | None = None) -> Result:
        """A command, given by the login that has only this role."""
        url = url_of(self.books, self.logins[login])
        own = {"MILEPOST_ROLE": role or login, "MILEPOST_DATABASE_URL": url}
        return CliRunner().invoke(app, arguments, env=self.environment | own)

    def own(self, arguments: list[str]) -> Result:
        """A command, given by the owner of the database."""
        return CliRunner().invoke(app, arguments, env=self.environment)

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        return self._loop.run(self._rows())

    def file(self, name: str, content: str | bytes) -> str:
        """A file to give a command."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    async def _open(self) -> None:
        settings = load_settings(self.environment)
        async with ledger.opened(self.url) as book:
            await _purchases(book)
            sealer = Sealer.from_file(self.folder / "keys" / PUBLIC_KEY)
            await book.reject("NOT_JSON", offset=7, sealed=sealer.seal(b"{"))
        connection = await asyncpg.connect(self.url)
        self._people.push_async_callback(connection.close)
        self.books = Books(self.url, connection)
        await bank.import_payouts(settings, self.files, PARTNER, _ACCOUNTS)
        await self._batches(settings)
        await connection.execute(
            "INSERT INTO settlement_account_change VALUES "
            "($1, 1, 'C01', 'A1', (SELECT revision FROM fact_revision), $2, 'Dee', '2026-04-05')",
            ANSWERED, sealer.seal(b"42"),
        )  # fmt: skip
        await _march(settings, self.discrepancies)
        for role in ROLES:
            partner = PARTNER if role == "partner" else None
            self.logins[role] = await self._people.enter_async_context(
                login(self.books, role, partner=partner)
            )
        self.logins["nobody"] = await self._people.enter_async_context(login(self.books, "partner"))

    async def _batches(self, settings: Settings) -> None:
        for nth, batch in enumerate(BATCHES, 1):
            through = date(2026, 3, 15) + timedelta(days=nth)
            order = Order(partner=PARTNER, through=through, by="Ann", on=SEALED_ON)
            settled = await settlement.settle(settings, order)
            assert settled.header is not None
            assert settled.header.batch == batch
        for batch in (ANSWERED, SENT, SILENT, APPROVED):
            await settlement.approve_batch(settings, batch, approver="Bo", on=SEALED_ON)
        for batch in (ANSWERED, SENT, SILENT):
            sent = await settlement.deliver_batch(
                settings, batch, by="Dee", on=SEALED_ON, to=None, resend=False
            )
            (path,) = [Path(file.path) for file in sent.files if file.path.endswith(".txt")]
            self.file(f"{batch}.txt", answered(path.read_bytes()))
        await settlement.acknowledge_file(
            settings, self.folder / f"{ANSWERED}.txt", partner=PARTNER, by="Dee", on=SEALED_ON
        )

    async def _rows(self) -> dict[str, int]:
        names = await self.books.connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') "
            "AND relnamespace = 'public'::regnamespace"
        )
        each = [f"SELECT '{row['relname']}' AS t, count(*) FROM {row['relname']}" for row in names]
        counted = await self.books.connection.fetch(" UNION ALL ".join(each))
        return {row["t"]: row["count"] for row in counted}


_ACCOUNTS = Payouts(ACH_PAYOUTS.payer, {"A1": ACH_PAYOUTS.payees["acc-1"]})


async def _purchases(book: ledger.Ledger) -> None:
    """A purchase a day, each due a fortnight later, and a refund that waits for its purchase."""
    await book.approve(agreement(1, dining="2", limit="9000"))
    await book.enrol([builders.row("A1", partner=PARTNER, membership_number="11111")])
    first = datetime(2026, 3, 2, 12, tzinfo=UTC)
    await book.send(
        *(event(f"P{n}", at=first + timedelta(days=n - 1), mcc="5812", merchant_id="M1")
          for n in range(1, 10)),
        event("R1", "REFUND", original_event_id="gone", billing_amount=5_000),
    )  # fmt: skip


async def _march(settings: Settings, found: list[str]) -> None:
    """A comparison that finds what was planted: lines without an answer. One is explained."""
    terms = Terms(PARTNER, read_month("2026-03"), "Cy", date(2026, 5, 20), 0, 10)
    done = await reconciling.reconcile_month(settings, terms, to=None)
    found += sorted(one.id for one in done.recorded.standing)
    await reconciling.resolve_discrepancy(
        settings, found[0], by="Cy", reason="asked there", on=date(2026, 5, 21)
    )
