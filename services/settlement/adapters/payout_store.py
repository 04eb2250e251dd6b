"""The payout table: sealed rows in the database, opened only where a payout is written."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import date

from services.kernel.errors import InvalidInput, Problem
from services.runtime.database import Connection, copy_rows
from services.runtime.named_queries import load_queries
from services.runtime.sealing import Opener, Sealer
from services.settlement.batches.payout import Payee, Payer, Payouts
from services.settlement.batches.returns import Details
from services.settlement.files.payout_sheet import PAYEE, PAYER, Account

_sql = load_queries("services.settlement.adapters", "payout_store.sql")
IDENTITY = "MILEPOST_PAYOUT_IDENTITY_FILE"
READ_SECONDS = 600
COPY_ROWS_MAX = 20_000
COLUMNS = ("role", "owner", "revision", "sealed", "recorded_by", "recorded_on", "accepts")


async def add(
    connection: Connection,
    accounts: Sequence[Account],
    sealer: Sealer,
    *,
    by: str,
    on: date,
    accepts: str | None = None,
) -> int:
    """Store accounts under a new revision of the facts, all of them or none; gives the revision.

    `accepts` names the change, as batch/line, that a bank asked for and that they accept.
    """
    async with connection.transaction():
        revision: int = await connection.fetchval(_sql.next_revision)
        await connection.execute(
            _sql.add,
            revision,
            [found.role for found in accounts],
            [found.owner for found in accounts],
            [sealer.seal(_body(found.holder)) for found in accounts],
            by,
            on,
            accepts,
        )
    return revision


def _body(holder: Payee | Payer) -> bytes:
    return json.dumps(list(holder), ensure_ascii=False).encode()


async def copy_all(ledger: Connection, rebuilt: Connection) -> None:
    """Give a rebuilt ledger the payout table, sealed as it is: a fact like the members' numbers."""
    rows = await ledger.fetch(_sql.all_rows, timeout=READ_SECONDS)
    for start in range(0, len(rows), COPY_ROWS_MAX):
        await copy_rows(
            rebuilt,
            table="settlement_payout",
            columns=COLUMNS,
            rows=[tuple(row) for row in rows[start : start + COPY_ROWS_MAX]],
        )


async def book(
    connection: Connection,
    opener: Opener | None,
    *,
    partner: str,
    facts: int,
    accounts: Collection[str],
) -> Payouts | None:
    """The payout table as a batch sees it; None where nobody has said who pays.

    Raises InvalidInput when there are rows and no key opens them.
    """
    rows = await connection.fetch(_sql.book, partner, facts, sorted(accounts), timeout=READ_SECONDS)
    if not rows:
        return None
    if opener is None:
        why = "is not set; set it to the private key that the payout table is sealed to"
        raise InvalidInput([Problem(why, field=IDENTITY)])
    payer: Payer | None = None
    payees: dict[str, Payee] = {}
    for row in rows:
        values = json.loads(opener.open(row["sealed"]))
        if row["role"] == PAYER:
            payer = Payer(*values)
        elif row["role"] == PAYEE:
            payees[row["owner"]] = Payee(*values)
    return Payouts(payer, payees) if payer is not None else None


async def history(
    connection: Connection, opener: Opener, *, facts: int, accounts: Collection[str]
) -> dict[str, list[Details]]:
    """The accounts of members in the order of their revisions, up to those of `facts`."""
    found: dict[str, list[Details]] = {}
    for row in await connection.fetch(_sql.history, sorted(accounts), facts, timeout=READ_SECONDS):
        payee = Payee(*json.loads(opener.open(row["sealed"])))
        found.setdefault(row["owner"], []).append(Details(row["revision"], payee))
    return found
