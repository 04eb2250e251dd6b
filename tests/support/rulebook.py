"""Random rules of every kind, such as `contract check` accepts: plain, capped, by bands, by a
threshold, by a count, by a cap of spend, rounded by the period; stacked or in groups; in pools."""

from __future__ import annotations

from typing import Any

from tests.support.clauses import exponent
from tests.support.dice import Dice
from tests.support.whens import conditions

Rule = dict[str, Any]

MILES = "SKY-MILE"
WIDER = {
    "day": ("day", "week", "month", "quarter", "year", "membership_year", "billing_cycle",
            "lifetime"),
    "week": ("week", "lifetime"),
    "month": ("month", "quarter", "year", "lifetime"),
    "quarter": ("quarter", "year", "lifetime"),
    "year": ("year", "lifetime"),
    "membership_year": ("membership_year", "lifetime"),
    "billing_cycle": ("billing_cycle", "lifetime"),
    "lifetime": ("lifetime",),
}  # fmt: skip
PERS = ("month", "month", "month", "day", "week", "quarter", "year", "membership_year",
        "billing_cycle", "lifetime")  # fmt: skip
BLOCKS = {"NOK": ("10.00", "7.50"), "JPY": ("1000", "333"), "KWD": ("1.000", "0.375")}
LIMITS = {MILES: (9, 20, 45, 100), "NOK": (100, 255, 600), "JPY": (100, 255, 600),
          "KWD": (100, 255, 1_000)}  # fmt: skip
FLATS = {MILES: (5, 20), "NOK": (55, 200), "JPY": (55,), "KWD": (55, 200)}
SCALES = {MILES: (0,), "NOK": (2, 2, 1, 0), "JPY": (0,), "KWD": (3, 3, 2)}
RATES = ("0.003", "0.05", "0.1", "0.2")


def text_of(minor: int, code: str) -> str:
    """An amount in major units, with all the decimals of its currency."""
    places = exponent(code)
    digits = f"{minor:0{places + 1}d}"
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def rules(dice: Dice, *, unit: str, home: str, plain: bool) -> list[Rule]:
    """One to three rules; `plain` ones round per transaction and have caps of reward only."""
    pick = dice.pick
    size = pick(1, 2, 2, 3)
    grouped = pick(0, 2, size) if size > 1 else 0
    best = pick(None, "highest", "lowest") if grouped else None
    priorities = dice.shuffled([0, 3, 7])
    found = []
    for place in range(size):
        rule: Rule = {"id": f"r{place}", "award": "base"}
        when = conditions(dice) if place or size == 1 else None
        if when:
            rule["when"] = when
        if place < grouped:
            by = {"priority": priorities[place]} if best is None else {"best": best}
            rule |= {"exclusive_group": "spend"} | by
        _bounds(dice, rule, home=home)
        _earning(dice, rule, unit=unit, home=home, plain=plain)
        found.append(rule)
    for rule in found:
        _caps(dice, rule, unit)
    for rule in found:
        _share(dice, rule, found)
    return found


def earns(dice: Dice, *, unit: str, home: str, flat: bool = True) -> Rule:
    """How spend becomes reward."""
    pick = dice.pick
    how = pick("per_block", "per_unit", "flat", "percent" if unit == home else "per_block")
    if how == "percent":
        if dice.seldom(12):
            return {"percent": "150", "allow_over_100": True}
        return {"percent": pick("1", "1.5", "0.333", "10")}
    if how == "flat" and flat:
        return {"flat": {"units": text_of(pick(*FLATS[unit]), unit)}}
    if how == "per_unit":
        return {"per_unit": {"units": pick(*RATES[:3])}}
    units = pick("1", "3") if unit == MILES else pick("0.1", "0.25")
    return {"per_block": {"block": pick(*BLOCKS[home]), "units": units}}


def restarting(rule: Rule) -> None:
    """Let every total of the rule say that it may start afresh inside a period."""
    caps = [cap for cap in caps_of(rule) if "limit" in cap]
    instead = [rule[key] for key in ("bands", "threshold", "count") if key in rule]
    if not instead and not any(cap["of"] == "spend" for cap in caps):
        instead += [rule["rounding"]] if rule["rounding"]["level"] == "per_period" else []
    for clause in (*instead, *caps):
        clause["mid_period"] = "restart"


def caps_of(rule: Rule) -> list[dict[str, Any]]:
    """The caps of a rule, one or several."""
    cap = rule.get("cap")
    return [] if cap is None else list(cap) if isinstance(cap, list) else [cap]


def _bounds(dice: Dice, rule: Rule, *, home: str) -> None:
    low, high = text_of(5_000, home), text_of(30_000, home)
    rule |= dice.pick(
        {}, {}, {}, {"minimum_transaction": low}, {"maximum_transaction": high},
        {"minimum_transaction": low, "maximum_transaction": high},
    )  # fmt: skip


