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
* A grant is known by version, rule, governing date and `available_on`: when the facts move any of
  these, it is taken back as it was and given anew, and the event is POSTED.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from tests.support import accounts, clauses, dates
from tests.support.accounts import People
from tests.support.conditions import Known, covers_product, excluded, known_of
from tests.support.dates import Document, Read, Row
from tests.support.lifecycles import Lifecycle, Recorded, link
from tests.support.picture import REASONS, Decided, Picture, Verdict
from tests.support.verdicts import Running, verdicts


def recompute(
    records: Iterable[Recorded],
    contracts: Sequence[Read],
    members: Sequence[Sequence[Row]],
    activations: Sequence[Sequence[Row]] = (),
) -> Picture:
    """The whole picture.

    `contracts` are the approved documents, `members` and `activations` the rows of each import, in
    their order.
    """
    picture = Picture(contracts, link(records))
    versions: dict[str, list[Read]] = defaultdict(list)
    for document in contracts:
        versions[document["contract"]].append(document)
    people = accounts.people(members, activations)
    entitled = [found for found in picture.purchases.values() if found.presentments]
    for purchase in sorted(entitled, key=lambda found: found.place):
        picture.decided[purchase.key] = [
            _decide(purchase, documents, people, picture.worth)
            for _, documents in sorted(versions.items())
            if documents[0]["issuer"] == purchase.key[0]
        ]
    for purchase in picture.purchases.values():
        picture.reasons[purchase.key] = _reason(picture.decided.get(purchase.key))
        for decided in picture.decided.get(purchase.key, ()):
            _grant(purchase, decided, picture)
    for (contract, rule, kind, _, _, scope, name, period, unit), worth in picture.worth.items():
        if worth.granted:
            picture.totals[contract, rule, kind, scope, name, period, unit].append(worth.granted)
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
    purchase: Lifecycle, documents: Sequence[Read], people: People, running: Running
) -> Decided:
    """One contract's verdicts on a purchase; moves the running totals on by what it earns."""
    assert purchase.facts is not None and purchase.net is not None
    decided = Decided(documents[0]["contract"])
    decided.day = dates.governing_date(documents[0], purchase.facts)
    if decided.day is None:
        decided.waits = True
        return decided
    decided.document = dates.version_of(documents, decided.day)
    if decided.document is None:
        decided.verdicts = [Verdict("", "NO_CONTRACT")]
        return decided
    known = known_of(decided.document, purchase.facts, decided.day, people)
    refusal = _refusal(purchase, decided.document, known, people)
    if refusal is not None:
        decided.verdicts = [Verdict("", refusal)]
        return decided
    decided.net = clauses.net_under(decided.document, purchase.events, purchase.net)
    decided.verdicts = verdicts(decided.document, decided.net, known, running)
    if any(verdict.granted for verdict in decided.verdicts):
        cycle_day = known.account.cycle_day
        decided.available_on = dates.available_on(
            decided.document, purchase.facts, decided.day, cycle_day
        )
    return decided


def _refusal(purchase: Lifecycle, document: Document, known: Known, people: People) -> str | None:
    """Why the contract as a whole gives nothing, the first reason in the fixed order."""
    assert purchase.net is not None
    if not accounts.enrolled(people, known.facts.account_id, document["program"], known.day):
        return "NOT_ENROLLED"
    if purchase.net.currency != document["amount"]["currency"]:
        return "CURRENCY_NOT_COVERED"
    if not covers_product(document, known.product):
        return "CARD_PRODUCT_NOT_COVERED"
    return "EXCLUDED" if excluded(document, known) else None


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
    """Write a contract's grants into the picture, split over its funders, and the fees on them."""
    document = decided.document
    if document is None:
        return
    issuer, account = purchase.key[:2]
    rules = {rule["id"]: rule for rule in document["rules"]}
    head = (document["contract"], int(document["version"]))
    for verdict in decided.verdicts:
        if not verdict.granted:
            continue
        tail = (*head, verdict.rule, document["currency"])
        parts = clauses.funders_parts(document, rules[verdict.rule], verdict.granted)
        for funder, part in parts.items():
            if part:
                assert decided.available_on is not None
                grant = (account, issuer, purchase.label, *tail, funder)
                picture.grants[grant] = part
                picture.due[(*grant, decided.available_on)] = part
                when = (decided.day, decided.available_on)
                picture.posted[(purchase.key, *tail, funder, *when)] = part
        for (party, funder), fee in clauses.fees_of(document, verdict.granted).items():
            if fee:
                picture.fees[(account, issuer, purchase.label, *tail, party, funder)] = fee
