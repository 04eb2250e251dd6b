"""Each kind of rule has its page of explanation: `explained.txt`, as a person reads it.

To see what has changed, compare the page with what the test says; a page that reads better is
copied into the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from services.accrual.contracts.book import Book
from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.parse import parse
from services.accrual.engine.explain import explain
from services.accrual.engine.folding import fold
from services.accrual.engine.waiting import Waiting
from services.accrual.members.account import AccountDates, Activation
from services.accrual.members.roster import MemberRow, Roster
from services.kernel.transaction import CardTransaction
from tests.support import builders
from tests.support.builders import event

PAGES = Path(__file__).with_name("explained.txt")
DOWN = {"mode": "down", "scale": "0", "level": "per_transaction"}
PER_TEN = {"per_block": {"block": "10.00", "units": "1"}}
MONTH = {"per": "month", "scope": "account"}


def rule(name: str = "base", **keys: Any) -> dict[str, Any]:
    """One mile per whole 10.00, unless the keys say something else; None takes a key away."""
    plain = {"id": name, "award": "base", "earn": PER_TEN, "rounding": DOWN} | keys
    return {key: value for key, value in plain.items() if value is not None}


def bought(label: str, amount: int, day: int = 2, clock: str = "12:00", **more: Any) -> Any:
    """A purchase of so many whole crowns in March 2026, on the clock in UTC."""
    hour, minute = map(int, clock.split(":"))
    at = datetime(2026, 3, day, hour, minute, tzinfo=UTC)
    return event(label, billing_amount=100 * amount, at=at, **more)


def back(label: str, amount: int, kind: str = "REFUND", day: int = 9) -> CardTransaction:
    """So many whole crowns of a purchase go back."""
    at = datetime(2026, 3, day, 12, tzinfo=UTC)
    name = f"{label}-back"
    return event(name, kind, billing_amount=100 * amount, original_event_id=label, at=at)


def page(
    label: str,
    *events: CardTransaction,
    rules: list[dict[str, Any]],
    dates: AccountDates | None = None,
    activated: date | None = None,
    withdrawn: date | None = None,
    **contract: Any,
) -> str:
    """What is told of a purchase, without the line on its net, a line for each step."""
    document = builders.as_text(builders.contract(rules=rules, **contract))
    row = MemberRow("A1", "card-A1", "sky-rewards", date(2020, 1, 1), None, "M", None, None, None)
    account = fold(
        [Waiting(seq, one) for seq, one in enumerate(events, 1)], stream_id=1, account_id="A1",
        book=Book([compile_terms(parse(document.encode(), file="page.yaml").contract)]),
        enrolments=Roster.of(
            [row], dates=[dates] if dates else [],
            activations=[
                Activation("A1", "SPRING", activated, withdrawn_on=withdrawn)
            ] if activated else [],
        ),
    )  # fmt: skip
    (found,) = [one for one in account.purchases.values() if one.label == label]
    return "\n".join(step["text"] for step in explain(account, found).steps[1:])


CAP = {"limit": "50", "of": "reward", "beyond": "0", **MONTH}
PERIOD = {"mode": "down", "scale": "0", "level": "per_period", **MONTH}
EXACT = PERIOD | {"scale": "2"}
ON_A_CARD = CAP | {"limit": "20", "per": "day", "scope": "card"}
THRESHOLD = rule(
    earn=None, rounding=PERIOD,
    threshold={
        **MONTH,
        "steps": [{"reach": "1000.00", "units": "100"}, {"reach": "3000.00", "units": "500"}],
    },
)  # fmt: skip
PUNCH = rule(earn=None, rounding=PERIOD, count={**MONTH, "every": "3", "units": "25"})
NICKEL = {"per_unit": {"units": "0.05"}}
BEST = {"exclusive_group": "g", "best": "highest"}
CORNER = bought(
    "P1", 300, clock="08:12", mcc="5411", merchant_id="M1", merchant_name="Corner Shop",
    merchant_city="Oslo", merchant_country="NO", channel="IN_STORE", card_product="GOLD",
    attributes={"wallet": "APPLE"}, transaction_amount=100, transaction_currency="NOK",
)  # fmt: skip
NOT_FOR_IT: list[dict[str, Any]] = [
    {"mcc": ["5812-5814"]}, {"mcc": ["5999"]}, {"merchant": ["M2", "M3"]},
    {"merchant_name": ["SKY AIR*"]}, {"city": ["Bergen"]}, {"country": ["SE", "DK"]},
    {"currency": ["EUR"]}, {"channel": ["ONLINE", "PHONE"]}, {"product": ["PLAT"]},
    {"attributes": {"wallet": ["GOOGLE"], "type": ["GIFT"]}},
    {"dates": {"from": "2026-06-01", "to": "2026-06-30"}}, {"weekdays": ["SAT", "SUN"]},
    {"first_days": "90"}, {"activated": {"code": "SPRING", "counts": "from_activation"}},
    {"unless": [{"country": ["NO"]}]},
    {"mcc": ["5812-5814"], "hours": {"from": "11:00", "to": "14:00"}},
]  # fmt: skip


def bands(kind: str) -> dict[str, Any]:
    steps = [{"from": "0.00", "units": "0.01"}, {"from": "1000.00", "units": "0.02"}]
    return rule(earn=None, rounding=EXACT, bands={"kind": kind, **MONTH, "steps": steps})


def pages() -> Iterator[tuple[str, str]]:
    """Name and text of every page."""
    one, two = bought("P1", 312), bought("P2", 270)
    yield "a cap with room", page("P1", one, rules=[rule(cap=CAP)])
    yield "a cap with room for a part", page("P2", one, two, rules=[rule(cap=CAP)])
    full = bought("P1", 900)
    yield "a full cap", page("P2", full, two, rules=[rule(cap=CAP)])
    part = CAP | {"beyond": "0.25"}
    yield "a cap past which a part counts", page("P2", one, two, rules=[rule(cap=part)])
    yield "a full cap past which a part counts", page("P2", full, two, rules=[rule(cap=part)])
    caps = rule(cap=[ON_A_CARD, CAP | {"limit": "25"}])
    yield "caps narrow to wide", page("P2", bought("P1", 312, 1), two, rules=[caps])
    base = rule(
        exclusive_group="spend", priority="0", cap=CAP, when={"unless": [{"mcc": ["7995"]}]}
    )
    dining = rule(
        "dining", when={"mcc": ["5812-5814"]}, exclusive_group="spend", priority="10",
        earn={"per_block": {"block": "10.00", "units": "3"}}, cap={"shared_with": "base"},
    )  # fmt: skip
    dinner = bought("P2", 100, mcc="5812")
    yield "a pool", page("P2", one, dinner, rules=[base, dining])
    spend = rule(
        earn={"percent": "2"}, rounding=EXACT,
        cap={"limit": "1000.00", "of": "spend", "beyond": "0.5", **MONTH},
    )  # fmt: skip
    events = bought("P1", 800), bought("P2", 300)
    yield "a cap of spend", page("P2", *events, rules=[spend], currency="NOK")
    yield "marginal bands", page("P2", *events, rules=[bands("marginal")], currency="NOK")
    yield "whole bands", page("P2", *events, rules=[bands("whole")], currency="NOK")
    yield "a threshold far away", page("P1", *events, rules=[THRESHOLD])
    yield "a threshold reached", page("P2", *events, rules=[THRESHOLD])
    more = bought("P1", 3900), bought("P2", 300)
    yield "a threshold reached before", page("P2", *more, rules=[THRESHOLD])
    yield "a count on its way", page("P2", one, two, rules=[PUNCH])
    yield "the nth purchase", page("P3", one, two, bought("P3", 8), rules=[PUNCH])
    carried = rule(earn=NICKEL, rounding=PERIOD)
    events = bought("P1", 205), bought("P2", 50)
    yield "rounding carried on", page("P2", *events, rules=[carried])
    ahead = rule(earn=NICKEL, rounding=PERIOD | {"mode": "half_up"})
    yield "rounding given ahead", page("P2", bought("P1", 205), bought("P2", 45), rules=[ahead])
    best = [rule(**BEST), rule("flat", earn={"flat": {"units": "25"}}, **BEST)]
    yield "the best of a group", page("P1", bought("P1", 205), rules=best)
    bounded = rule(minimum_reward="5", maximum_reward="50")
    yield "the least of a reward", page("P1", bought("P1", 30), rules=[bounded])
    yield "the most of a reward", page("P1", bought("P1", 3000), rules=[bounded])
    amount = {"basis": "billing", "currency": "NOK", "eligible": "without_cash"}
    most, cash = rule(maximum_transaction="500.00"), bought("P1", 3000, cash_amount=10_000)
    yield "a maximum, without cash", page("P1", cash, rules=[most], amount=amount)
    least = rule(minimum_transaction="500.00")
    yield "a minimum", page("P1", bought("P1", 30), rules=[least])
    for policy in ("none", "full", "proportional"):
        refunds = {"policy": policy, "window_days": "180"}
        text = page("P1", bought("P1", 300), back("P1", 110), rules=[rule()], refunds=refunds)
        yield f"refunds {policy}", text
    credit = back("P1", 110, "ADJUSTMENT_CREDIT")
    left_out = [{"kind": ["ADJUSTMENT_CREDIT"]}]
    yield "a kind left out", page("P1", bought("P1", 300), credit, rules=[rule()], exclude=left_out)
    cycle = {"after": "cycle", "per": "month", "days": "5"}
    yield "release at a cycle", page("P1", bought("P1", 300), rules=[rule()], release=cycle)
    funding = [
        {"funder": "shop", "fixed": "5", "share": "40"},
        {"funder": "first-bank", "share": "60", "remainder": "true"},
    ]
    yield "fixed funding", page("P1", bought("P1", 300), rules=[rule()], funding=funding)
    rounding = {"mode": "half_up", "scale": "2"}
    fee = {"party": "processor", "percent": "2.5", "funder": "first-bank", "rounding": rounding}
    cashback = rule(earn={"percent": "2"}, rounding=DOWN | {"scale": "2"})
    yield "a fee", page("P1", bought("P1", 300), rules=[cashback], currency="NOK", fees=[fee])
    exclude = [{"mcc": ["7995"]}, {"mcc": ["5411-5412"], "channel": ["IN_STORE"]}]
    yield "an exclusion", page("P1", CORNER, rules=[rule()], exclude=exclude)
    for per in ("membership_year", "billing_cycle"):
        yield f"a {per} without its date", page("P1", CORNER, rules=[rule(cap=CAP | {"per": per})])
    for when in NOT_FOR_IT:
        yield f"not for it: {when}", page("P1", CORNER, rules=[rule(when=when)])
    for opened_on in (date(2025, 1, 1), date(2026, 4, 1)):
        dates = AccountDates("A1", opened_on=opened_on)
        new = rule(when={"first_days": "90"})
        yield f"opened on {opened_on}", page("P1", CORNER, rules=[new], dates=dates)
    late = rule(when={"activated": {"code": "SPRING", "counts": "from_activation"}})
    yield "activated later", page("P1", CORNER, rules=[late], activated=date(2026, 3, 5))
    for counts in ("from_activation", "always"):
        ended = rule(when={"activated": {"code": "SPRING", "counts": counts}})
        yield (
            f"withdrawn, {counts}",
            page(
                "P1", CORNER, rules=[ended], activated=date(2026, 2, 1), withdrawn=date(2026, 3, 2)
            ),
        )


GOLDEN = dict(part.split("\n", 1) for part in PAGES.read_text("utf-8").split("== ")[1:])


@pytest.mark.parametrize(
    ("name", "text"), list(pages()), ids=lambda value: value.partition("\n")[0][:40]
)
def test_a_kind_of_rule_is_told_as_on_its_page(name: str, text: str) -> None:
    assert text.splitlines() == GOLDEN[name].strip().splitlines()


def test_every_page_is_of_something() -> None:
    assert sorted(GOLDEN) == sorted(name for name, _ in pages())
