"""lithic-events: snapshots become events, and every member of Lithic's enums has its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
from lithic.types import CardTransactionUpdatedWebhookEvent
from pydantic import BaseModel

from services.ingest.feeds import lithic
from services.ingest.feeds.encoding import encode
from services.kernel.errors import Rejected
from services.kernel.transaction import CardTransaction, Kind
from tests.support.feeds import (
    feed,
    lithic_event,
    lithic_snapshot,
    micros,
    only,
    parse_with,
    token,
    webhook,
)

PARSE = parse_with(feed("lithic-events", numeric_ids=("arn", "scheme_reference")))
PAN = "4111111111111111"

TABLES: dict[str, Any] = {
    "event_type": lithic.WEBHOOKS,
    "status": lithic.STATUSES,
    "events.type": lithic.KINDS,
    "events.effective_polarity": {"DEBIT", "CREDIT"},
    "events.result": lithic.APPROVED,
    "pos.entry_mode.cardholder": lithic.CARDHOLDER_PRESENCE,
    "pos.entry_mode.pan": lithic.NUMBER_ENTRY,
}
"""Every enum that decides something, with the table that must have all its members."""

NOT_READ = {
    "network",
    "result",
    "cardholder_authentication.authentication_method",
    "cardholder_authentication.authentication_result",
    "cardholder_authentication.decision_made_by",
    "cardholder_authentication.liability_shift",
    "events.account_type",
    "events.detailed_results",
    "events.rule_results.result",
    "pos.entry_mode.card",
    "pos.terminal.operator",
    "pos.terminal.pin_capability",
    "pos.terminal.type",
    "token_info.wallet_type",
}
"""Enums that decide nothing here: they may hold anything."""


def enums(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every enum of a model of Lithic's, with its path and its members."""
    for name, field in model.model_fields.items():
        waiting = [field.annotation]
        while waiting:
            found = waiting.pop()
            if get_origin(found) is Literal:
                yield path + name, set(get_args(found))
            elif isinstance(found, type) and issubclass(found, BaseModel):
                yield from enums(found, f"{path}{name}.")
            else:
                waiting.extend(get_args(found))


ENUMS = dict(enums(CardTransactionUpdatedWebhookEvent))


def events(record: bytes) -> list[CardTransaction]:
    found = []
    for outcome in PARSE(record):
        assert isinstance(outcome, CardTransaction), outcome
        found.append(outcome)
    return found


def rejected(record: bytes) -> tuple[str, str | None]:
    outcome = only(PARSE(record))
    assert isinstance(outcome, Rejected), "accepted"
    return outcome.reason, outcome.field


def changed(**changes: Any) -> bytes:
    """A snapshot with members that Lithic's own model would not write."""
    document = {**lithic_snapshot(lithic_event()), **changes}
    return json.dumps(
        {name: value for name, value in document.items() if value is not ...}
    ).encode()


def test_every_enum_of_the_model_is_read_or_known_not_to_be() -> None:
    assert set(ENUMS) == set(TABLES) | NOT_READ
    assert set(TABLES).isdisjoint(NOT_READ)


@pytest.mark.parametrize("path", TABLES)
def test_every_member_of_an_enum_has_its_place_in_the_table(path: str) -> None:
    assert set(TABLES[path]) == ENUMS[path]


def test_every_type_has_a_kind_for_each_polarity_or_a_refusal() -> None:
    for kinds in lithic.KINDS.values():
        assert set(kinds) == ENUMS["events.effective_polarity"]
        assert any(kinds.values())


@pytest.mark.parametrize("type_", sorted(ENUMS["events.type"]))
def test_every_type_with_every_polarity_and_result_is_mapped_or_refused_by_name(type_: str) -> None:
    for polarity in ENUMS["events.effective_polarity"]:
        for result in ENUMS["events.result"]:
            event = lithic_event(type=type_, effective_polarity=polarity, result=result)
            outcome = only(PARSE(webhook(event)))
            kind = lithic.KINDS[type_][polarity]
            if isinstance(outcome, CardTransaction):
                assert kind is not None
                if result == "APPROVED":
                    assert outcome.kind == kind
                else:
                    assert outcome.kind in ("AUTHORIZATION", "AUTHORIZATION_REVERSAL")
            else:
                assert outcome.reason == "BAD_VALUE"
                assert type_ in outcome.message
                assert kind is None or result != "APPROVED"


