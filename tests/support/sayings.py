"""What a rule of a scenario page may say, and what its conditions may be.

earn       `1 SKY-MILE per 10.00` · `0.5 SKY-MILE per_unit` · `5 SKY-MILE flat` · `1.5 percent`
instead    `bands marginal a month and card from 0.00 at 0.1 from 1000.00 at 0.2`
           `threshold a year and account reach 3000.00 gives 100 reach 5000.00 gives 250`
           `count a year and account every 10 gives 100`
rounding   `down` · `half_up` … · `scale 2` · `rounded a month and account`
limits     `minimum 50.00` · `maximum 300.00` · `least reward 5` · `most reward 20`
           `cap 50 a month and account` · `spend cap 1000.00 a quarter and card` · `beyond 0.5`
           (of the cap before it) · `shares the cap of base` · `restart` (whatever it has)
overlap    `group spend` · `priority 10` · `best highest`
who pays   `funded by …`, as a contract says it
conditions `MCC 5812-5814 6011 and country NO`: every key must hold; names with blanks in quotes
           `brand "SKY AIR*"` · `city OSLO` · `currency EUR` · `attribute type GIFT_CARD OTHER`
           `weekdays SAT SUN` · `hours 22:00 to 02:00` · `first 90 days` · `dates DATE to DATE`
           `activated CODE from then on` · `activated CODE at any time` · `unless MCC 5411`

What is not said: award base (bonus where it has a condition), rounding down to whole units.
"""

from __future__ import annotations

import shlex
from typing import Any

_KEYS = {
    "MCC": "mcc",
    "merchant": "merchant",
    "brand": "merchant_name",
    "city": "city",
    "country": "country",
    "channel": "channel",
    "currency": "currency",
    "product": "product",
    "weekdays": "weekdays",
    "kind": "kind",
}
INSTEAD = ("bands", "threshold", "count")


def condition(text: str) -> dict[str, Any]:
    """The mapping of a phrase; `unless` takes all that follows it."""
    found: dict[str, Any] = {}
    text, _, negated = text.partition("unless ")
    if negated:
        found["unless"] = [condition(part) for part in negated.split(" or ")]
    for clause in text.removesuffix(" and ").split(" and ") if text else ():
        match shlex.split(clause):
            case ["dates", first, "to", last]:
                found["dates"] = {"from": first, "to": last}
            case ["hours", start, "to", end]:
                found["hours"] = {"from": start, "to": end}
            case ["first", days, "days"]:
                found["first_days"] = days
            case ["activated", code, *counts]:
                always = {"from then on": False, "at any time": True}[" ".join(counts)]
                counted = "always" if always else "from_activation"
                found["activated"] = {"code": code, "counts": counted}
            case ["attribute", name, *values]:
                found.setdefault("attributes", {})[name] = values
            case [key, *values]:
                found[_KEYS[key]] = [value.replace("\u2013", "-") for value in values]
    return found


def rule_of(name: str, said: list[str], changes: dict[str, Any]) -> dict[str, Any]:
    """A rule's mapping; its unit becomes the contract's."""
    rule: dict[str, Any] = {"id": name, "award": "base"}
    rounding: dict[str, Any] = {"mode": "down", "scale": 0, "level": "per_transaction"}
    caps: list[dict[str, Any]] = []
    for phrase in said:
        if not (
            _earns(phrase, rule, changes)
            or _limits(phrase, rule, caps)
            or _rounds(phrase, rounding)
            or _other(phrase, rule)
        ):
            rule.setdefault("when", {}).update(condition(phrase))
    if "when" in rule:
        rule["award"] = "bonus"
    _by_period(rule, rounding, caps)
    if "restart" in said:
        _restart(rule, rounding, caps)
    rule["rounding"] = rounding
    if caps:
        rule["cap"] = caps[0] if len(caps) == 1 else caps
    return rule


def _earns(phrase: str, rule: dict[str, Any], changes: dict[str, Any]) -> bool:
    match phrase.split():
        case [units, unit, "per", block]:
            rule["earn"] = {"per_block": {"block": block, "units": units}}
            changes["currency"] = unit
        case ["per_block"]:
            assert "per_block" in rule["earn"]
        case [units, unit, "per_unit" | "flat" as how]:
            rule["earn"] = {how: {"units": units}}
            changes["currency"] = unit
        case [share, "percent"]:
            meant = {"allow_over_100": True} if float(share) > 100 else {}
            rule["earn"] = {"percent": share} | meant
        case ["bands", kind, "a", *rest]:
            runs, steps = _runs(rest)
            rule["bands"] = {"kind": kind} | runs | {"steps": _steps(steps, "from", "units")}
        case ["threshold", "a", *rest]:
            runs, steps = _runs(rest)
            rule["threshold"] = runs | {"steps": _steps(steps, "reach", "units")}
        case ["count", "a", *rest]:
            runs, (_, every, _, units) = _runs(rest)
            rule["count"] = {"every": int(every), "units": units} | runs
        case _:
            return False
    return True


