"""A ledger with grants, members and contracts in it, made by hand: settlement without accrual."""

from __future__ import annotations

import io
import json
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any, Self

import asyncpg
import fastavro

from services.runtime.database import Database
from services.runtime.migrations import migrate
from services.runtime.settings import Settings, load_settings
from services.settlement import bootstrap as settlement
from services.settlement.batches.order import Order
from services.settlement.bootstrap import Settled

MARCH_5 = date(2026, 3, 5)
MARCH_19 = date(2026, 3, 19)
MARCH_END = date(2026, 3, 31)
APRIL_END = date(2026, 4, 30)
SEALED_ON = date(2026, 4, 1)

_SCHEMA = fastavro.parse_schema(
    json.loads(resources.files("schemas").joinpath("avro/card-transaction.avsc").read_text("utf-8"))
)


def settings_for(url: str, folder: Path) -> Settings:
    return load_settings({"MILEPOST_DATABASE_URL": url, "MILEPOST_FILES_DIR": str(folder)})


def miles_terms(**changes: Any) -> dict[str, Any]:
    """What `contract apply` stores of an airline's contract."""
    terms: dict[str, Any] = {
        "unit": "SKY-MILE",
        "spend_currency": "NOK",
        "cycle": "monthly",
        "adjustments": "send",
        "price": {"currency": "NOK", "base": "0.09", "bonus": "0.07"},
        "file": {
            "layout": "air-miles-rewards",
            "provider_code": "SKYA",
            "offer_codes": {"base": "B001", "dining": "D001"},
        },
        "awards": {"base": "base", "dining": "bonus"},
    }
    return {**terms, **changes}


def cash_terms(currency: str = "NOK", **changes: Any) -> dict[str, Any]:
    """What `contract apply` stores of a cashback contract."""
    terms: dict[str, Any] = {
        "unit": currency,
        "spend_currency": currency,
        "cycle": "monthly",
        "adjustments": "send",
        "price": None,
        "file": {"layout": "statement-credit"},
        "awards": {"cash": "base"},
    }
    return {**terms, **changes}