EXPECTED = [
    ("AUTHORIZATION", "DEBIT", Kind.AUTHORIZATION),
    ("AUTHORIZATION_ADVICE", "DEBIT", Kind.AUTHORIZATION),
    ("AUTHORIZATION_EXPIRY", "CREDIT", Kind.AUTHORIZATION_REVERSAL),
    ("AUTHORIZATION_REVERSAL", "CREDIT", Kind.AUTHORIZATION_REVERSAL),
    ("BALANCE_INQUIRY", "DEBIT", Kind.AUTHORIZATION),
    ("CLEARING", "DEBIT", Kind.PRESENTMENT),
    ("CLEARING", "CREDIT", Kind.REFUND),
    ("CORRECTION_CREDIT", "CREDIT", Kind.ADJUSTMENT_CREDIT),
    ("CORRECTION_DEBIT", "DEBIT", Kind.ADJUSTMENT_DEBIT),
    ("CREDIT_AUTHORIZATION", "CREDIT", Kind.AUTHORIZATION),
    ("CREDIT_AUTHORIZATION_ADVICE", "CREDIT", Kind.AUTHORIZATION),
    ("FINANCIAL_AUTHORIZATION", "DEBIT", Kind.PRESENTMENT),
    ("FINANCIAL_CREDIT_AUTHORIZATION", "CREDIT", Kind.REFUND),
    ("RETURN", "CREDIT", Kind.REFUND),
    ("RETURN_REVERSAL", "DEBIT", Kind.REFUND_REVERSAL),
]


@pytest.mark.parametrize(("type_", "polarity", "kind"), EXPECTED)
def test_an_approved_event_becomes_its_kind(type_: str, polarity: str, kind: Kind) -> None:
    (event,) = events(webhook(lithic_event(type=type_, effective_polarity=polarity)))
    assert event.kind == kind


@pytest.mark.parametrize("type_", ["FINANCIAL_AUTHORIZATION", "AUTHORIZATION"])
def test_a_declined_request_has_no_effect(type_: str) -> None:
    (event,) = events(webhook(lithic_event(type=type_, result="INSUFFICIENT_FUNDS")))
    assert event.kind == "AUTHORIZATION"
    assert event.attributes == {"lithic.type": type_, "lithic.result": "INSUFFICIENT_FUNDS"}


def test_a_clearing_of_nothing_has_no_effect() -> None:
    (event,) = events(webhook(lithic_event(amount=0)))
    assert (event.kind, event.billing_amount) == ("AUTHORIZATION", 0)


def test_a_clearing_tells_what_the_purchase_is() -> None:
    network = {
        "acquirer": {"acquirer_reference_number": "74000006064000000000012",
                     "retrieval_reference_number": "606400000012"},
        "visa": {"original_transaction_id": "466064000000001", "transaction_id": "466064000000009"},
        "mastercard": None, "amex": None,
    }  # fmt: skip
    (event,) = events(webhook(lithic_event(network_info=network)))
    assert event == CardTransaction(
        event_id=token(1, 1), issuer_id="first-bank", kind="PRESENTMENT", lifecycle_id=token(1),
        scheme_reference="466064000000001", arn="74000006064000000000012",
        account_id=token(17, 2), card_token=token(17, 3),
        occurred_at=micros("2026-03-05T11:00:00.637Z"), billing_amount=12300,
        billing_currency="NOK", transaction_amount=1050, transaction_currency="EUR",
        merchant_id="174030075991", merchant_name="CAFE DE LA GARE", merchant_city="LYON",
        merchant_country="FR", mcc="5812", channel="IN_STORE",
        attributes={"lithic.type": "CLEARING", "lithic.result": "APPROVED"},
    )  # fmt: skip


def test_a_credit_is_a_refund_of_its_amount_at_its_own_time() -> None:
    credit = lithic_event(type="RETURN", effective_polarity="CREDIT", amount=-4500)
    (event,) = events(webhook(credit))
    assert (event.kind, event.billing_amount) == ("REFUND", 4500)
    assert event.occurred_at == micros("2026-03-07T03:00:00Z")


def test_a_reference_of_zeros_is_none() -> None:
    network = {"mastercard": {"banknet_reference_number": "MCC123456",
                              "original_banknet_reference_number": "000000000"}}  # fmt: skip
    (event,) = events(webhook(lithic_event(network_info=network)))
    assert event.scheme_reference == "MCC123456"


def test_a_later_snapshot_repeats_earlier_events_byte_for_byte() -> None:
    first = lithic_event(1, type="AUTHORIZATION", created="2026-03-05T11:00:00Z")
    second = lithic_event(2, amount=8000)
    third = lithic_event(3, amount=-2000, type="RETURN", effective_polarity="CREDIT")
    early = webhook(first, status="PENDING", settled_amount=0, authorization_code="071234")
    later = webhook(first, second, status="SETTLED", settled_amount=8000)
    latest = webhook(
        first, second, third, settled_amount=6000, amount=6000, authorization_code="099999",
        updated="2026-03-09T00:00:00Z", tags={"note": "edited"}, acquirer_fee=100,
        network_risk_score=17,
    )  # fmt: skip
    bodies = [[encode(event) for event in events(record)] for record in (early, later, latest)]
    assert bodies[0] == bodies[1][:1]
    assert bodies[1] == bodies[2][:2]
    assert [event.event_id for event in events(latest)] == [token(n, 1) for n in (1, 2, 3)]
    assert {event.lifecycle_id for event in events(latest)} == {token(1)}


