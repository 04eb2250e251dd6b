"""Which kinds of rules, totals and clauses took part in what a picture grants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.support.chains import CAP, PERS, SCOPES, caps_of
from tests.support.conditions import ignored_kinds
from tests.support.dates import Document
from tests.support.lifecycles import Lifecycle
from tests.support.picture import Decided, Pass, Picture, Verdict

NET_IS_ZERO = "NET_IS_ZERO"
KEYS = ("mcc", "merchant", "country", "channel", "product", "dates", "merchant_name", "city",
        "currency", "attributes", "weekdays", "hours", "first_days", "from_activation", "always",
        "unless")  # fmt: skip
RULES = (
    "percent", "per_unit", "per_block", "flat", "bands marginal", "bands whole", "threshold",
    "count", "cap of spend", "rounding per period", "cap of reward", "several caps", "a pool",
    "beyond", "best highest", "best lowest", "priority", "least reward", "most reward",
    "minimum", "maximum", "funding by rule",
)  # fmt: skip
CONTRACTS = (
    *(f"refunds {policy}" for policy in ("recompute", "none", "full", "proportional")),
    *(f"release by {per}" for per in ("month", "quarter", "year", "billing_cycle")),
    "fixed funding", "a fee", "kinds left out",
)  # fmt: skip
BINDING = (
    "a cap is full", "a cap of spend is full", "a band is crossed", "a threshold is passed",
    "a count is full", "a remainder is carried",
)  # fmt: skip
ALL = (
    *RULES, *CONTRACTS, *BINDING, *(f"per {per}" for per in PERS),
    *(f"scope {scope}" for scope in SCOPES), *(f"when {key}" for key in KEYS),
)  # fmt: skip


def kinds_of(picture: Picture) -> set[str]:
    """The names, out of `ALL`, of what grants something or holds something back."""
    found: set[str] = set()
    several = [(key, one) for key, all_of in picture.decided.items() for one in all_of]
    for key, decided in several:
        document = decided.document
        if document is not None and decided.net is not None:
            found.update(_of_net(document, picture.purchases[key], decided))
        rules = {rule["id"]: rule for rule in document["rules"]} if document else {}
        for verdict in decided.verdicts:
            if document is None or not verdict.entered:
                continue
            for one in verdict.passes:
                found.update(_bends(one))
            if verdict.granted:
                found.update(_of_rule(rules[verdict.rule]))
                found.update(_of_contract(document, rules[verdict.rule]))
                found.update(_of_totals(verdict))
    return found


def _of_rule(rule: Document) -> Iterator[str]:
    yield from (key for key in rule.get("earn", ()) if key != "allow_over_100")
    if "bands" in rule:
        yield f"bands {rule['bands']['kind']}"
    yield from (key for key in ("threshold", "count") if key in rule)
    caps = caps_of(rule)
    if "threshold" not in rule and "count" not in rule and "bands" not in rule:
        of_spend = any(cap.get("of") == "spend" for cap in caps)
        if of_spend:
            yield "cap of spend"
        elif rule["rounding"]["level"] == "per_period":
            yield "rounding per period"
    rewards = [cap for cap in caps if cap.get("of") == "reward"]
    if rewards:
        yield "cap of reward"
    if len(rewards) > 1:
        yield "several caps"
    if any("shared_with" in cap for cap in caps):
        yield "a pool"
    names = {"minimum_transaction": "minimum", "maximum_transaction": "maximum",
             "minimum_reward": "least reward", "maximum_reward": "most reward",
             "priority": "priority", "funding": "funding by rule"}  # fmt: skip
    yield from (name for key, name in names.items() if key in rule)
    if "best" in rule:
        yield f"best {rule['best']}"
    yield from _of_condition(rule.get("when") or {})


def _of_condition(condition: Document) -> Iterator[str]:
    for key, value in condition.items():
        yield f"when {value['counts'] if key == 'activated' else key}"


def _of_net(document: Document, purchase: Lifecycle, decided: Decided) -> Iterator[str]:
    """Where a refund, or a kind that is left out, meets a rule that holds."""
    if not any(verdict.granted or verdict.reason == NET_IS_ZERO for verdict in decided.verdicts):
        return
    if purchase.net is not None and purchase.net.returned:
        yield f"refunds {document['refunds']['policy']}"
    if ignored_kinds(document) & {event.kind for event in purchase.events}:
        yield "kinds left out"


def _of_contract(document: Document, rule: Document) -> Iterator[str]:
    if document["release"]["after"] == "cycle":
        yield f"release by {document['release']['per']}"
    funding: Any = rule.get("funding") or document["funding"]
    if any("fixed" in line for line in funding):
        yield "fixed funding"
    if document.get("fees"):
        yield "a fee"


def _of_totals(verdict: Verdict) -> Iterator[str]:
    for one in verdict.passes:
        yield f"per {one.link.per}"
        yield f"scope {one.link.scope}"
        if one.link.kind == CAP and one.link.beyond and one.through > one.link.limit:
            yield "beyond"


def _bends(one: Pass) -> Iterator[str]:
    """Where F is bent under the purchase."""
    link, entered = one.link, one.through - one.before
    if link.kind == CAP and one.out < entered:
        yield "a cap is full"
    if link.kind == "spend" and one.through > link.limit:
        yield "a cap of spend is full"
    if link.kind == "bands" and link.step_of(one.before) != link.step_of(one.through):
        yield "a band is crossed"
    if link.kind == "threshold" and one.out and one.before:
        yield "a threshold is passed"
    if link.kind == "count" and one.out:
        yield "a count is full"
    if link.kind == "rounding" and one.out != link.worth(entered):
        yield "a remainder is carried"
