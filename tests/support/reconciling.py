"""Months to reconcile: feeds beside the books, and runs by hand."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import fastavro

from services.settlement.bootstrap import reconciling
from services.settlement.bootstrap.reconciling import Reconciled
from services.settlement.reconcile.discrepancy import Discrepancy
from services.settlement.reconcile.month import read_month
from services.settlement.reconciliation import Terms
from tests.support.settlement import _SCHEMA, Books, settings_for

APRIL_10 = date(2026, 4, 10)
_MARCH_5_NOON = 1_772_712_000_000_000


async def feed(books: Books, role: str, event_id: str, amount: int, **fields: Any) -> None:
    """One recorded event of a feed; its reward, if it has one, is another event's business."""
    body = io.BytesIO()
    event = {
        "event_id": event_id, "issuer_id": "first-bank", "kind": "PRESENTMENT",
        "account_id": "acc-1", "card_token": "token", "occurred_at": _MARCH_5_NOON,
        "billing_amount": amount, "billing_currency": "NOK", **fields,
    }  # fmt: skip
    fastavro.schemaless_writer(body, _SCHEMA, event)
    async with books.connection.transaction():
        seq = await books.connection.fetchval(
            "UPDATE stream_position SET next_seq = next_seq + 1, next_offset = next_offset + 1 "
            "WHERE stream_id = 1 RETURNING next_seq - 1"
        )
        await books.connection.execute(
            "INSERT INTO card_event (stream_id, seq, offset_at, recorded_at, role, body, outcome, "
            "reason, revision) VALUES (1, $1, $1, '2026-03-05T12:00Z', $2, $3, 'NO_REWARD', $4, 0)",
            seq, role, body.getvalue(), "COMPARE_FEED" if role == "compare" else "NO_CONTRACT",
        )  # fmt: skip


async def run(
    books: Books, folder: Path, *, partner: str = "sky-air", period: str = "2026-03",
    on: date = APRIL_10, limit: int = 10_000, to: Path | None = None,
) -> Reconciled:  # fmt: skip
    """Reconcile as Rae."""
    terms = Terms(partner, read_month(period), "Rae", on, limit, answer_days=5)
    return await reconciling.reconcile_month(settings_for(books.url, folder), terms, to=to)


def codes(done: Reconciled) -> list[tuple[str, str, int]]:
    """(code, subject, amount) of what stands."""
    return [(one.code, one.subject, one.amount) for one in done.recorded.standing]


def sole(done: Reconciled) -> Discrepancy:
    """The one thing that stands."""
    (one,) = done.recorded.standing
    return one
