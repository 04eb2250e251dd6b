"""A contract and a record to try drafts on."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from services.accrual.contracts.parse import Signed, parse
from services.kernel.transaction import CardTransaction
from tests.support import builders
from tests.support.builders import event
from tests.support.ledger import Ledger

ROUNDING = {"mode": "down", "scale": "0", "level": "per_transaction"}
FUNDERS = [
    {"funder": "first-bank", "share": "60", "remainder": "true"},
    {"funder": "sky-air", "share": "40"},
]


def rule(name: str, units: str, **more: Any) -> dict[str, Any]:
    earn = {"per_block": {"block": "10.00", "units": units}}
    award = "base" if name == "base" else "bonus"
    return {"id": name, "award": award, "earn": earn, "rounding": ROUNDING, **more}


def agreement(version: int, *, dining: str, limit: str, first: str = "2020-01-01") -> str:
    """1 mile per 10 kroner and more in restaurants, in one pool of a month."""
    cap = {"limit": limit, "of": "reward", "per": "month", "scope": "account", "beyond": "0"}
    if version > 1:
        cap["mid_period"] = "restart"
    group = {"exclusive_group": "spend"}
    return builders.as_text(
        builders.contract(
            version=str(version),
            term={"from": first, "to": "2029-12-31"},
            rules=[
                rule("base", "1", cap=cap, priority="0", **group),
                rule("dining", dining, when={"mcc": ["5812"], "merchant": ["M1", "M2"]},
                     cap={"shared_with": "base"}, priority="10", **group),
            ],
            funding=FUNDERS,
            refunds={"policy": "recompute", "window_days": "180"},
            release={"after": "posting", "days": "14"},
            fees=[{"party": "sky-shop", "percent": "5", "funder": "first-bank",
                   "rounding": {"mode": "half_up", "scale": "0"}}],
        )
    )  # fmt: skip


def draft(text: str) -> Signed:
    return parse(text, file="draft.yaml")


def history(accounts: int = 9) -> list[CardTransaction]:
    dice = random.Random(7)
    events: list[CardTransaction] = []
    for number in range(accounts * 12):
        account = f"A{dice.randrange(accounts)}"
        at = datetime(2026, 2, 1, 12, tzinfo=UTC) + timedelta(days=dice.randrange(80))
        amount = dice.randrange(1_000, 60_000)
        events.append(
            event(
                f"P{number}", account_id=account, at=at, billing_amount=amount,
                mcc=dice.choice(["5812", "5411"]), merchant_id=f"M{dice.randrange(3)}",
            )
        )  # fmt: skip
        if dice.randrange(4) == 0:
            back = {"original_event_id": f"P{number}", "billing_amount": dice.randrange(1, amount)}
            events.append(event(f"R{number}", "REFUND", account_id=account, at=at, **back))
    return events


async def filled(book: Ledger, accounts: int = 9) -> None:
    await book.approve(agreement(1, dining="3", limit="50"))
    await book.enrol([builders.row(f"A{number}") for number in range(accounts - 1)])
    await book.send(*history(accounts))
