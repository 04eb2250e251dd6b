"""The naive model: what is owed, from the whole set of recorded events, without any state.

It is the definition of accrual written down once more, by other means and on purpose slowly:
fractions, plain documents, plain rows, no increments. It knows nothing of the engine. `recompute`
takes everything that has been recorded so far and answers with a `Picture`; a caller who wants to
know what one event did takes the picture before and the picture after it.

Readings of the definition, where its words leave a choice:

* *Of these the one furthest down the list*: over every rule of every contract of the issuer. A rule
  of a group that another one won has no reason.
* *Where one contract waits, the event is WAITING*: unless it caused a transfer. It goes before
  NO_CHANGE. *An authorization that posts nothing* goes before both; its reversal is another kind.
* Nothing eligible (all of it cash, say) while the net is above zero is ROUNDED_TO_ZERO.
* A grant is known by version, rule, governing date and `available_on`: when the facts move any of
  these, it is taken back as it was and given anew, and the event is POSTED.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from tests.support import clauses, dates
from tests.support.clauses import Known
from tests.support.dates import Document, Row
from tests.support.lifecycles import Lifecycle, Recorded, link
from tests.support.picture import REASONS, Decided, Picture, Verdict


def recompute(
    records: Iterable[Recorded], contracts: Sequence[Document], members: Sequence[Sequence[Row]]
) -> Picture:
    """The whole picture.

    `contracts` are the approved documents, `members` the rows of each import, in their order.
    """
    linked = link(records)
    picture = Picture(contracts, linked, {}, {}, defaultdict(list), {}, {}, {})
    versions: dict[str, list[Document]] = defaultdict(list)
    for document in contracts:
        versions[document["contract"]].append(document)
    rows = dates.current_rows(members)
    entitled = [found for found in linked.lifecycles.values() if found.presentments]
    for purchase in sorted(entitled, key=lambda found: found.place):
        picture.decided[purchase.key] = [
            _decide(purchase, documents, rows, picture.worth)
            for _, documents in sorted(versions.items())
            if documents[0]["issuer"] == purchase.key[0]
        ]
    for purchase in linked.lifecycles.values():
        picture.reasons[purchase.key] = _reason(picture.decided.get(purchase.key))
        for decided in picture.decided.get(purchase.key, ()):
            _grant(purchase, decided, picture)
    for (contract, rule, (_, _, scope, *_), account, period, unit), worth in picture.worth.items():
        if worth[1]:
            picture.totals[contract, rule, scope, account, period, unit].append(worth[1])
    return picture


def outcome(before: Picture, after: Picture, record: Recorded) -> tuple[str, str | None]:
    """Outcome and reason of the record that came between two pictures."""
    event = record.event
    repeat = after.linked.repeats.get((record.stream, record.seq))
    if repeat is not None:
        return repeat, None
    if record.role == "compare":
        return "NO_REWARD", "COMPARE_FEED"
    if before.posted != after.posted:
        return "POSTED", None
    waiting = after.linked.waiting.get((event.issuer_id, event.event_id))
    if waiting is not None:
        return "WAITING", waiting
    if event.kind == "AUTHORIZATION":
        return "NO_REWARD", "NO_PRESENTMENT"
    key = after.linked.purchase_of[event.issuer_id, event.event_id]
    if any(decided.waits for decided in after.decided.get(key, ())):
        return "WAITING", "MISSING_POSTING_DATE"
    return "NO_REWARD", after.reasons[key] or "NO_CHANGE"


def _decide(
    purchase: Lifecycle,
    documents: Sequence[Document],
    rows: Sequence[tuple[int, Row]],
    worth: dict[tuple[Any, ...], tuple[int, int]],
) -> Decided:
    """One contract's verdicts on a purchase; moves the running totals on by what it earns."""
    assert purchase.facts is not None
    decided = Decided(documents[0]["contract"])
    decided.day = dates.governing_date(documents[0], purchase.facts)
    if decided.day is None:
        decided.waits = True
        return decided
    decided.document = dates.version_of(documents, decided.day)
    refusal = _refusal(purchase, decided, rows)
    if refusal is not None or decided.document is None:
        decided.verdicts = [Verdict("", refusal)]
        return decided
    decided.available_on = dates.available_on(decided.document, purchase.facts, decided.day)
    product = dates.product_of(rows, purchase.facts, decided.day)
    known = Known(purchase.facts, product, decided.day)
    decided.verdicts = _verdicts(purchase, decided, known, worth)
    return decided