def test_one_event_that_is_refused_does_not_hold_the_others_back() -> None:
    wrong = lithic_event(2, type="RETURN", effective_polarity="DEBIT")
    outcomes = PARSE(webhook(lithic_event(1), wrong, lithic_event(3)))
    assert [isinstance(outcome, Rejected) for outcome in outcomes] == [False, True, False]
    refused = outcomes[1]
    assert isinstance(refused, Rejected)
    assert (refused.reason, refused.field) == ("BAD_VALUE", "events[1].effective_polarity")


@pytest.mark.parametrize(
    ("mode", "channel"),
    [
        (("PRESENT", "ICC"), "IN_STORE"),
        (("ELECTRONIC_ORDER", "ECOMMERCE"), "ONLINE"),
        (("NOT_PRESENT", "ECOMMERCE"), "ONLINE"),
        (("NOT_PRESENT", "CREDENTIAL_ON_FILE"), None),
        (("TELEPHONE_ORDER", "KEY_ENTERED"), "PHONE"),
        (("REOCCURRING", "CREDENTIAL_ON_FILE"), "RECURRING"),
    ],
)
def test_where_the_card_was_used_is_its_channel(mode: tuple[str, str], channel: str | None) -> None:
    pos = {"entry_mode": {"cardholder": mode[0], "pan": mode[1]}}
    (event,) = events(changed(pos=pos))
    assert event.channel == channel


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"event_type": "card.created"}, "BAD_VALUE", "event_type"),
    ({"status": "LOST"}, "BAD_VALUE", "status"),
    ({"account_token": ...}, "MISSING_FIELD", "account_token"),
    ({"merchant": None}, "MISSING_FIELD", "merchant"),
    ({"merchant": {"country": "XXX"}}, "BAD_VALUE", "merchant.country"),
    ({"merchant": {"mcc": 5812}}, "WRONG_TYPE", "merchant.mcc"),
    ({"merchant": {"mcc": "58"}}, "BAD_VALUE", "mcc"),
    ({"pos": {"entry_mode": {"cardholder": "X", "pan": "ICC"}}}, "BAD_VALUE",
     "pos.entry_mode.cardholder"),
    ({"created": "2026-03-05T11:00:00"}, "BAD_VALUE", "created"),
    ({"events": None}, "MISSING_FIELD", "events"),
    ({"events": []}, "BAD_VALUE", "events"),
    ({"events": {}}, "WRONG_TYPE", "events"),
    ({"events": ["x"]}, "WRONG_TYPE", "events[0]"),
    ({"events": [lithic_event(type="TIP")]}, "UNKNOWN_KIND", "events[0].type"),
    ({"events": [lithic_event(result="MAYBE")]}, "BAD_VALUE", "events[0].result"),
    ({"events": [lithic_event(effective_polarity="UP")]}, "BAD_VALUE",
     "events[0].effective_polarity"),
    ({"events": [lithic_event(result="DECLINED")]}, "BAD_VALUE", "events[0].result"),
    ({"events": [lithic_event(currency="ABC")]}, "UNKNOWN_CURRENCY", "billing_currency"),
    ({"events": [lithic_event(token="")]}, "BAD_VALUE", "event_id"),
    ({"events": [lithic_event(amounts={})]}, "MISSING_FIELD", "events[0].amounts.cardholder"),
    ({"events": [lithic_event(amount=1.5)]}, "WRONG_TYPE", "events[0].amounts.cardholder.amount"),
    ({"events": [lithic_event(amount=-(2**63))]}, "WRONG_TYPE",
     "events[0].amounts.cardholder.amount"),
    ({"account_token": PAN}, "CARD_NUMBER", ""),
    ({"card_token": int(PAN)}, "CARD_NUMBER", ""),
    ({"events": [lithic_event(token=PAN)]}, "CARD_NUMBER", ""),
    ({"merchant": {"descriptor": PAN, "country": "XXX"}, "status": 1}, "CARD_NUMBER", ""),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "reason", "field"), FAULTS)
def test_a_faulty_snapshot_is_refused_with_its_reason(
    changes: dict[str, Any], reason: str, field: str
) -> None:
    assert rejected(changed(**changes)) == (reason, field or None)


def test_a_key_that_comes_twice_is_refused() -> None:
    record = changed()[:-1] + b', "status": "SETTLED"}'
    assert rejected(record) == ("DUPLICATE_KEY", "status")


def test_what_lithic_may_add_is_passed_over() -> None:
    (event,) = events(changed(brand_new={"x": [1]}))
    assert event.event_id == token(1, 1)


def test_a_token_may_hold_digits_that_pass_for_a_card_number() -> None:
    (event,) = events(changed(card_token="41111111-1111-1111-a000-000000000000"))
    assert event.card_token.startswith("41111111")
