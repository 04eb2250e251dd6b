"""The naive model reads a contract as the plain document: texts, lists and dicts, nothing compiled.

Amounts of spend become minor units of `amount.currency`, amounts of reward minor units of
`currency`, both by the text's own decimals. Readings of the definition:

* `merchant` in a condition is the merchant id.
* An `exclude` clause and a `when` hold when all of their keys do; a missing `when` always holds.
* `F(T)` past the limit rounds the whole part beyond it, to the owner's scale and mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any

from iso4217 import Currency

from services.kernel.transaction import CardTransaction
from tests.support.dates import Document
from tests.support.nets import Net, half_up


@dataclass(frozen=True)
class Known:
    """What the conditions of a contract may look at."""

    facts: CardTransaction
    product: str | None
    day: date


@cache
def exponent(code: str) -> int:
    """Decimals of a currency; 0 for a programme's own unit."""
    try:
        return Currency(code).exponent or 0
    except ValueError:
        return 0


def minor(text: str, code: str) -> int:
    """A text in major units as minor units; it must come out whole."""
    exact = Fraction(text) * 10 ** exponent(code)
    assert exact.denominator == 1, f"{text} has more decimals than {code}"
    return exact.numerator


# ── conditions ──────────────────────────────────────────────────────────────────────────────


def holds(condition: Mapping[str, Any] | None, known: Known) -> bool:
    """Whether every key of a `when` or of one `exclude` clause holds."""
    return all(_key_holds(key, value, known) for key, value in (condition or {}).items())


def _key_holds(key: str, value: Any, known: Known) -> bool:
    if key == "dates":
        return bool(str(value["from"]) <= known.day.isoformat() <= str(value["to"]))
    fact = {
        "mcc": known.facts.mcc,
        "merchant": known.facts.merchant_id,
        "country": known.facts.merchant_country,
        "channel": known.facts.channel,
        "product": known.product,
    }[key]
    if fact is None:
        return False
    if key == "mcc":
        return any(_in_range(fact, entry) for entry in value)
    return fact in value


def _in_range(mcc: str, entry: str) -> bool:
    low, _, high = entry.partition("-")
    return low <= mcc <= (high or low)


def covers_product(document: Document, product: str | None) -> bool:
    """Whether the contract applies to the card product."""
    applies = document["applies_to"]
    return applies == "all" or product in applies["card_products"]


# ── from net to reward ──────────────────────────────────────────────────────────────────────


def eligible_amount(document: Document, rule: Document, net: Net) -> int:
    """e(P, r): the part of the net that counts, after the maximum and without excluded parts."""
    counted = net.net
    if rule.get("maximum_transaction") is not None:
        counted = min(counted, minor(rule["maximum_transaction"], net.currency))
    if net.gross == 0:
        return 0
    excluded = Fraction(0)
    for leg, stands in net.legs:
        excluded += Fraction(_excluded(document, leg) * stands, leg.billing_amount)
    return half_up(counted * (net.gross - excluded) / net.gross)


def _excluded(document: Document, leg: CardTransaction) -> int:
    eligible = document["amount"]["eligible"]
    if eligible == "without_cash":
        return leg.cash_amount
    if eligible == "without_tip_fee_tax":
        return leg.tip_amount + leg.fee_amount + leg.tax_amount
    assert eligible == "gross"
    return 0


def earned(document: Document, rule: Document, spend: int) -> int:
    """u(P, r): what `spend` minor units earn, rounded per transaction."""
    ((how, value),) = rule["earn"].items()
    code = document["amount"]["currency"]
    unit = 10 ** exponent(document["currency"])
    if how == "percent":
        exact = spend * Fraction(value) / 100
    elif how == "per_unit":
        exact = Fraction(spend, 10 ** exponent(code)) * Fraction(value["units"]) * unit
    elif how == "per_block":
        exact = spend // minor(value["block"], code) * Fraction(value["units"]) * unit
    else:
        exact = Fraction(value["units"]) * unit if spend > 0 else Fraction(0)
    return rounded(exact, rule["rounding"], document["currency"])


def rounded(exact: Fraction, rounding: Document, code: str) -> int:
    """A reward of minor units, rounded to `scale` decimals of the major unit."""
    step = 10 ** (exponent(code) - int(rounding["scale"]))
    pieces = exact / step
    whole, rest = divmod(pieces.numerator, pieces.denominator)
    twice = 2 * rest
    up = {
        "down": False,
        "up": rest > 0,
        "half_up": twice >= pieces.denominator,
        "half_even": twice > pieces.denominator or (twice == pieces.denominator and whole % 2 == 1),
    }[rounding["mode"]]
    return (whole + (1 if up else 0)) * step


# ── caps ────────────────────────────────────────────────────────────────────────────────────


def owner_of_cap(document: Document, rule: Document) -> Document | None:
    """The rule whose cap this rule is under: itself, the one it shares with, or none."""
    cap = rule.get("cap")
    if cap is None:
        return None
    if "shared_with" in cap:
        return next(other for other in document["rules"] if other["id"] == cap["shared_with"])
    return rule


def cap_terms(document: Document, owner: Document) -> tuple[Any, ...]:
    """What F depends on: limit, per, scope and beyond, with the owner's rounding if it matters."""
    cap, rounding = owner["cap"], owner["rounding"]
    terms = (minor(cap["limit"], document["currency"]), cap["per"], cap["scope"])
    beyond = Fraction(cap["beyond"])
    return (*terms, beyond, (rounding["mode"], str(rounding["scale"])) if beyond else None)


def under_cap(document: Document, owner: Document, total: int) -> int:
    """F(T): what the first `total` minor units of reward are worth under the cap."""
    limit = minor(owner["cap"]["limit"], document["currency"])
    if total <= limit:
        return total
    past = (total - limit) * Fraction(owner["cap"]["beyond"])
    return limit + rounded(past, owner["rounding"], document["currency"])


def funders_parts(document: Document, granted: int) -> dict[str, int]:
    """The parts of a grant: each funder's share floored, the rest to the one marked remainder."""
    parts, last = {}, ""
    for line in document["funding"]:
        share = Fraction(line["share"]) / 100
        parts[line["funder"]] = granted * share.numerator // share.denominator
        if str(line.get("remainder", "false")) in ("true", "True"):
            last = line["funder"]
    parts[last] += granted - sum(parts.values())
    return parts
