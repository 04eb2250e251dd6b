"""Random contracts: whole documents with every kind of rule, in one to three versions."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from tests.support import builders
from tests.support.dice import Dice
from tests.support.rulebook import MILES, caps_of, earns, restarting, rules, text_of

PROGRAMS = ("sky-rewards", "cash-club")
SPLITS = (
    ("100",),
    ("50", "50"),
    ("33.33", "33.33", "33.34"),
    ("0.5", "99.5"),
)
SECOND_FROM = ("2026-03-01", "2026-03-10", "2026-03-20", "2026-04-01")
THIRD_FROM = ("2026-03-12", "2026-03-28", "2026-04-02")
POLICIES = ("recompute", "recompute", "recompute", "none", "full", "proportional")


def agreements(dice: Dice, *, name: str, home: str) -> list[dict[str, Any]]:
    """All versions of one contract on spend in `home`, lowest first."""
    pick = dice.pick
    unit = pick(MILES, MILES, home)
    issuer = "second-bank" if name != "c1" and dice.seldom(4) else "first-bank"
    refunds = policy(dice)
    first = builders.contract(
        contract=name,
        issuer=issuer,
        program=pick(*PROGRAMS),
        currency=unit,
        term={"from": "2026-01-01", "to": "2026-03-31" if dice.seldom(6) else "2026-12-31"},
        zone=pick("Europe/Oslo", "Europe/Oslo", "America/New_York", "Asia/Kathmandu"),
        day_ends=pick("24:00", "24:00", "18:00", "03:30"),
        governing_date="posting" if dice.seldom(4) else "transaction",
        rules=rules(dice, unit=unit, home=home, plain=refunds["policy"] == "proportional"),
        amount=amounts(dice, home=home),
        refunds=refunds,
        **scope(dice, unit=unit),
    )
    funded_by_rule(dice, first)
    versions = [first]
    for turn in range(pick(0, 0, 1, 1, 2)):
        start = pick(*(SECOND_FROM if turn == 0 else THIRD_FROM))
        versions.append(amended(dice, versions[-1], start=start, home=home))
    return versions


def amended(dice: Dice, before: dict[str, Any], *, start: str, home: str) -> dict[str, Any]:
    """The next version: other rates under the same caps, or other rules altogether."""
    pick = dice.pick
    after = deepcopy(before)
    after["version"] += 1
    after["term"] = {"from": start, "to": pick("2026-12-31", "2026-12-31", "2026-04-02")}
    unit = before["currency"]
    what = pick("rates", "rates", "parties", "all")
    if what == "rates":
        for rule in after["rules"]:
            if "earn" in rule:
                capped = any(cap.get("of") == "spend" for cap in caps_of(rule))
                rule["earn"] = earns(dice, unit=unit, home=home, flat=not capped)
    elif what == "parties":
        after |= scope(dice, unit=unit)
    else:
        after["refunds"] = policy(dice)
        plain = after["refunds"]["policy"] == "proportional"
        after["rules"] = rules(dice, unit=unit, home=home, plain=plain)
        after["amount"] = amounts(dice, home=home)
        after |= scope(dice, unit=unit)
    for rule in after["rules"]:
        rule.pop("funding", None)
        restarting(rule)
    funded_by_rule(dice, after)
    kept = {key: after[key] for key in after if key not in ("settlement",)}
    return builders.contract(**kept)


def amounts(dice: Dice, *, home: str) -> dict[str, str]:
    """The `amount` clause."""
    eligible = dice.pick("gross", "gross", "without_cash", "without_tip_fee_tax")
    return {"basis": "billing", "currency": home, "eligible": eligible}


def policy(dice: Dice) -> dict[str, Any]:
    """The `refunds` clause."""
    return {"policy": dice.pick(*POLICIES), "window_days": 180}


def scope(dice: Dice, *, unit: str) -> dict[str, Any]:
    """What a version covers, excludes, who pays it and takes a fee, and when it is released."""
    pick = dice.pick
    cycle = {"after": "cycle", "per": pick("month", "quarter", "year", "billing_cycle")}
    release = pick({"after": "posting"}, {"after": "posting"}, {"after": "posting"}, cycle)
    return {
        "applies_to": {"card_products": ["GOLD"]} if dice.seldom(6) else "all",
        "exclude": pick(
            [], [], [], [], [],
            [{"mcc": ["6010", "6011-6012"]}], [{"mcc": ["5411"], "country": ["SE"]}],
            [{"channel": ["ONLINE"]}, {"merchant": ["M2"]}],
            [{"attributes": {"type": ["GIFT_CARD"]}}, {"kind": ["ADJUSTMENT_CREDIT"]}],
            [{"kind": ["ADJUSTMENT_DEBIT", "ADJUSTMENT_CREDIT"]}], [{"kind": ["ADJUSTMENT_DEBIT"]}],
        ),
        "release": release | {"days": pick(0, 14)},
        "funding": funding(dice, unit=unit),
        "fees": fees(dice, unit=unit),
    }  # fmt: skip


def funding(dice: Dice, *, unit: str) -> list[dict[str, Any]]:
    """Shares, one of them with the rest; sometimes fixed parts before them."""
    shares = dice.pick(*SPLITS)
    rest = dice.upto(len(shares) - 1)
    found = [
        {"funder": f"funder-{place}", "share": share}
        | ({"remainder": True} if place == rest else {})
        for place, share in enumerate(shares)
    ]
    if dice.seldom(4):
        found[-1]["fixed"] = text_of(7, unit)
    if dice.seldom(4):
        found.insert(0, {"funder": "shop", "fixed": text_of(dice.pick(3, 12), unit)})
    return found


def funded_by_rule(dice: Dice, document: dict[str, Any]) -> None:
    """Let others pay for the last rule, seldom."""
    if dice.seldom(5):
        document["rules"][-1]["funding"] = funding(dice, unit=document["currency"])


def fees(dice: Dice, *, unit: str) -> list[dict[str, Any]]:
    """Commissions on the reward, mostly none."""
    rounding = {"mode": dice.pick("half_up", "down", "up", "half_even"), "scale": 0}
    line = {"party": "processor", "percent": "2.5", "funder": "funder-0", "rounding": rounding}
    other = line | {"party": "network", "percent": "40"}
    found: list[dict[str, Any]] = dice.pick([], [], [], [line], [other], [line, other])
    return found