class Books:
    """A migrated database, written as its owner: whatever a test needs to be in it."""

    def __init__(self, url: str, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self.url = url
        self.connection = connection
        self._purchases: dict[str, tuple[int, int]] = {}
        self._revision = 0

    @classmethod
    async def open(cls, url: str, *, streams: int = 2) -> Self:
        await migrate(url)
        books = cls(url, await asyncpg.connect(url))
        for partition in range(streams):
            await books.connection.execute(
                "INSERT INTO stream VALUES ($1, $2)",
                partition + 1,
                f"card-transactions/{partition}",
            )
            await books.connection.execute(
                "INSERT INTO stream_position (stream_id) VALUES ($1)", partition + 1
            )
        return books

    async def close(self) -> None:
        await self.connection.close()

    async def _next_revision(self) -> int:
        found: int = await self.connection.fetchval(
            "UPDATE fact_revision SET revision = revision + 1 RETURNING revision"
        )
        return found

    async def contract(
        self,
        contract: str = "sky-visa",
        version: int = 1,
        *,
        partner: str = "sky-air",
        issuer: str = "first-bank",
        terms: dict[str, Any] | None = None,
    ) -> None:
        """An applied version."""
        await self.connection.execute(
            "INSERT INTO contract_version (contract, version, issuer, program, partner, document, "
            "sha256, terms, author, revision, applied_on) "
            "VALUES ($1, $2, $3, 'program', $4, '', '', $5, 'Ann', $6, '2026-01-01')",
            contract,
            version,
            issuer,
            partner,
            json.dumps(miles_terms() if terms is None else terms),
            await self._next_revision(),
        )

    async def member(
        self, account: str, number: str | None, *, partner: str | None = "sky-air"
    ) -> None:
        """An account and the partner's number for it."""
        await self.connection.execute(
            "INSERT INTO member_row (revision, account_id, card_token, program, enrolled_from, "
            "member_id, partner, membership_number) "
            "VALUES ($1, $2, 'token', 'program', '2026-01-01', $2, $3, $4)",
            await self._next_revision(),
            account,
            partner,
            number,
        )

    async def grant(
        self,
        account: str,
        purchase: str,
        amount: int,
        *,
        contract: str = "sky-visa",
        version: int = 1,
        rule: str = "base",
        unit: str = "SKY-MILE",
        funder: str = "first-bank",
        issuer: str = "first-bank",
        governing_on: date = MARCH_5,
        available_on: date = MARCH_19,
        stream_id: int = 1,
    ) -> tuple[int, int, int]:
        """One event that gives (or, below zero, takes back) so much; its transfer's place."""
        async with self.connection.transaction():
            seq: int = await self.connection.fetchval(
                "UPDATE stream_position SET next_seq = next_seq + 1, next_offset = next_offset + 1 "
                "WHERE stream_id = $1 RETURNING next_seq - 1",
                stream_id,
            )
            await self._event(stream_id, seq, account, issuer, f"{purchase}.{seq}", amount)
            place = self._purchases.get(purchase)
            if place is None:
                place = self._purchases[purchase] = (stream_id, seq)
                await self.connection.execute(
                    "INSERT INTO purchase VALUES ($1, $2, $3, $4, $5, 0, $2, '')",
                    *place,
                    issuer,
                    account,
                    purchase,
                )
            cost, member = f"reward-cost/{funder}", f"member/{account}"
            debit, credit = (cost, member) if amount > 0 else (member, cost)
            await self.connection.execute(
                "INSERT INTO transfer VALUES "
                "($1, $2, 1, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15)",
                stream_id,
                seq,
                account,
                *place,
                contract,
                version,
                rule,
                funder,
                unit,
                debit,
                credit,
                abs(amount),
                governing_on,
                available_on,
            )
        return (stream_id, seq, 1)

    async def many(self, account: str, count: int, **terms: Any) -> None:
        """Plain grants of one mile each, or of what `terms` say, written in bulk."""
        _, seq, _ = await self.grant(account, f"Q-{account}", 1, **terms)
        last = seq + count - 1
        await self.connection.execute(
            "INSERT INTO purchase SELECT 1, n, 'first-bank', $3, 'Q' || n, 0, n, '' "
            "FROM generate_series($1::bigint, $2::bigint) AS n",
            seq + 1,
            last,
            account,
        )
        await self.connection.execute(
            "INSERT INTO transfer SELECT 1, n, 1, 1, account_id, 1, n, contract, version, rule, "
            "funder, unit, debit, credit, amount, governing_on, effective_on, available_on "
            "FROM transfer, generate_series($1::bigint, $2::bigint) AS n "
            "WHERE (stream_id, seq) = (1, $3)",
            seq + 1,
            last,
            seq,
        )
        await self.connection.execute(
            "UPDATE stream_position SET next_seq = $1 WHERE stream_id = 1", last + 1
        )

    async def rename(self, purchase: str, label: str) -> None:
        """A presentment with a lesser id joined the purchase."""
        await self.connection.execute(
            "UPDATE purchase SET label = $3 WHERE stream_id = $1 AND purchase = $2",
            *self._purchases[purchase],
            label,
        )

    async def corrupt(self, statement: str, *values: object) -> None:
        """What only a superuser can do: rows changed behind constraints and triggers."""
        async with self.connection.transaction():
            await self.connection.execute("SET LOCAL session_replication_role = replica")
            await self.connection.execute(statement, *values)

    async def _event(
        self, stream_id: int, seq: int, account: str, issuer: str, event_id: str, amount: int
    ) -> None:
        body = io.BytesIO()
        fastavro.schemaless_writer(
            body,
            _SCHEMA,
            {
                "event_id": event_id,
                "issuer_id": issuer,
                "kind": "PRESENTMENT" if amount > 0 else "REFUND",
                "account_id": account,
                "card_token": "token",
                "occurred_at": 1_772_700_000_000_000,
                "billing_amount": abs(amount) * 1000,
                "billing_currency": "NOK",
            },
        )
        await self.connection.execute(
            "INSERT INTO card_event (stream_id, seq, offset_at, recorded_at, role, body, outcome, "
            "revision) VALUES ($1, $2, $2, '2026-03-05T00:00Z', 'books', $3, 'POSTED', 0)",
            stream_id,
            seq,
            body.getvalue(),
        )


async def settle(
    books: Books, folder: Path, *, partner: str = "sky-air", through: date = MARCH_END
) -> Settled:
    order = Order(partner=partner, through=through, by="Ann", on=SEALED_ON)
    return await settlement.settle(settings_for(books.url, folder), order)


async def lines(books: Books, batch: str) -> list[tuple[Any, ...]]:
    """(line, number, account, purchase, amount, original) of a batch, those of nothing last."""
    rows = await books.connection.fetch(
        "SELECT line, membership_number, account_id, purchase, amount, "
        "original_batch || '/' || original_line AS original "
        "FROM settlement_line WHERE batch = $1 ORDER BY line < 1, abs(line)",
        batch,
    )
    return [tuple(row) for row in rows]


async def broken(books: Books, folder: Path, settings: Settings | None = None) -> list[str]:
    """The invariants that do not hold."""
    async with (
        await Database.connect(books.url, size=1) as database,
        database.connection() as connection,
    ):
        found = await settlement.invariants(connection, folder, settings)
    return [finding.id for finding in found if not finding.ok]


def sole(settled: Settled, ending: str, folder: str = "pending") -> Path:
    (path,) = [Path(file.path) for file in settled.files if file.path.endswith(ending)]
    return path.parent.parent / folder / path.name