def _earning(dice: Dice, rule: Rule, *, unit: str, home: str, plain: bool) -> None:
    """Earn or what stands in its place, and the rounding."""
    pick = dice.pick
    kinds = ["reward"] * 4 + ["spend", "spend", "rounding", "rounding"]
    if "best" not in rule:
        kinds += ["bands", "bands", "threshold", "threshold", "count", "count"]
    kind = "reward" if plain else pick(*kinds)
    rounding: Rule = {
        "mode": pick("down", "half_up", "half_even", "up"),
        "scale": pick(*SCALES[unit]), "level": "per_transaction",
    }  # fmt: skip
    if kind != "reward":
        runs = {"per": pick(*PERS), "scope": pick("account", "account", "account", "card")}
        rounding |= {"level": "per_period"} | runs
        if kind in ("threshold", "count"):
            rounding["scale"] = exponent(unit)
        if kind == "bands":
            rule["bands"] = _bands(dice, home) | runs
        elif kind == "threshold":
            rule["threshold"] = runs | {"steps": _steps(dice, unit=unit, home=home)}
        elif kind == "count":
            units = text_of(pick(*FLATS[unit]), unit)
            rule["count"] = {"every": pick(2, 2, 2, 3), "units": units} | runs
        elif kind == "spend":
            limit = text_of(pick(9_000, 25_000, 60_000), home)
            beyond = pick("0", "0", "0.5")
            rule["cap"] = {"limit": limit, "of": "spend"} | runs | {"beyond": beyond}
    if kind in ("reward", "rounding", "spend"):
        rule["earn"] = earns(dice, unit=unit, home=home, flat=kind != "spend")
    if kind == "reward":
        _reward_bounds(dice, rule, rounding, unit)
    rule["rounding"] = rounding


def _reward_bounds(dice: Dice, rule: Rule, rounding: Rule, unit: str) -> None:
    """A least and a most reward, seldom; whole steps of the rounding."""
    step = 10 ** (exponent(unit) - rounding["scale"])
    least, most = text_of(3 * step, unit), text_of(40 * step, unit)
    rule |= dice.pick(
        {}, {}, {}, {}, {}, {"minimum_reward": least}, {"maximum_reward": most},
        {"minimum_reward": least, "maximum_reward": most},
    )  # fmt: skip


def _bands(dice: Dice, home: str) -> Rule:
    """Two or three steps; under `whole` no rate is lower than the one before."""
    pick = dice.pick
    starts = pick((0, 20_000), (5_000, 30_000), (0, 12_000, 40_000))
    rates = [pick(*RATES) for _ in starts]
    kind = pick("marginal", "whole")
    if kind == "whole":
        rates.sort(key=RATES.index)
    steps = [
        {"from": text_of(start, home), "units": rate}
        for start, rate in zip(starts, rates, strict=True)
    ]
    return {"kind": kind, "steps": steps}


def _steps(dice: Dice, *, unit: str, home: str) -> list[dict[str, str]]:
    """One to three steps of a threshold, rising."""
    reaches = dice.pick((8_000,), (5_000, 30_000), (8_000, 25_000, 60_000), (1_000, 40_000))
    return [
        {"reach": text_of(reach, home), "units": text_of(units, unit)}
        for reach, units in zip(reaches, LIMITS[unit], strict=False)
    ]


def _caps(dice: Dice, rule: Rule, unit: str) -> None:
    """No, one or several caps of reward, each within the next."""
    pick = dice.pick
    found = caps_of(rule)
    for _ in range(pick(0, 1, 1, 1, 2, 3) if not found else pick(0, 0, 1)):
        within = _runs(rule, found)
        per = pick(*WIDER[within["per"]]) if within else pick(*PERS)
        scope = pick("account", "account", "card")
        if within and within["scope"] == "account":
            scope = "account"
        found.append({
            "limit": text_of(pick(*LIMITS[unit]), unit), "of": "reward", "per": per,
            "scope": scope, "beyond": pick("0", "0", "0", "0.25", "0.5"),
        })  # fmt: skip
    if found:
        rule["cap"] = found[0] if len(found) == 1 else found


def _runs(rule: Rule, caps: list[dict[str, Any]]) -> dict[str, str] | None:
    """Period and scope that the next total must contain."""
    last = caps[-1] if caps else rule["rounding"]
    return {"per": last["per"], "scope": last["scope"]} if "per" in last else None


def _share(dice: Dice, rule: Rule, found: list[Rule]) -> None:
    """A rule without a cap shares another's, mostly, if its own totals lie within that one."""
    if "cap" in rule or not dice.pick(True, True, False):
        return
    own = _runs(rule, [])
    owners = []
    for other in found:
        caps = [cap for cap in caps_of(other) if cap.get("of") == "reward"]
        if not caps:
            continue
        narrow = caps[0]
        nests = own is None or (
            narrow["per"] in WIDER[own["per"]] and narrow["scope"] in (own["scope"], "account")
        )
        owners += [other["id"]] if nests else []
    if owners:
        rule["cap"] = {"shared_with": dice.pick(*owners)}
