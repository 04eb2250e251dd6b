"""A draft tried on events, against figures worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.accrual.members.roster import MemberRow
from services.accrual.members.rows import AccountRows
from services.accrual.trial.cost import costs
from services.accrual.trial.drafted import Documents, drafted
from services.accrual.trial.run import OfFile, run
from services.accrual.trial.tally import Moved, Pair, Tally, Window
from services.kernel.errors import InvalidInput
from services.kernel.transaction import CardTransaction
from tests.support import builders
from tests.support.builders import event

MARCH = Window(date(2026, 3, 1), date(2026, 3, 31))
ROUNDING = {"mode": "down", "scale": "0", "level": "per_transaction"}


def rule(name: str, units: str, **more: Any) -> dict[str, Any]:
    earn = {"per_block": {"block": "10.00", "units": units}}
    award = "base" if name == "base" else "bonus"
    return {"id": name, "award": award, "earn": earn, "rounding": ROUNDING, **more}


def agreement(
    version: int = 1, *, dining: str = "3", first: str = "2020-01-01", **more: Any
) -> str:
    """A mile per 10 kroner at most 50 a month, and more in restaurants on top."""
    cap = {"limit": "50", "of": "reward", "per": "month", "scope": "account", "beyond": "0"}
    document = builders.contract(
        version=str(version),
        term={"from": first, "to": "2029-12-31"},
        rules=[rule("base", "1", cap=cap), rule("dining", dining, when={"mcc": ["5812"]})],
        refunds={"policy": "recompute", "window_days": "180"},
        release={"after": "posting", "days": "14"},
        funding=[{"funder": "first-bank", "share": "60", "remainder": "true"},
                 {"funder": "sky-air", "share": "40"}],
    ) | more  # fmt: skip
    return builders.as_text(document)


EVENTS = [
    event("P1", mcc="5411", billing_amount=31_200, merchant_id="M1"),
    event("P2", mcc="5812", billing_amount=20_000, merchant_id="M2"),
    event("P3", mcc="5812", billing_amount=9_900, account_id="A2"),
    event("R3", "REFUND", original_event_id="P3", billing_amount=5_000, account_id="A2"),
    event("P4", mcc="5812", at=datetime(2026, 4, 1, 12, tzinfo=UTC)),
]
"""P1 31 base; P2 19 base (the room left), dining 60 → 40; P3 net 49.00: base 4, dining 12 → 8;
P4 lies in April."""


async def tried(
    draft: str,
    *approved: str,
    events: Sequence[CardTransaction] = EVENTS,
    window: Window = MARCH,
    rows: AccountRows | None = None,
) -> tuple[Documents, Tally]:
    old = tuple((f"old-{number}", text) for number, text in enumerate(approved))
    documents = Documents(old, ("draft", draft), window)
    by_account: dict[str, list[CardTransaction]] = {}
    for one in events:
        by_account.setdefault(one.account_id, []).append(one)
    trial = await run(
        documents,
        [OfFile(documents, by_account, rows or AccountRows(), rows is None)],
        lambda *_: None,
    )
    return documents, trial.tally


async def test_old_stands_beside_new_by_rule_funder_and_member() -> None:
    _, tally = await tried(agreement(dining="2"), agreement())
    assert tally.rules == {"base": Pair(54, 54), "dining": Pair(72, 48)}
    assert tally.total == Pair(126, 102)
    # 60 and 40 percent of every grant; the first funder takes what rounding leaves.
    # old: 31→12, 19→7, 60→24, 4→1, 12→4 of sky-air; new: 40→16, 8→3
    assert tally.funders == {"first-bank": Pair(78, 63), "sky-air": Pair(48, 39)}
    assert tally.members == {"A1": Pair(110, 90), "A2": Pair(16, 12)}
    assert (tally.accounts, tally.events, tally.purchases) == (2, 5, 3)
    assert (tally.gained, tally.lost) == (0, 2)
    assert tally.earning == {"base": Pair(3, 3), "dining": Pair(2, 2)}


async def test_the_biggest_changes_name_their_purchases() -> None:
    _, tally = await tried(agreement(dining="2"), agreement())
    first, second = tally.biggest()
    assert (first.purchase, first.merchant, first.mcc, first.net) == ("P2", "M2", "5812", 20_000)
    assert (first.old, first.new, first.on) == (79, 59, date(2026, 3, 2))
    assert first.rules == (("base", 19, 19), ("dining", 60, 40))
    assert (second.purchase, second.net, second.difference) == ("P3", 4_900, -4)


async def test_miles_cost_the_price_of_their_version_and_award_rounded_once() -> None:
    settlement = builders.contract()["settlement"]
    settlement["miles_price"] = {"currency": "NOK", "base": "0.095", "bonus": "0.07"}
    settlement["file"]["offer_codes"] = {"base": "O1", "dining": "O2"}
    changed = agreement(dining="2", settlement=settlement)
    documents, tally = await tried(changed, agreement())
    found = [tuple(one) for one in costs(tally, drafted(documents))]
    # base 54 · 0.09 = 4.86, 54 · 0.095 = 5.13; bonus 72 · 0.07 = 5.04, 48 · 0.07 = 3.36
    assert found == [
        ("rewards", "base", "NOK", Pair(486, 513)),
        ("rewards", "bonus", "NOK", Pair(504, 336)),
    ]


async def test_cash_costs_what_it_is_and_fees_are_beside_it() -> None:
    cash = {
        "currency": "NOK", "rules": [
            {"id": "base", "award": "base", "earn": {"percent": "1"},
             "rounding": {**ROUNDING, "scale": "2"}},
        ],
        "fees": [{"party": "sky-shop", "percent": "10", "funder": "first-bank",
                  "rounding": {"mode": "half_up", "scale": "2"}}],
        "settlement": {"cycle": "monthly", "adjustments": "carry",
                       "file": {"layout": "statement-credit"}},
    }  # fmt: skip
    documents, tally = await tried(agreement(**cash))
    assert tally.rules == {"base": Pair(0, 312 + 200 + 49)}
    assert tally.fees == {"sky-shop": Pair(0, 31 + 20 + 5)}
    assert [tuple(one) for one in costs(tally, drafted(documents))] == [
        ("rewards", "base", "NOK", Pair(0, 561)), ("fees", "", "NOK", Pair(0, 56)),
    ]  # fmt: skip


async def test_a_draft_of_days_to_come_is_tried_as_if_it_held_the_window() -> None:
    documents, tally = await tried(agreement(2, dining="2", first="2027-01-01"), agreement())
    both = drafted(documents)
    assert (both.stretched, both.first, both.last) == (True, MARCH.first, date(2029, 12, 31))
    assert tally.rules["dining"] == Pair(72, 48)


async def test_a_draft_that_begins_within_the_window_is_tried_from_there_on() -> None:
    later = [event("P5", mcc="5812", at=datetime(2026, 3, 20, 12, tzinfo=UTC), account_id="A3")]
    documents, tally = await tried(
        agreement(2, dining="2", first="2026-03-16"), agreement(), events=[*EVENTS, *later]
    )
    assert not drafted(documents).stretched
    assert tally.rules["dining"] == Pair(72 + 30, 72 + 20)


async def test_a_higher_version_goes_on_governing_its_days() -> None:
    higher = agreement(3, dining="5", first="2026-03-01")
    _, tally = await tried(agreement(2, dining="2", first="2027-01-01"), agreement(), higher)
    assert tally.rules["dining"] == Pair(120, 120)


async def test_only_members_earn_where_a_member_file_says_who_they_are() -> None:
    row = MemberRow("A2", "card-A2", "sky-rewards", date(2020, 1, 1), None, "Bo", None, None, None)
    _, tally = await tried(agreement(dining="2"), agreement(), rows=AccountRows([row]))
    assert tally.members == {"Bo": Pair(16, 12)}


async def test_what_the_draft_says_wrong_is_told() -> None:
    with pytest.raises(InvalidInput, match="is the first day of version 1"):
        await tried(agreement(2), agreement())


async def test_processes_come_to_the_same_as_one() -> None:
    documents = Documents((("old", agreement()),), ("draft", agreement(dining="2")), MARCH)
    pieces = [
        OfFile(
            documents,
            {name: [one for one in EVENTS if one.account_id == name]},
            AccountRows(),
            everyone=True,
        )
        for name in ("A1", "A2")
    ]
    told: list[tuple[int, int]] = []
    one = await run(documents, pieces, lambda *_: None)
    two = await run(documents, pieces, lambda *counts: told.append(counts), cores=2)
    alone, shared = one.tally, two.tally
    assert (one.cores, two.cores) == (1, 2)
    assert alone.biggest() == shared.biggest()
    assert (alone.total, alone.members, alone.sold) == (shared.total, shared.members, shared.sold)
    assert told == [(1, 2), (2, 2)]


def test_only_the_biggest_changes_are_kept() -> None:
    both, tally = Tally(), Tally()
    for number in range(1_000):
        moved = Moved(
            "A1", "A1", "first-bank", f"P{number}", MARCH.first, None, None, 0, "NOK", 0,
            number * 7 % 1_000, (),
        )  # fmt: skip
        tally.keep(moved)
        assert len(tally.moved) < 1_000
    both.add(tally)
    assert [one.new for one in both.biggest()] == list(range(999, 989, -1))
