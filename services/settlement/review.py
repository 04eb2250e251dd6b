"""What a person must look at: nothing here moves or sends anything by itself."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from services.settlement.exchange.answers import AWAITED
from services.settlement.ports import ReviewStore

NO_ANSWER, ACCOUNT_CHANGE = "no-answer", "account-change"


class Waiting(NamedTuple):
    """One thing to look at. `what` is no-answer or account-change; `about` a batch, or its line."""

    what: str
    partner: str
    about: str
    account_id: str
    since: date
    why: str


async def overdue(store: ReviewStore, *, today: date, days: int) -> list[Waiting]:
    """Batches that the partner should have answered by now, counted from the day they were sent."""
    found = await store.unanswered(today - timedelta(days=days + 1))
    return [
        Waiting(
            NO_ANSWER, one.partner, one.batch, "", one.sent_on,
            f"{one.partner} has not answered all of it within {days} days: ask there; it is "
            "not sent again by itself",
        )
        for one in found
        if AWAITED & set(one.layouts)
    ]  # fmt: skip


async def waiting(store: ReviewStore, *, today: date, days: int) -> list[Waiting]:
    """Answers that are missing, and accounts that banks ask to have changed."""
    asked = [
        Waiting(
            ACCOUNT_CHANGE, one.partner, f"{one.batch}/{one.line}", one.account_id, one.recorded_on,
            f"{one.partner} asks for another account ({one.code}): `payout accept`, or import one",
        )
        for one in await store.changes()
    ]  # fmt: skip
    return [*await overdue(store, today=today, days=days), *asked]
