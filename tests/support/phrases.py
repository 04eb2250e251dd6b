"""A contract in short words, as scenario pages write it, into a whole contract document.

    contract sky-visa v1   zone Europe/Oslo   governs by transaction date   amounts in NOK
      base:   1 SKY-MILE per 10.00, per_block, down    group spend, priority 0
      dining: 3 SKY-MILE per 10.00, MCC 5812-5814      group spend, priority 10

Phrases stand apart by two blanks or a comma. An indented line without `name:` in front goes on
with the phrases of the contract. What is not said is that of `builders.contract`, and in a rule:
award base (bonus where it has a condition), rounding down to whole units.
"""

from __future__ import annotations

import re
from typing import Any

from tests.support.builders import contract

_HEAD = re.compile(r"contract (\S+) v(\d+)")
_RULE = re.compile(r"\s+([a-z][\w-]*):\s+(.*)")
_KEYS = {
    "MCC": "mcc",
    "merchant": "merchant",
    "country": "country",
    "channel": "channel",
    "product": "product",
}


def read_contract(lines: list[str]) -> tuple[dict[str, Any], bool]:
    """The document, and whether it is approved late (by a line of the page)."""
    head = _HEAD.match(lines[0])
    assert head, f"not a contract: {lines[0]}"
    changes: dict[str, Any] = {"contract": head[1], "version": int(head[2]), "rules": []}
    said = phrases(lines[0][head.end() :])
    for line in lines[1:]:
        rule = _RULE.match(line)
        if rule:
            changes["rules"].append(_rule(rule[1], phrases(rule[2]), changes))
        else:
            said += phrases(line)
    late = "approved late" in said
    for phrase in said:
        if phrase != "approved late":
            _head_phrase(phrase, changes)
    return contract(**changes), late


def phrases(text: str) -> list[str]:
    """The phrases of a line: apart by two blanks or a comma."""
    return [part.strip() for part in re.split(r"\s{2,}|,", text) if part.strip()]


def _head_phrase(phrase: str, changes: dict[str, Any]) -> None:
    words = phrase.split()
    amount = changes.setdefault(
        "amount", {"basis": "billing", "currency": "NOK", "eligible": "gross"}
    )
    match words:
        case ["zone" | "program" | "issuer" | "partner" as key, value]:
            changes[key] = value
        case ["governs", "by", date_of, "date"]:
            changes["governing_date"] = date_of
        case ["amounts", "in", currency]:
            amount["currency"] = currency
        case ["counts", *what]:
            amount["eligible"] = "_".join(what)
        case ["earns", unit]:
            changes["currency"] = unit
        case ["term", first, "to", last]:
            changes["term"] = {"from": first, "to": last}
        case ["day", "ends", time]:
            changes["day_ends"] = time
        case ["only", "cards", *products]:
            changes["applies_to"] = {"card_products": products}
        case ["except", *condition]:
            changes.setdefault("exclude", []).append(_condition(" ".join(condition)))
        case ["released", days, "days", "after", "posting"]:
            changes["release"] = {"after": "posting", "days": int(days)}
        case ["funded", "by", *shares]:
            changes["funding"] = _funding(" ".join(shares))
        case _:
            raise AssertionError(f"a contract does not say: {phrase}")


def _funding(text: str) -> list[dict[str, Any]]:
    """`first-bank 33.33 and sky-air 66.67 and the rest`: the rest goes to who is named before."""
    parts = text.split(" and ")
    rest = parts.index("the rest") - 1 if "the rest" in parts else 0
    funders = [part.split() for part in parts if part != "the rest"]
    return [
        {"funder": name, "share": share} | ({"remainder": True} if place == rest else {})
        for place, (name, share) in enumerate(funders)
    ]


def _condition(text: str) -> dict[str, Any]:
    """`MCC 5812-5814 6011 and country NO`: every key must hold."""
    condition: dict[str, Any] = {}
    for clause in text.split(" and "):
        key, *values = clause.split()
        if key == "dates":
            condition["dates"] = {"from": values[0], "to": values[2]}
        else:
            condition[_KEYS[key]] = [value.replace("\u2013", "-") for value in values]
    return condition


def _rule(name: str, said: list[str], changes: dict[str, Any]) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": name, "award": "base"}
    rounding = {"mode": "down", "scale": 0, "level": "per_transaction"}
    cap: dict[str, Any] = {}
    for phrase in said:
        _rule_phrase(phrase, rule, rounding, cap, changes)
    if "when" in rule:
        rule["award"] = "bonus"
    rule["rounding"] = rounding
    if cap:
        rule["cap"] = cap
    return rule


def _rule_phrase(
    phrase: str,
    rule: dict[str, Any],
    rounding: dict[str, Any],
    cap: dict[str, Any],
    changes: dict[str, Any],
) -> None:
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
            rule["earn"] = {"percent": share}
        case ["down" | "up" | "half_up" | "half_even" as mode]:
            rounding["mode"] = mode
        case ["scale", scale]:
            rounding["scale"] = int(scale)
        case ["group", group]:
            rule["exclusive_group"] = group
        case ["priority", priority]:
            rule["priority"] = int(priority)
        case ["minimum" | "maximum" as bound, amount]:
            rule[f"{bound}_transaction"] = amount
        case ["cap", limit, "a", per, "and", "account"]:
            beyond = cap.get("beyond", "0")
            cap |= {"limit": limit, "of": "reward", "per": per, "scope": "account"}
            cap["beyond"] = beyond
        case ["beyond", beyond]:
            cap["beyond"] = beyond
        case ["restart"]:
            cap["mid_period"] = "restart"
        case ["shares", "the", "cap", "of", owner]:
            cap["shared_with"] = owner
        case _:
            rule.setdefault("when", {}).update(_condition(phrase))
