"""A contract in short words, as scenario pages write it, into a whole contract document.

    contract sky-visa v1   zone Europe/Oslo   governs by transaction date   amounts in NOK
      base:   1 SKY-MILE per 10.00, per_block, down    group spend, priority 0
      dining: 3 SKY-MILE per 10.00, MCC 5812-5814      group spend, priority 10

Phrases stand apart by two blanks or a comma. An indented line without `name:` in front goes on
with the phrases of the contract, one with `and` in front with those of the rule above it. What is
not said is that of `builders.contract`; what a rule may say is in `sayings`.
"""

from __future__ import annotations

import re
from typing import Any

from tests.support.builders import contract
from tests.support.sayings import condition, funding, rule_of

_HEAD = re.compile(r"contract (\S+) v(\d+)")
_RULE = re.compile(r"\s+([a-z][\w-]*):\s+(.*)")
_MORE = re.compile(r"\s+and\s\s+(.*)")


def read_contract(lines: list[str]) -> tuple[dict[str, Any], bool]:
    """The document, and whether it is approved late (by a line of the page)."""
    head = _HEAD.match(lines[0])
    assert head, f"not a contract: {lines[0]}"
    changes: dict[str, Any] = {"contract": head[1], "version": int(head[2]), "rules": []}
    said = phrases(lines[0][head.end() :])
    rules: list[tuple[str, list[str]]] = []
    for line in lines[1:]:
        if more := _MORE.match(line):
            rules[-1][1].extend(phrases(more[1]))
        elif rule := _RULE.match(line):
            rules.append((rule[1], phrases(rule[2])))
        else:
            said += phrases(line)
    late = "approved late" in said
    for phrase in said:
        if phrase != "approved late":
            _head_phrase(phrase, changes)
    for name, words in rules:
        changes["rules"].append(rule_of(name, words, changes))
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
        case ["except", *_]:
            changes.setdefault("exclude", []).append(condition(phrase.removeprefix("except ")))
        case ["refunds", policy]:
            changes["refunds"] = {"policy": policy, "window_days": 180}
        case ["released", days, "days", "after", "posting"]:
            changes["release"] = {"after": "posting", "days": int(days)}
        case ["released", days, "days", "after", "the", *per]:
            changes["release"] = {"after": "cycle", "per": "_".join(per), "days": int(days)}
        case ["funded", "by", *shares]:
            changes["funding"] = funding(" ".join(shares))
        case ["fee", "of", percent, "percent", "to", party, "from", funder, mode]:
            rounding = {"mode": mode, "scale": 0}
            fee = {"party": party, "percent": percent, "funder": funder, "rounding": rounding}
            changes.setdefault("fees", []).append(fee)
        case _:
            raise AssertionError(f"a contract does not say: {phrase}")
