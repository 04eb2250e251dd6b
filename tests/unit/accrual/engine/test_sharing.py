"""What is read and written when totals move: no more than what changes."""

from __future__ import annotations

import pytest

from services.accrual.batch import Decided, Loaded, decide_account
from services.accrual.contracts.terms import Entry, Kind
from services.accrual.engine.totals import NeedsHistory
from services.accrual.intake import Recorded
from services.accrual.lifecycle.matching import stub_of
from services.ingest.feeds.encoding import encode
from services.kernel.identifiers import identity
from services.kernel.transaction import CardTransaction
from tests.support.builders import event
from tests.support.memory import roster
from tests.unit.accrual.engine.conftest import Till, cap, rule, running, terms


def till_with(purchases: int, limit: int) -> Till:
    """So many purchases of 10 miles each under a cap a month."""
    till = Till(terms(rule(cap(limit))))
    for number in range(purchases):
        till.spends(f"P{number}", 100)
    return till


def refunded(till: Till, label: str, *, whole_account: bool) -> Decided:
    """Decide a refund of one purchase over what is stored; nothing is stored of it."""
    memory = till.book.memory
    refund = event("R", "REFUND", original_event_id=label, billing_amount=10_000)
    loaded = Loaded(totals={key: row for (_, key), row in memory.totals.items()})
    loaded.known[refund.issuer_id, label] = stub_of(event(label))
    linked = {place for place, row in memory.purchases.items() if row[2] == f"E:{label}"}
    for place, (_, issuer, _, body) in memory.purchases.items():
        if whole_account or place in linked:
            loaded.purchases[place] = (issuer, body)
    if whole_account:
        loaded.complete, loaded.linked = True, frozenset(linked)
    return decide_account(
        "A1", [recorded(refund)], loaded, book=memory._book, enrolments=roster(memory.imports, "A1")
    )


def recorded(one: CardTransaction) -> Recorded:
    key = identity("books", one.issuer_id, one.event_id)
    return Recorded(0, 900, 899, 0, None, "books", encode(one), key, one)


def test_a_refund_under_an_open_cap_needs_its_own_purchase_only() -> None:
    till = till_with(20, limit=200)
    assert [line.amount for line in refunded(till, "P3", whole_account=False).transfers] == [10]


def test_a_refund_under_a_full_cap_needs_the_account() -> None:
    till = till_with(20, limit=100)
    with pytest.raises(NeedsHistory):
        refunded(till, "P3", whole_account=False)


def test_of_an_account_loaded_whole_only_what_changes_is_decoded_and_written() -> None:
    till = till_with(20, limit=100)
    decided = refunded(till, "P3", whole_account=True)
    assert [(x.debit[:6], x.amount) for x in decided.transfers] == [("member", 10), ("reward", 10)]
    (account,) = decided.accounts
    written = {found.label for found in account.purchases.values() if found.changed}
    assert written == {"P3", "P10"}
    assert len(account.purchases) + len(account.line or ()) == 20


def test_a_decision_that_starts_over_finds_everything_as_it_was_stored() -> None:
    till = till_with(20, limit=100)
    first, again = (refunded(till, "P3", whole_account=True) for _ in range(2))
    assert first.transfers == again.transfers


def test_each_rule_that_was_held_back_is_judged_by_all_purchases() -> None:
    pennies = running(Kind.ROUNDING, lambda _: 0, owner="pennies")
    spent = running(Kind.SPEND, lambda spend: min(spend, 10_000) // 1_000, limit=10_000)
    till = Till(
        terms(
            rule(pennies, id="pennies", entry=Entry.PIECES),
            rule(spent, entry=Entry.SPEND),
        )
    )
    till.spends("P1", 300)
    assert till.spends("P2", 50) == "NO_REWARD/CAP_REACHED"
    assert till.back("P2", 20) == "NO_REWARD/CAP_REACHED"
