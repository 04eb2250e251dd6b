"""The naive model's verdict of every rule of a version on one purchase.

Readings of the definition, where its words leave a choice:

* A rule that needs a date of the account that nobody knows does not hold, and then it competes in
  no group: dates that its links run by, and for a release at a billing cycle's close every rule.
* `best` compares u before any link: rounded where the rule rounds per transaction, else exact.
* Nothing that came out of bands or of rounding is ROUNDED_TO_ZERO; of a threshold or a count,
  NOT_REACHED; of a cap of spend that was full before the purchase, CAP_REACHED. Nothing eligible
  (all of it cash, say) while the net is above zero is the same as nothing that came out.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tests.support import clauses
from tests.support.chains import CAP, chain_of, first_kind
from tests.support.conditions import Known, holds
from tests.support.dates import Document, Read, period_of
from tests.support.nets import Net
from tests.support.picture import Pass, Verdict, Worth

Running = dict[tuple[Any, ...], Worth]
NEEDS = {"membership_year": "opened_on", "billing_cycle": "cycle_day"}


def verdicts(document: Read, net: Net, known: Known, running: Running) -> list[Verdict]:
    """The verdicts in the contract's order of rules; moves the running totals on."""
    refused = {rule["id"]: _refusal(document, rule, net, known) for rule in document["rules"]}
    winners = _winners(document, net, refused)
    found = []
    for rule in document["rules"]:
        name, group = rule["id"], rule.get("exclusive_group")
        if refused[name] is not None:
            found.append(Verdict(name, refused[name]))
        elif group is not None and winners[group] != name:
            found.append(Verdict(name, None))
        else:
            found.append(_granted(document, rule, net, known, running))
    return found


def _refusal(document: Read, rule: Document, net: Net, known: Known) -> str | None:
    pers = {link.per for link in chain_of(document, rule["id"])}
    if document["release"]["after"] == "cycle":
        pers.add(document["release"]["per"])
    if any(getattr(known.account, NEEDS[per]) is None for per in pers & NEEDS.keys()):
        return "NO_RULE"
    if not holds(rule.get("when"), known):
        return "NO_RULE"
    least = rule.get("minimum_transaction")
    if least is not None and net.net < clauses.minor(least, net.currency):
        return "BELOW_MINIMUM"
    return None


def _winners(document: Document, net: Net, refused: dict[str, str | None]) -> dict[str, str]:
    """Which rule of each group wins among those that nothing refuses."""
    groups: dict[str, list[Document]] = {}
    for rule in document["rules"]:
        if rule.get("exclusive_group") is not None and refused[rule["id"]] is None:
            groups.setdefault(rule["exclusive_group"], []).append(rule)
    won = {}
    for group, rules in groups.items():
        best = rules[0].get("best")
        if best is None:
            won[group] = max(rules, key=lambda rule: int(rule["priority"]))["id"]
        else:
            choose = max if best == "highest" else min
            won[group] = choose(rules, key=lambda rule: _u(document, rule, net))["id"]
    return won


def _u(document: Document, rule: Document, net: Net) -> Fraction:
    """u(P, r), before any total."""
    if rule["rounding"]["level"] == "per_transaction":
        return Fraction(clauses.earned(document, rule, net))
    return clauses.earn(document, rule, clauses.eligible_amount(document, rule, net, net.net))


def _entered(document: Document, rule: Document, net: Net) -> Fraction:
    """What the purchase enters into the first link of its rule."""
    kind = first_kind(rule)
    if kind == "count":
        return Fraction(1 if net.net > 0 else 0)
    if kind is None or kind == "rounding":
        return _u(document, rule, net)
    return Fraction(clauses.eligible_amount(document, rule, net, net.net))


def _granted(document: Read, rule: Document, net: Net, known: Known, running: Running) -> Verdict:
    """Through the chain: F(T through P) less F(T before P), link by link."""
    entered = _entered(document, rule, net)
    amount, passes = entered, []
    for link in chain_of(document, rule["id"]):
        account = known.facts.account_id
        scope_id = known.facts.card_token if link.scope == "card" else account
        dates = known.account.opened_on, known.account.cycle_day
        period = period_of(known.day, link.per, *dates)
        key = (
            document["contract"], link.owner, link.kind, link.terms, account, link.scope, scope_id,
            period, document["currency"],
        )  # fmt: skip
        was = running.get(key) or Worth(link, document["currency"])
        now = Worth(link, was.unit, was.total + amount, link.worth(was.total + amount))
        running[key] = now
        out = now.granted - was.granted
        passes.append(Pass(link, scope_id, period, was.total, now.total, out))
        amount = Fraction(out)
    assert amount.denominator == 1
    reason = None if amount else _nothing(net, passes)
    return Verdict(rule["id"], reason, entered, int(amount), tuple(passes))


def _nothing(net: Net, passes: list[Pass]) -> str:
    """Why a rule that holds grants nothing."""
    if net.net == 0:
        return "NET_IS_ZERO"
    first = passes[0] if passes and passes[0].link.kind != CAP else None
    came = first.out if first else passes[0].through - passes[0].before if passes else 0
    if came:
        return "CAP_REACHED"
    if first and first.link.kind in ("threshold", "count"):
        return "NOT_REACHED"
    if first and first.link.kind == "spend" and first.through > first.before >= first.link.limit:
        return "CAP_REACHED"
    return "ROUNDED_TO_ZERO"
