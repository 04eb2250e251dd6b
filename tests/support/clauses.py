"""The naive model reads what a purchase earns by itself: the net that counts, and its earn.

Contracts are plain documents: texts, lists and dicts, nothing compiled. Amounts of spend become
minor units of `amount.currency`, amounts of reward minor units of `currency`, both by the text's
own decimals. Readings of the definition:

* *none*: the net of the events without refunds, credits and reversals of refunds.
* *full*: any refund or credit stands where the sum R of them is above zero.
* *proportional*: the minimum is judged on the net as it is now; `u(S)` is rounded and clamped as
  the rule says, and then its part of the net is rounded once more.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

from iso4217 import Currency

from services.kernel.transaction import CardTransaction
from tests.support.conditions import ignored_kinds
from tests.support.dates import Document
from tests.support.nets import Net, half_up, net_of

GOING_BACK = {"REFUND", "ADJUSTMENT_CREDIT", "REFUND_REVERSAL"}


@cache
def exponent(code: str) -> int:
    """Decimals of a currency; 0 for a programme's own unit."""
    try:
        return int(Currency(code).exponent or 0)
    except ValueError:
        return 0


@cache
def exact(text: str) -> Fraction:
    """A number of a contract."""
    return Fraction(text)


@cache
def minor(text: str, code: str) -> int:
    """A text in major units as minor units; it must come out whole."""
    found = Fraction(text) * 10 ** exponent(code)
    assert found.denominator == 1, f"{text} has more decimals than {code}"
    return int(found.numerator)


# ── what counts ─────────────────────────────────────────────────────────────────────────────


def net_under(document: Document, events: list[CardTransaction], net: Net) -> Net:
    """The net under a contract's refund policy, without the kinds that it leaves out."""
    policy, ignored = document["refunds"]["policy"], ignored_kinds(document)
    if policy == "none":
        ignored |= GOING_BACK
    if ignored:
        net = net_of([event for event in events if event.kind not in ignored], net.currency)
    if policy == "full" and net.returned > 0:
        return net.with_net(0)
    return net


def eligible_amount(document: Document, rule: Document, net: Net, counted: int) -> int:
    """e: what counts of `counted`, after the maximum and without excluded parts."""
    if rule.get("maximum_transaction") is not None:
        counted = min(counted, minor(rule["maximum_transaction"], net.currency))
    if net.gross == 0:
        return 0
    left_out = Fraction(0)
    for leg, stands in net.legs:
        left_out += Fraction(_parts_left_out(document, leg) * stands, leg.billing_amount)
    return half_up(counted * (net.gross - left_out) / net.gross)


def _parts_left_out(document: Document, leg: CardTransaction) -> int:
    eligible = document["amount"]["eligible"]
    if eligible == "without_cash":
        return leg.cash_amount
    if eligible == "without_tip_fee_tax":
        return leg.tip_amount + leg.fee_amount + leg.tax_amount
    assert eligible == "gross"
    return 0


# ── what it earns ───────────────────────────────────────────────────────────────────────────


def earn(document: Document, rule: Document, spend: int) -> Fraction:
    """What `spend` minor units earn, exact."""
    clause: Document = rule["earn"]
    code = document["amount"]["currency"]
    unit: int = 10 ** exponent(document["currency"])
    if "percent" in clause:
        return spend * exact(clause["percent"]) / 100
    if "per_unit" in clause:
        return Fraction(spend * exact(clause["per_unit"]["units"]) * unit, 10 ** exponent(code))
    if "per_block" in clause:
        block: Document = clause["per_block"]
        return spend // minor(block["block"], code) * exact(block["units"]) * unit
    return exact(clause["flat"]["units"]) * unit if spend > 0 else Fraction(0)


def earned(document: Document, rule: Document, net: Net) -> int:
    """u(P, r) of a rule that rounds per transaction, under the contract's refund policy."""
    if document["refunds"]["policy"] != "proportional":
        return _rounded_and_clamped(document, rule, eligible_amount(document, rule, net, net.net))
    if net.net == 0:
        return 0
    whole = _rounded_and_clamped(document, rule, eligible_amount(document, rule, net, net.spent))
    return rounded(Fraction(whole * net.net, net.spent), rule["rounding"], document["currency"])


def _rounded_and_clamped(document: Document, rule: Document, spend: int) -> int:
    found = earn(document, rule, spend)
    reward, code = rounded(found, rule["rounding"], document["currency"]), document["currency"]
    if found > 0 and rule.get("minimum_reward") is not None:
        reward = max(reward, minor(rule["minimum_reward"], code))
    if found > 0 and rule.get("maximum_reward") is not None:
        reward = min(reward, minor(rule["maximum_reward"], code))
    return reward


def rounded(value: Fraction, rounding: Document, code: str) -> int:
    """A reward of minor units, rounded to `scale` decimals of the major unit."""
    step: int = 10 ** (exponent(code) - int(rounding["scale"]))
    whole, rest = divmod(value.numerator, value.denominator * step)
    twice, size = 2 * rest, value.denominator * step
    match rounding["mode"]:
        case "down":
            up = False
        case "up":
            up = rest > 0
        case "half_up":
            up = twice >= size
        case _:
            up = twice > size or (twice == size and whole % 2 == 1)
    return (whole + up) * step


# ── who pays it ─────────────────────────────────────────────────────────────────────────────


def funders_parts(document: Document, rule: Document, granted: int) -> dict[str, int]:
    """The parts of a grant: fixed parts first, in the list's order; of what is left each funder's
    share floored, and the rest to the one marked remainder."""
    funding = rule.get("funding") or document["funding"]
    parts: dict[str, int] = {}
    left = granted
    for line in funding:
        fixed = minor(line["fixed"], document["currency"]) if line.get("fixed") else 0
        parts[line["funder"]] = min(left, fixed)
        left -= parts[line["funder"]]
    last = ""
    for line in funding:
        share = exact(line.get("share") or "0") / 100
        parts[line["funder"]] += left * share.numerator // share.denominator
        if _is_true(line.get("remainder")):
            last = line["funder"]
    parts[last] += granted - sum(parts.values())
    return parts


def fees_of(document: Document, granted: int) -> dict[tuple[str, str], int]:
    """(party, funder) → the commission on a grant, for each line of `fees`."""
    found: dict[tuple[str, str], int] = {}
    for line in document.get("fees") or ():
        exact_fee = granted * exact(line["percent"]) / 100
        key = (line["party"], line["funder"])
        fee = rounded(exact_fee, line["rounding"], document["currency"])
        found[key] = found.get(key, 0) + fee
    return found


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"