def _limits(phrase: str, rule: dict[str, Any], caps: list[dict[str, Any]]) -> bool:
    match phrase.split():
        case ["minimum" | "maximum" as bound, amount]:
            rule[f"{bound}_transaction"] = amount
        case ["least" | "most" as bound, "reward", amount]:
            rule[{"least": "minimum_reward", "most": "maximum_reward"}[bound]] = amount
        case ["cap", limit, "a", *rest]:
            caps.append({"limit": limit, "of": "reward"} | _runs(rest)[0] | {"beyond": "0"})
        case ["spend", "cap", limit, "a", *rest]:
            caps.append({"limit": limit, "of": "spend"} | _runs(rest)[0] | {"beyond": "0"})
        case ["beyond", beyond]:
            caps[-1]["beyond"] = beyond
        case ["shares", "the", "cap", "of", owner]:
            caps.append({"shared_with": owner})
        case _:
            return False
    return True


def _rounds(phrase: str, rounding: dict[str, Any]) -> bool:
    match phrase.split():
        case ["down" | "up" | "half_up" | "half_even" as mode]:
            rounding["mode"] = mode
        case ["scale", scale]:
            rounding["scale"] = int(scale)
        case ["rounded", "a", *rest]:
            rounding |= {"level": "per_period"} | _runs(rest)[0]
        case _:
            return False
    return True


def _other(phrase: str, rule: dict[str, Any]) -> bool:
    match phrase.split():
        case ["group", group]:
            rule["exclusive_group"] = group
        case ["priority", priority]:
            rule["priority"] = int(priority)
        case ["best", which]:
            rule["best"] = which
        case ["funded", "by", *shares]:
            rule["funding"] = funding(" ".join(shares))
        case ["restart"]:
            pass
        case _:
            return False
    return True


def _runs(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """`billing cycle and account …`: per and scope, and the words after them."""
    at = words.index("and")
    return {"per": "_".join(words[:at]), "scope": words[at + 1]}, words[at + 2 :]


def _steps(words: list[str], first: str, second: str) -> list[dict[str, str]]:
    """`from 0.00 at 0.1 from 1000.00 at 0.2` as a list of mappings."""
    return [{first: words[at + 1], second: words[at + 3]} for at in range(0, len(words), 4)]


def _by_period(rule: dict[str, Any], rounding: dict[str, Any], caps: list[dict[str, Any]]) -> None:
    """What stands in place of `earn`, and a cap of spend, round by their own period."""
    bent = [rule[key] for key in INSTEAD if key in rule]
    bent += [cap for cap in caps if cap.get("of") == "spend"]
    for clause in bent:
        rounding |= {"level": "per_period", "per": clause["per"], "scope": clause["scope"]}


def _restart(rule: dict[str, Any], rounding: dict[str, Any], caps: list[dict[str, Any]]) -> None:
    bent = [rule[key] for key in INSTEAD if key in rule]
    own = [cap for cap in caps if "limit" in cap]
    if rounding["level"] == "per_period" and not bent and not any(c["of"] == "spend" for c in own):
        bent.append(rounding)
    for clause in (*bent, *own):
        clause["mid_period"] = "restart"


def funding(text: str) -> list[dict[str, Any]]:
    """`shop fixed 5 and first-bank 33.33 and sky-air 66.67 and the rest`: what fixed parts leave
    goes by the shares, and the rest of that to who is named before it."""
    parts = text.split(" and ")
    rest = parts.index("the rest") - 1 if "the rest" in parts else 0
    found: list[dict[str, Any]] = []
    for place, part in enumerate(part for part in parts if part != "the rest"):
        match part.split():
            case [name, "fixed", fixed]:
                line = {"funder": name, "fixed": fixed}
            case [name, "fixed", fixed, share]:
                line = {"funder": name, "fixed": fixed, "share": share}
            case [name, share]:
                line = {"funder": name, "share": share}
            case _:
                raise AssertionError(f"not a funder: {part}")
        found.append(line | ({"remainder": True} if place == rest else {}))
    return found
