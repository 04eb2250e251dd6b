"""Random contracts: whole documents with every kind of rule, in one to three versions."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from tests.support import builders
from tests.support.dice import Dice

MILES = "SKY-MILE"
PROGRAMS = ("sky-rewards", "cash-club")
PRODUCTS = ("GOLD", "PLAT")
CODES = ("5411", "5812", "5814", "6011")
BLOCKS = {"NOK": ("10.00", "7.50"), "JPY": ("1000", "333"), "KWD": ("1.000", "0.375")}
LIMITS = {
    MILES: ("9", "20", "45", "100"),
    "NOK": ("1.00", "2.55", "6.00"),
    "JPY": ("100", "255", "600"),
    "KWD": ("0.100", "0.255", "1.000"),
}
FLATS = {MILES: ("5", "20"), "NOK": ("0.55", "2"), "JPY": ("55",), "KWD": ("0.055", "0.2")}
BOUNDS = {"NOK": ("50.00", "300.00"), "JPY": ("5000", "30000"), "KWD": ("5.000", "30.000")}
SCALES = {MILES: (0,), "NOK": (2, 2, 1, 0), "JPY": (0,), "KWD": (3, 3, 2)}
SPLITS = (
    ("100",),
    ("50", "50"),
    ("33.33", "33.33", "33.34"),
    ("0.5", "99.5"),
)
SECOND_FROM = ("2026-03-01", "2026-03-10", "2026-03-20", "2026-04-01")
THIRD_FROM = ("2026-03-12", "2026-03-28", "2026-04-02")


def agreements(dice: Dice, *, name: str, home: str) -> list[dict[str, Any]]:
    """All versions of one contract on spend in `home`, lowest first."""
    pick = dice.pick
    unit = pick(MILES, MILES, home)
    issuer = "second-bank" if name != "c1" and dice.seldom(4) else "first-bank"
    first = builders.contract(
        contract=name,
        issuer=issuer,
        program=pick(*PROGRAMS),
        currency=unit,
        term={"from": "2026-01-01", "to": "2026-03-31" if dice.seldom(6) else "2026-12-31"},
        zone=pick("Europe/Oslo", "Europe/Oslo", "America/New_York", "Asia/Kathmandu"),
        day_ends=pick("24:00", "24:00", "18:00", "03:30"),
        governing_date="posting" if dice.seldom(4) else "transaction",
        rules=rules(dice, unit=unit, home=home),
        amount=amounts(dice, home=home),
        **scope(dice),
    )
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
    if pick(True, False):
        for rule in after["rules"]:
            rule["earn"] = earns(dice, unit=unit, home=home)
    else:
        after["rules"] = rules(dice, unit=unit, home=home)
        after["amount"] = amounts(dice, home=home)
        after |= scope(dice)
    for rule in after["rules"]:
        if "limit" in rule.get("cap", {}):
            rule["cap"]["mid_period"] = "restart"
    kept = {key: after[key] for key in after if key not in ("settlement",)}
    return builders.contract(**kept)


def amounts(dice: Dice, *, home: str) -> dict[str, str]:
    """The `amount` clause."""
    eligible = dice.pick("gross", "gross", "without_cash", "without_tip_fee_tax")
    return {"basis": "billing", "currency": home, "eligible": eligible}


def scope(dice: Dice) -> dict[str, Any]:
    """What a version covers, excludes, who pays it and when it is released."""
    pick = dice.pick
    shares = pick(*SPLITS)
    rest = dice.upto(len(shares) - 1)
    return {
        "applies_to": {"card_products": ["GOLD"]} if dice.seldom(6) else "all",
        "exclude": pick(
            [], [], [], [],
            [{"mcc": ["6010", "6011-6012"]}], [{"mcc": ["5411"], "country": ["SE"]}],
            [{"channel": ["ONLINE"]}, {"merchant": ["M2"]}],
        ),
        "release": {"after": "posting", "days": pick(0, 14)},
        "funding": [
            {"funder": f"funder-{place}", "share": share}
            | ({"remainder": True} if place == rest else {})
            for place, share in enumerate(shares)
        ],
    }  # fmt: skip


def rules(dice: Dice, *, unit: str, home: str) -> list[dict[str, Any]]:
    """One to three rules, stacked or in a group, under caps of their own or shared ones."""
    pick = dice.pick
    size = pick(1, 2, 2, 3)
    grouped = pick(0, 2, size) if size > 1 else 0
    priorities = dice.shuffled([0, 3, 7])
    found = []
    for place in range(size):
        rule: dict[str, Any] = {"id": f"r{place}", "award": "base"}
        when = conditions(dice) if place or size == 1 else None
        if when:
            rule["when"] = when
        if place < grouped:
            rule |= {"exclusive_group": "spend", "priority": priorities[place]}
        rule |= bounds(dice, home=home)
        rule["earn"] = earns(dice, unit=unit, home=home)
        mode = pick("down", "half_up", "half_even", "up")
        rule["rounding"] = {
            "mode": mode, "scale": pick(*SCALES[unit]), "level": "per_transaction",
        }  # fmt: skip
        found.append(rule)
    _cap(dice, found, unit)
    return found


def _cap(dice: Dice, found: list[dict[str, Any]], unit: str) -> None:
    pick = dice.pick
    for rule in found:
        own = pick("own", "own", "none")
        if own == "own":
            rule["cap"] = {
                "limit": pick(*LIMITS[unit]), "of": "reward",
                "per": pick("month", "month", "day", "year", "lifetime"), "scope": "account",
                "beyond": pick("0", "0", "0.25", "0.5"),
            }  # fmt: skip
    owners = [rule["id"] for rule in found if "cap" in rule]
    for rule in found:
        if "cap" not in rule and owners and pick(True, True, False):
            rule["cap"] = {"shared_with": pick(*owners)}


def bounds(dice: Dice, *, home: str) -> dict[str, str]:
    """A minimum and a maximum, seldom."""
    pick = dice.pick
    low, high = BOUNDS[home]
    found: dict[str, str] = pick(
        {}, {}, {}, {"minimum_transaction": low}, {"maximum_transaction": high},
        {"minimum_transaction": low, "maximum_transaction": high},
    )  # fmt: skip
    return found


def earns(dice: Dice, *, unit: str, home: str) -> dict[str, Any]:
    """How spend becomes reward."""
    pick = dice.pick
    how = pick("per_block", "per_unit", "flat", "percent" if unit == home else "per_block")
    if how == "percent":
        return {"percent": pick("1", "1.5", "0.333", "10")}
    if how == "per_unit":
        return {"per_unit": {"units": pick("0.1", "0.05", "0.003")}}
    if how == "flat":
        return {"flat": {"units": pick(*FLATS[unit])}}
    units = pick("1", "3") if unit == MILES else pick("0.1", "0.25")
    return {"per_block": {"block": pick(*BLOCKS[home]), "units": units}}


def conditions(dice: Dice) -> dict[str, Any] | None:
    """A `when`, or none."""
    found: dict[str, Any] | None = dice.pick(
        None, None, None, {"mcc": ["5812-5814"]}, {"mcc": ["5411", "5812"]}, {"merchant": ["M1"]},
        {"country": ["NO", "SE"]}, {"channel": ["ONLINE"]}, {"product": ["PLAT"]},
        {"dates": {"from": "2026-03-05", "to": "2026-03-31"}},
    )  # fmt: skip
    return found
