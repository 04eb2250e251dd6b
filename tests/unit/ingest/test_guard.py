"""The card-number guard: what must be found, and what must be left alone."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest

from services.ingest.feeds.encoding import FRAME, encode_as_given
from services.ingest.feeds.feed import ID_FIELDS
from services.kernel.card import contains_card_number
from services.kernel.errors import Rejected
from tests.support import builders
from tests.support.feeds import (
    card_numbers,
    feed,
    frame,
    line,
    lithic_event,
    only,
    parse_with,
    webhook,
    written,
)

COUNT = 100_000
PAN = "4111111111111111"
NUMERIC = ("scheme_reference", "arn")


def test_real_looking_card_numbers_are_found_in_texts() -> None:
    dice = random.Random(11)
    for number in card_numbers(COUNT, seed=7):
        text = f"pay {written(number, dice)}, thanks"
        assert contains_card_number(text), text


@pytest.mark.parametrize(
    "text",
    ["4111111111111112", "5011111111111112", "411111111111", "4111  1111 1111 1111",
     "4111--111111111111", "4111.1111.1111.1111", "9" * 19, "378282246310006", "", "٤" * 16],
)  # fmt: skip
def test_other_digits_are_no_card_number(text: str) -> None:
    assert not contains_card_number(text)


@pytest.mark.parametrize(
    "text", [PAN, "0" + PAN + "0", "12-4111 1111-11111111-9", "378282246310005", "30569309025904",
             "4222222222222", "6011000990139424", "3530111333300000"]
)  # fmt: skip
def test_a_card_number_is_found_in_any_window_of_a_run(text: str) -> None:
    assert contains_card_number(text)


def test_no_random_scheme_reference_is_refused_on_a_feed_that_names_them() -> None:
    dice = random.Random(3)
    parse = parse_with(feed(numeric_ids=NUMERIC))
    base = line(scheme_reference="REFERENCE", arn="NUMBER")
    refused = 0
    for _ in range(COUNT):
        reference = b"%015d" % dice.randrange(10**15)
        arn = b"%023d" % dice.randrange(10**23)
        record = base.replace(b"REFERENCE", reference).replace(b"NUMBER", arn)
        refused += isinstance(only(parse(record)), Rejected)
    assert refused == 0


def test_every_card_number_in_a_merchant_name_or_attribute_is_refused_in_json() -> None:
    dice = random.Random(5)
    parse = parse_with(feed(numeric_ids=NUMERIC))
    records = [line(merchant_name="x PAN"), line(attributes={"note": "PAN"}),
               line(attributes={"PAN": "x"})]  # fmt: skip
    reasons: Counter[str] = Counter()
    for number in card_numbers(COUNT, seed=13):
        shown = written(number, dice).encode()
        outcome = only(parse(dice.choice(records).replace(b"PAN", shown)))
        reasons[outcome.reason if isinstance(outcome, Rejected) else "accepted"] += 1
    assert reasons == {"CARD_NUMBER": COUNT}


def test_every_card_number_in_a_merchant_name_or_attribute_is_refused_in_avro() -> None:
    dice = random.Random(5)
    parse = parse_with(feed("milepost-avro", numeric_ids=NUMERIC))
    reasons: Counter[str] = Counter()
    for number in card_numbers(COUNT, seed=17):
        shown = written(number, dice)
        event = builders.event("e1", merchant_name=shown) if dice.random() < 0.5 else (
            builders.event("e1", attributes={"note": shown})
        )  # fmt: skip
        outcome = only(parse(FRAME + encode_as_given(event)))
        reasons[outcome.reason if isinstance(outcome, Rejected) else "accepted"] += 1
    assert reasons == {"CARD_NUMBER": COUNT}


def test_every_card_number_in_a_merchant_of_lithic_is_refused() -> None:
    dice = random.Random(5)
    parse = parse_with(feed("lithic-events", numeric_ids=NUMERIC))
    record = webhook(lithic_event()).replace(b"CAFE DE LA GARE", b"PAN")
    reasons: Counter[str] = Counter()
    for number in card_numbers(COUNT, seed=19):
        outcome = only(parse(record.replace(b"PAN", written(number, dice).encode())))
        reasons[outcome.reason if isinstance(outcome, Rejected) else "accepted"] += 1
    assert reasons == {"CARD_NUMBER": COUNT}


ALWAYS = ("account_id", "card_token", "card_product", "merchant_id", "merchant_name",
          "merchant_city", "merchant_country")  # fmt: skip


@pytest.mark.parametrize("name", [*ALWAYS, *ID_FIELDS])
def test_a_card_number_is_refused_in_every_field_that_keeps_text(name: str) -> None:
    for parse, record in (
        (parse_with(feed()), line(**{name: PAN})),
        (parse_with(feed("milepost-avro")), frame(**{"event_id": "e1", name: PAN})),
    ):
        outcome = only(parse(record))
        assert isinstance(outcome, Rejected)
        assert outcome.reason == "CARD_NUMBER"


@pytest.mark.parametrize("name", ID_FIELDS)
def test_a_numeric_id_is_left_alone_and_only_that_one(name: str) -> None:
    parse = parse_with(feed(numeric_ids=(name,)))
    assert not isinstance(only(parse(line(**{name: PAN}))), Rejected)
    for other in (*ALWAYS, *ID_FIELDS):
        if other != name:
            assert isinstance(only(parse(line(**{name: PAN, other: PAN}))), Rejected)


@pytest.mark.parametrize(
    "changes",
    [
        {"account_id": int(PAN)},
        {"merchant_name": {"name": PAN}},
        {"merchant_name": [[PAN]]},
        {"merchant_extra": PAN},
        {"attributes": {"a": {"b": PAN}}},
        {"attributes": {"a": int(PAN)}},
        {"attributes": [PAN]},
    ],
)
def test_a_card_number_is_found_whatever_the_type_of_what_holds_it(
    changes: dict[str, object],
) -> None:
    outcome = only(parse_with(feed())(line(**changes)))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "CARD_NUMBER"


def test_a_card_number_is_found_behind_escapes() -> None:
    escaped = "".join(f"\\u{ord(digit):04x}" for digit in PAN).encode()
    outcome = only(parse_with(feed())(line(merchant_name="PAN").replace(b"PAN", escaped)))
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "CARD_NUMBER"


def test_digits_of_two_fields_do_not_make_one_number() -> None:
    parts = {"merchant_id": PAN[:8], "merchant_name": PAN[8:], "merchant_city": PAN[:12]}
    assert not isinstance(only(parse_with(feed())(line(**parts))), Rejected)


def test_no_rejection_repeats_the_number() -> None:
    records = [
        line(**{name: PAN}) for name in (*ALWAYS, *ID_FIELDS, PAN, "kind", "channel", "mcc")
    ] + [
        line()[:-1] + b', "%s": 1, "%s": 1}' % (PAN.encode(), PAN.encode()),
        PAN.encode(), b'"' + PAN.encode() + b'"', json.dumps({PAN: PAN}).encode(),
    ]  # fmt: skip
    for record in records:
        outcome = only(parse_with(feed())(record))
        assert isinstance(outcome, Rejected)
        for text in (outcome.reason, outcome.field, outcome.message, str(outcome), repr(outcome)):
            assert PAN not in str(text)