def _refusal(purchase: Lifecycle, decided: Decided, rows: Sequence[tuple[int, Row]]) -> str | None:
    """Why the contract as a whole gives nothing, the first reason in the fixed order."""
    facts, day, document = purchase.facts, decided.day, decided.document
    assert facts is not None and day is not None and purchase.net is not None
    if document is None:
        return "NO_CONTRACT"
    if not dates.enrolled(rows, facts.account_id, document["program"], day):
        return "NOT_ENROLLED"
    if purchase.net.currency != document["amount"]["currency"]:
        return "CURRENCY_NOT_COVERED"
    product = dates.product_of(rows, facts, day)
    if not clauses.covers_product(document, product):
        return "CARD_PRODUCT_NOT_COVERED"
    known = Known(facts, product, day)
    if any(clauses.holds(clause, known) for clause in document.get("exclude") or ()):
        return "EXCLUDED"
    return None


def _verdicts(
    purchase: Lifecycle,
    decided: Decided,
    known: Known,
    worth: dict[tuple[Any, ...], tuple[int, int]],
) -> list[Verdict]:
    document, net = decided.document, purchase.net
    assert document is not None and net is not None
    refused: dict[str, str] = {}
    winners: dict[str, int] = {}
    for rule in document["rules"]:
        least = rule.get("minimum_transaction")
        if not clauses.holds(rule.get("when"), known):
            refused[rule["id"]] = "NO_RULE"
        elif least is not None and net.net < clauses.minor(least, net.currency):
            refused[rule["id"]] = "BELOW_MINIMUM"
        elif rule.get("exclusive_group") is not None:
            group = rule["exclusive_group"]
            winners[group] = max(winners.get(group, -(10**9)), int(rule["priority"]))
    verdicts = []
    for rule in document["rules"]:
        group = rule.get("exclusive_group")
        if rule["id"] in refused:
            verdicts.append(Verdict(rule["id"], refused[rule["id"]]))
        elif group is not None and int(rule["priority"]) != winners[group]:
            verdicts.append(Verdict(rule["id"], None))
        else:
            verdicts.append(_earn(purchase, decided, rule, worth))
    return verdicts


def _earn(
    purchase: Lifecycle,
    decided: Decided,
    rule: Document,
    worth: dict[tuple[Any, ...], tuple[int, int]],
) -> Verdict:
    """granted(P, r) = F(T through P) less F(T before P), or u where there is no cap."""
    document, net, day = decided.document, purchase.net, decided.day
    assert document is not None and net is not None and day is not None
    eligible = clauses.eligible_amount(document, rule, net)
    earned = granted = clauses.earned(document, rule, eligible)
    owner = clauses.owner_of_cap(document, rule)
    if owner is not None:
        terms = clauses.cap_terms(document, owner)
        period = dates.period_of(day, owner["cap"]["per"])
        account, unit = purchase.key[1], document["currency"]
        key = (document["contract"], owner["id"], terms, account, period, unit)
        before, was_worth = worth.get(key, (0, 0))
        now_worth = clauses.under_cap(document, owner, before + earned)
        worth[key] = (before + earned, now_worth)
        granted = now_worth - was_worth
    reason = None
    if not granted:
        reason = "NET_IS_ZERO" if net.net == 0 else "CAP_REACHED" if earned else "ROUNDED_TO_ZERO"
    return Verdict(rule["id"], reason, eligible, earned, granted)


def _reason(decided: Sequence[Decided] | None) -> str | None:
    """Why a purchase earns nothing: the furthest down of all its refusals; None where it earns."""
    if decided is None:
        return "NO_PRESENTMENT"
    verdicts = [verdict for one in decided for verdict in one.verdicts]
    if any(verdict.granted for verdict in verdicts):
        return None
    if any(one.waits for one in decided):
        return "MISSING_POSTING_DATE"
    reasons = [verdict.reason for verdict in verdicts if verdict.reason is not None]
    return max(reasons, key=REASONS.index, default="NO_CONTRACT")


def _grant(purchase: Lifecycle, decided: Decided, picture: Picture) -> None:
    """Write a contract's grants into the picture, split over its funders."""
    document = decided.document
    if document is None:
        return
    issuer, account = purchase.key[:2]
    contract, version = document["contract"], int(document["version"])
    unit = document["currency"]
    for verdict in decided.verdicts:
        for funder, part in clauses.funders_parts(document, verdict.granted).items():
            if part:
                tail = (contract, version, verdict.rule, unit, funder)
                picture.grants[(account, issuer, purchase.label, *tail)] = part
                when = (decided.day, decided.available_on)
                picture.posted[(purchase.key, *tail, *when)] = part
