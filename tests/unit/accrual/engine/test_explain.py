"""Each step of a decision is told, with the numbers behind it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.accrual.contracts.book import Book
from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.parse import parse
from services.accrual.engine.decide import Account
from services.accrual.engine.explain import Told, explain
from services.accrual.engine.folding import fold, parts
from services.accrual.engine.waiting import Waiting
from services.accrual.members.roster import MemberRow, Roster
from services.kernel.transaction import CardTransaction
from tests.support import builders
from tests.support.builders import event
from tests.support.phrases import read_contract

WORKED = """\
contract sky-visa v1   zone Europe/Oslo   amounts in NOK
  base:   1 SKY-MILE per 10.00, per_block, down    group spend, priority 0    cap 50 a month and account
  dining: 3 SKY-MILE per 10.00, MCC 5812–5814      group spend, priority 10   shares the cap of base"""  # noqa: E501


def book_of(*contracts: str) -> Book:
    documents = [builders.as_text(read_contract(text.splitlines())[0]) for text in contracts]
    return Book(compile_terms(parse(text, file="test.yaml").contract) for text in documents)


def roster(**changes: Any) -> Roster:
    row = {
        "account_id": "A1", "card_token": "card-A1", "program": "sky-rewards",
        "enrolled_from": date(2020, 1, 1), "enrolled_to": None, "member_id": "M",
        "card_product": None, "partner": None, "membership_number": None,
    }  # fmt: skip
    return Roster.of([MemberRow(**(row | changes))])


def folded(
    *events: CardTransaction, contract: str = WORKED, enrolments: Roster | None = None
) -> Account:
    return fold(
        [Waiting(seq, one) for seq, one in enumerate(events, 1)], stream_id=1, account_id="A1",
        book=book_of(contract), enrolments=enrolments or roster(),
    )  # fmt: skip


def told(account: Account, label: str) -> Told:
    (purchase,) = [one for one in account.purchases.values() if one.label == label]
    return explain(account, purchase)


def texts(found: Told) -> list[str]:
    return [step["text"] for step in found.steps]


def test_the_steps_go_from_net_to_who_pays() -> None:
    account = folded(
        event("P1", mcc="5411", billing_amount=31_200), event("P2", mcc="5812"),
        event("R1", "REFUND", original_event_id="P2", billing_amount=1_000),
    )  # fmt: skip
    assert texts(told(account, "P2")) == [
        "100.00 NOK presented − 10.00 NOK refunded: net 90.00 NOK",
        "base: gives way to dining, which goes first in group spend (priority 10 before 0)",
        "dining: 3 SKY-MILE per whole 10.00 NOK; 90.00 NOK count: 27, rounded down in steps of "
        "1 SKY-MILE: 27 SKY-MILE earned",
        "dining: cap of 50 SKY-MILE per month, shared with base (2026-03): 31 of it were taken "
        "before this purchase, so of 27 SKY-MILE there is room for 19 SKY-MILE",
        "dining: 19 SKY-MILE granted, paid by first-bank 19 SKY-MILE; available 2026-03-16 "
        "(14 days after its posting date)",
    ]


def test_facts_say_which_presentment_and_why() -> None:
    morning = datetime(2026, 3, 2, 6, tzinfo=UTC)
    legs = [
        event("B", lifecycle_id="L", mcc="5812"),
        event("A", lifecycle_id="L", mcc="5411", at=morning),
    ]
    found = told(folded(*legs), "A").facts
    assert found is not None
    assert (found["event_id"], found["mcc"]) == ("A", "5411")
    assert found["why"] == "the earliest of its 2 presentments"
    assert found["occurred_at"] == "2026-03-02T06:00:00Z"
    reversal = event(
        "V", "PRESENTMENT_REVERSAL", lifecycle_id="L", original_event_id="A", at=morning
    )
    found = told(folded(*legs, reversal), "A").facts
    assert found is not None
    assert found["event_id"] == "B"
    assert found["why"] == "the earliest of its presentments that are not wholly reversed"


def test_versions_say_which_date_governs() -> None:
    (version,) = told(folded(event("P1")), "P1").versions
    assert (version["version"], version["governing_date"]) == (1, "2026-03-02")
    assert "the date of purchase in Europe/Oslo" in version["why"]
    late = WORKED.replace("zone", "term 2026-04-01 to 2026-12-31   day ends 18:00   zone")
    found = told(folded(event("P1"), contract=late), "P1")
    assert found.versions[0]["version"] is None
    assert "whose day ends at 18:00" in found.versions[0]["why"]
    waits = WORKED.replace("zone", "governs by posting date   zone")
    (version,) = told(folded(event("P1", posted=None), contract=waits), "P1").versions
    assert version["why"] == "it goes by the posting date, which has not come yet"


@pytest.mark.parametrize(
    ("contract", "changes", "enrolments", "said"),
    [
        (WORKED, {}, roster(enrolled_to=date(2026, 3, 1)), "is not enrolled in sky-rewards on"),
        (WORKED, {"billing_currency": "SEK"}, None, "billed in SEK, the contract covers NOK"),
        (WORKED + "\n  only cards GOLD", {}, None, "card product unknown is none of GOLD"),
        (WORKED + "\n  except MCC 6011", {"mcc": "6011"}, None, "excludes this kind of purchase"),
        (WORKED, {"billing_amount": 999}, None, "base: what it earns rounds to nothing"),
        (WORKED + "\n  x: 1 SKY-MILE per 1.00, down, minimum 500.00, MCC 5411",
         {"mcc": "5411"}, None, "x: net 100.00 NOK is below its minimum 500.00 NOK"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_is_missing(
    contract: str, changes: dict[str, Any], enrolments: Roster | None, said: str
) -> None:
    account = folded(event("P1", **changes), contract=contract, enrolments=enrolments)
    assert any(said in text for text in texts(told(account, "P1")))


def test_a_purchase_without_presentment_or_contract_is_told_too() -> None:
    alone = folded(event("R1", "REFUND", lifecycle_id="L"))
    assert texts(told(alone, "")) == ["nothing was presented yet, so nothing counts"]
    other = folded(event("P1", issuer_id="other-bank"))
    assert "no contract of other-bank is approved" in texts(told(other, "P1"))


def test_events_without_effect_and_refunds_beyond_the_purchase_are_named() -> None:
    account = folded(
        event("P1"),
        event("R1", "REFUND", original_event_id="P1", billing_amount=15_000),
        event("V1", "CHARGEBACK_REVERSAL", original_event_id="P1"),
    )
    found = texts(told(account, "P1"))
    assert found[0] == (
        "100.00 NOK presented − 150.00 NOK refunded: net 0.00 NOK; 50.00 NOK more went back "
        "than was spent"
    )
    assert found[1].startswith("V1 has no effect")


def test_an_exact_amount_is_told_before_it_is_rounded() -> None:
    contract = WORKED.replace("1 SKY-MILE per 10.00, per_block, down", "1.5 percent, half_up")
    contract = contract.replace("amounts in NOK", "amounts in NOK   earns NOK")
    contract = contract.replace("3 SKY-MILE per 10.00", "1.75 percent, scale 2")
    account = folded(event("P1", billing_amount=12_345, mcc="5812"), contract=contract)
    said = next(text for text in texts(told(account, "P1")) if text.startswith("dining: 1.75"))
    assert "123.45 NOK count: 2.160375, rounded down in steps of 0.01 NOK: 2.16 NOK" in said


def test_folding_gives_what_recording_one_by_one_gave() -> None:
    events = [
        event("R1", "REFUND", original_event_id="P1", billing_amount=5_000),
        event("P2", mcc="5812", billing_amount=20_000),
        event("P1", mcc="5812", billing_amount=20_000),
        event("R2", "REFUND", original_event_id="P2", billing_amount=4_000),
    ]
    one_by_one = Account(
        stream_id=1, account_id="A1", book=book_of(WORKED), enrolments=roster(), complete=True
    )
    for seq, one in enumerate(events, 1):
        one_by_one.record(one, seq)
    at_once = folded(*events)
    for key, purchase in one_by_one.purchases.items():
        assert parts(purchase.grants, one_by_one.book) == parts(
            at_once.purchases[key].grants, at_once.book
        )
