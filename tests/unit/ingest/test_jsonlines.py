"""milepost-json: what is accepted, what is refused, and which reason comes first."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.ingest.feeds import jsonlines
from services.ingest.feeds.encoding import encode
from services.ingest.feeds.rules import PARTS
from services.kernel.errors import Rejected
from services.kernel.transaction import FIELDS, CardTransaction, Channel, Kind
from tests.support.feeds import feed, fields, line, micros, only, parse_with

PARSE = parse_with(feed())
PAN = "4111 1111 1111 1111"


def reason(record: bytes) -> tuple[str, str | None]:
    outcome = only(PARSE(record))
    assert isinstance(outcome, Rejected), "accepted"
    return outcome.reason, outcome.field


def accepted(record: bytes) -> CardTransaction:
    outcome = only(PARSE(record))
    assert isinstance(outcome, CardTransaction), outcome
    return outcome


def raw(inside: str) -> bytes:
    """A valid line with something more inside the braces."""
    return (line().decode()[:-1] + inside + "}").encode()


def test_every_field_arrives_as_it_was_written() -> None:
    whole: dict[str, Any] = {
        "event_id": "e1", "issuer_id": "first-bank", "kind": "REFUND", "lifecycle_id": "l",
        "original_event_id": "o", "scheme_reference": "s", "arn": "r", "authorization_code": "c",
        "account_id": "a", "card_token": "t", "card_product": "p",
        "occurred_at": "2026-03-05T12:00:00.5-02:30", "posted_on": "2026-03-06",
        "billing_amount": 100, "billing_currency": "NOK", "transaction_amount": 9,
        "transaction_currency": "EUR", "cash_amount": 1, "tip_amount": 2, "fee_amount": 3,
        "tax_amount": 4, "merchant_id": "m", "merchant_name": "Smørbrød", "merchant_city": "Bodø",
        "merchant_country": "NO", "mcc": "0742", "channel": "ONLINE", "attributes": {"k": "v"},
    }  # fmt: skip
    assert list(whole) == list(FIELDS)
    event = accepted(json.dumps(whole, ensure_ascii=False).encode())
    expected = whole | {"occurred_at": micros("2026-03-05T12:00:00.5-02:30"), "posted_on": 20518}
    assert {name: getattr(event, name) for name in FIELDS} == expected


def test_optional_fields_may_be_absent_or_null() -> None:
    never = {*jsonlines.REQUIRED, *PARTS, "attributes"}
    optional = [name for name in FIELDS if name not in never]
    assert encode(accepted(line(**dict.fromkeys(optional)))) == encode(accepted(line()))


ONE_FAULT: dict[str, tuple[bytes, str, str | None]] = {
    "latin-1": (line(merchant_name="Caf\xe9").replace(b"\xc3\xa9", b"\xe9"), "NOT_UTF8", None),
    "cut off": (line()[:-1], "NOT_JSON", None),
    "empty": (b"", "NOT_JSON", None),
    "byte order mark": (b"\xef\xbb\xbf" + line(), "NOT_JSON", None),
    "two objects": (line() + line(), "NOT_JSON", None),
    "not a number": (raw(', "cash_amount": NaN'), "NOT_JSON", None),
    "infinity": (raw(', "cash_amount": -Infinity'), "NOT_JSON", None),
    "single quotes": (line().replace(b'"', b"'"), "NOT_JSON", None),
    "a control character": (line(merchant_name="a").replace(b'"a"', b'"\x01"'), "NOT_JSON", None),
    "nested without end": (b'{"attributes":' * 50_000, "NOT_JSON", None),
    "a list": (b"[" + line() + b"]", "NOT_AN_OBJECT", None),
    "a text": (b'"x"', "NOT_AN_OBJECT", None),
    "null": (b"null", "NOT_AN_OBJECT", None),
    "a key twice": (raw(', "event_id": "e1"'), "DUPLICATE_KEY", "event_id"),
    "a key twice, space before the colon": (
        b'{"event_id" : "e1",' + line()[1:], "DUPLICATE_KEY", "event_id"),
    "a key twice, once escaped": (raw(', "event\\u005fid": "e1"'), "DUPLICATE_KEY", "event_id"),
    "an attribute twice": (
        raw(', "attributes": {"a": "1", "a": "1"}'), "DUPLICATE_KEY", "attributes.a"),
    "a key twice in what is unknown": (raw(', "x": {"y": [{"z": 1, "z": 1}]}'),
                                       "DUPLICATE_KEY", "x.y[0].z"),
    "unknown": (line(merchant_zip="0150"), "UNKNOWN_FIELD", "merchant_zip"),
    "unknown and null": (line(x=None), "UNKNOWN_FIELD", "x"),
    "a part is null": (line(tip_amount=None), "WRONG_TYPE", "tip_amount"),
    "attributes are null": (line(attributes=None), "WRONG_TYPE", "attributes"),
    "an attribute is a number": (line(attributes={"a": 1}), "WRONG_TYPE", "attributes"),
    "an attribute is nested": (line(attributes={"a": {}}), "WRONG_TYPE", "attributes"),
    "an account is a number": (line(account_id=17), "WRONG_TYPE", "account_id"),
    "a kind is a number": (line(kind=1), "WRONG_TYPE", "kind"),
    "a text amount": (line(billing_amount="12300"), "WRONG_TYPE", "billing_amount"),
    "a true amount": (line(billing_amount=True), "WRONG_TYPE", "billing_amount"),
    "a whole float": (line(billing_amount=12300.0), "WRONG_TYPE", "billing_amount"),
    "an exponent": (line().replace(b"12300", b"123e2"), "WRONG_TYPE", "billing_amount"),
    "65 bits": (line(billing_amount=2**63), "WRONG_TYPE", "billing_amount"),
    "65 bits below": (line(tip_amount=-(2**63) - 1), "WRONG_TYPE", "tip_amount"),
    "5,000 digits": (line().replace(b"12300", b"9" * 5_000), "WRONG_TYPE", "billing_amount"),
    "an instant as a number": (line(occurred_at=1772708400), "WRONG_TYPE", "occurred_at"),
    "no offset": (line(occurred_at="2026-03-05T12:00:00"), "BAD_VALUE", "occurred_at"),
    "a space for the T": (line(occurred_at="2026-03-05 12:00:00Z"), "BAD_VALUE", "occurred_at"),
    "an offset without colon": (
        line(occurred_at="2026-03-05T12:00:00+0100"), "BAD_VALUE", "occurred_at"),
    "no seconds": (line(occurred_at="2026-03-05T12:00Z"), "BAD_VALUE", "occurred_at"),
    "hour 24": (line(occurred_at="2026-03-05T24:00:00Z"), "BAD_VALUE", "occurred_at"),
    "a week date": (line(occurred_at="2026-W10-4T12:00:00Z"), "BAD_VALUE", "occurred_at"),
    "a leap second": (line(occurred_at="2016-12-31T23:59:60Z"), "BAD_VALUE", "occurred_at"),
    "30 February": (line(occurred_at="2026-02-30T12:00:00Z"), "BAD_VALUE", "occurred_at"),
    "before cards": (line(occurred_at="1969-12-31T23:59:59Z"), "BAD_VALUE", "occurred_at"),
    "a filler": (line(occurred_at="9999-12-31T00:00:00Z"), "BAD_VALUE", "occurred_at"),
    "digits of another script": (
        line(occurred_at="٢٠٢٦-03-05T12:00:00Z"), "BAD_VALUE", "occurred_at"),
    "29 February of 2026": (line(posted_on="2026-02-29"), "BAD_VALUE", "posted_on"),
    "a date without hyphens": (line(posted_on="20260305"), "BAD_VALUE", "posted_on"),
    "a filler date": (line(posted_on="9999-12-31"), "BAD_VALUE", "posted_on"),
    "nothing bought": (line(billing_amount=0), "BAD_VALUE", "billing_amount"),
    "a negative amount": (line(billing_amount=-1), "BAD_VALUE", "billing_amount"),
    "parts above the whole": (
        line(cash_amount=6_000, tip_amount=6_000, fee_amount=300, tax_amount=1),
        "BAD_VALUE", "cash_amount"),
    "parts beyond 64 bits": (line(cash_amount=2**63 - 1, tip_amount=2**63 - 1),
                             "BAD_VALUE", "cash_amount"),
    "a negative part": (line(cash_amount=12_301, tip_amount=-1), "BAD_VALUE", "tip_amount"),
    "an amount without currency": (line(transaction_amount=1), "BAD_VALUE", "transaction_amount"),
    "a currency without amount": (
        line(transaction_currency="EUR"), "BAD_VALUE", "transaction_amount"),
    "a negative amount abroad": (
        line(transaction_amount=-1, transaction_currency="EUR"), "BAD_VALUE", "transaction_amount"),
    "three digits": (line(mcc="742"), "BAD_VALUE", "mcc"),
    "a letter": (line(mcc="074x"), "BAD_VALUE", "mcc"),
    "digits of another script in the mcc": (line(mcc="٥٨١٢"), "BAD_VALUE", "mcc"),
    "three letters": (line(merchant_country="NOR"), "BAD_VALUE", "merchant_country"),
    "small letters": (line(merchant_country="no"), "BAD_VALUE", "merchant_country"),
    "a channel of its own": (line(channel="ATM"), "BAD_VALUE", "channel"),
    "an empty event id": (line(event_id=""), "BAD_VALUE", "event_id"),
    "an empty issuer": (line(issuer_id=""), "BAD_VALUE", "issuer_id"),
    "an empty account": (line(account_id=""), "BAD_VALUE", "account_id"),
    "an empty token": (line(card_token=""), "BAD_VALUE", "card_token"),
    "an empty lifecycle": (line(lifecycle_id=""), "BAD_VALUE", "lifecycle_id"),
    "a long id": (line(account_id="a" * 257), "BAD_VALUE", "account_id"),
    "U+0000": (line(merchant_name="a\x00b"), "BAD_VALUE", "merchant_name"),
    "U+0000 in an attribute": (line(attributes={"a": "\x00"}), "BAD_VALUE", "attributes"),
    "U+0000 in an attribute's key": (line(attributes={"\x00": ""}), "BAD_VALUE", "attributes"),
    "DEL": (line(merchant_city="a\x7f"), "BAD_VALUE", "merchant_city"),
    "a C1 control": (line(merchant_city="a\x85"), "BAD_VALUE", "merchant_city"),
    "half a surrogate pair": (
        line(merchant_name="x").replace(b'"x"', b'"\\ud800"'), "BAD_VALUE", "merchant_name"),
    "an unknown kind": (line(kind="PURCHASE"), "UNKNOWN_KIND", "kind"),
    "a kind in small letters": (line(kind="refund"), "UNKNOWN_KIND", "kind"),
    "no currency": (line(billing_currency="ABC"), "UNKNOWN_CURRENCY", "billing_currency"),
    "small letters of a currency": (
        line(billing_currency="nok"), "UNKNOWN_CURRENCY", "billing_currency"),
    "gold has no minor unit": (
        line(billing_currency="XAU"), "UNKNOWN_CURRENCY", "billing_currency"),
    "an empty currency abroad": (line(transaction_amount=1, transaction_currency=""),
                                 "UNKNOWN_CURRENCY", "transaction_currency"),
    "somebody else's": (line(issuer_id="second-bank"), "WRONG_ISSUER", "issuer_id"),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_FAULT)
def test_a_faulty_line_is_refused_with_its_reason(name: str) -> None:
    record, expected, field = ONE_FAULT[name]
    assert reason(record) == (expected, field)


@pytest.mark.parametrize("name", jsonlines.REQUIRED)
def test_a_required_field_must_be_there_and_not_null(name: str) -> None:
    assert reason(line(**{name: ...})) == ("MISSING_FIELD", name)
    assert reason(line(**{name: None})) == ("WRONG_TYPE", name)


IN_ORDER: list[tuple[str, dict[str, Any]]] = [
    ("UNKNOWN_FIELD", {"surprise": 1}),
    ("MISSING_FIELD", {"event_id": ...}),
    ("WRONG_TYPE", {"cash_amount": 1.0}),
    ("BAD_VALUE", {"mcc": "x"}),
    ("UNKNOWN_KIND", {"kind": "PURCHASE"}),
    ("UNKNOWN_CURRENCY", {"billing_currency": "ABC"}),
    ("WRONG_ISSUER", {"issuer_id": "second-bank"}),
]


@pytest.mark.parametrize("first", range(len(IN_ORDER)))
def test_of_several_faults_the_first_in_the_order_is_reported(first: int) -> None:
    faults: dict[str, Any] = {}
    for _, changes in IN_ORDER[first:]:
        faults |= changes
    assert reason(line(**faults))[0] == IN_ORDER[first][0]
    twice = line(**faults)[:-1] + b', "mcc": "x", "mcc": "x"}'
    assert reason(twice)[0] == "DUPLICATE_KEY"


def test_a_card_number_goes_before_every_other_reason() -> None:
    faults: dict[str, Any] = {"merchant_name": f"Shop {PAN}"}
    for _, changes in reversed(IN_ORDER):
        faults |= changes
        assert reason(line(**faults)) == ("CARD_NUMBER", "merchant_name")
    twice = line(**faults)[:-1] + b', "mcc": "x", "mcc": "x"}'
    assert reason(twice) == ("CARD_NUMBER", "merchant_name")
    overwritten = b'{"merchant_name": "%s", ' % PAN.encode() + line(merchant_name="x")[1:]
    assert reason(overwritten) == ("CARD_NUMBER", "merchant_name")
    assert reason(line(merchant_name=PAN)[:-1])[0] == "NOT_JSON"
    assert reason(b"[" + line(merchant_name=PAN) + b"]")[0] == "NOT_AN_OBJECT"


@pytest.mark.parametrize("kind", Kind)
def test_only_authorizations_may_be_of_nothing(kind: Kind) -> None:
    nothing = line(kind=kind.value, billing_amount=0)
    if kind in (Kind.AUTHORIZATION, Kind.AUTHORIZATION_REVERSAL):
        assert accepted(nothing).billing_amount == 0
    else:
        assert reason(nothing) == ("BAD_VALUE", "billing_amount")


@pytest.mark.parametrize(
    "written",
    ["2026-03-05T11:00:00Z", "2026-03-05t11:00:00z", "2026-03-05T12:00:00+01:00",
     "2026-03-05T05:30:00-05:30", "2026-03-05T11:00:00.000000Z", "2026-03-05T11:00:00-00:00",
     "2026-03-05T11:00:00.0000009Z"],
)  # fmt: skip
def test_the_offset_in_which_an_instant_is_written_makes_no_difference(written: str) -> None:
    assert accepted(line(occurred_at=written)).occurred_at == micros("2026-03-05T11:00:00Z")


def test_white_space_and_the_order_of_keys_make_no_difference() -> None:
    changes = {"attributes": {"b": "2", "a": "1"}, "merchant_name": "Bodø"}
    pretty = json.dumps(fields(**changes), indent=2, sort_keys=True).encode() + b"\r"
    swapped = line(**{**changes, "attributes": {"a": "1", "b": "2"}})
    assert (
        encode(accepted(pretty)) == encode(accepted(swapped)) == encode(accepted(line(**changes)))
    )


def test_the_quick_way_takes_ordinary_lines() -> None:
    quick = jsonlines._quick_reader(feed())
    assert quick(line(merchant_name="Smørbrød", attributes={"a": "b"}, arn=None)) is not None


# ── the quick way and the exact way give the same ───────────────────────────────────────────────

_texts = st.text(max_size=6) | st.sampled_from(
    ["NOK", "EUR", "KWD", "ABC", "nok", "", "5812", "NO", "first-bank", PAN, "\x7f", "\x85", "£",
     "2026-03-05T11:00:00Z", "2026-03-05T11:00:00.1234567+01:00", "2026-03-05", "2026-02-30", "ø",
     "a" * 257, *Kind, *Channel]
)  # fmt: skip
_numbers = st.sampled_from([0, 1, -1, 12300, 12301, 2**63 - 1, 2**63, -(2**63), 1.0, 1e300])
_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | _numbers | _texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=4,
)
_changes = st.dictionaries(
    st.sampled_from([*FIELDS, *FIELDS, "merchant_x", "x"]), st.just(...) | _values, max_size=5
)
_attributes = st.dictionaries(_texts, _texts, max_size=3)


@st.composite
def _records(draw: st.DrawFn) -> bytes:
    changes = draw(_changes)
    if draw(st.booleans()):
        changes["attributes"] = draw(_attributes)
    members = [*fields(**changes).items()]
    if draw(st.booleans()):
        members += draw(st.lists(st.sampled_from(members), max_size=1)) if members else []
    ascii_ = draw(st.booleans())
    gap = draw(st.sampled_from(["", " ", "\n"]))
    inside = ",".join(
        f"{json.dumps(name)}{gap}:{json.dumps(value, ensure_ascii=ascii_)}"
        for name, value in draw(st.permutations(members))
    )
    record = f"{{{inside}}}".encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 9)) == 0:
        place = draw(st.integers(0, len(record)))
        record = record[:place] + draw(st.binary(max_size=2)) + record[place + 1 :]
    return record


@settings(max_examples=600, deadline=None)
@given(_records())
@example(line(transaction_amount=1, transaction_currency=""))
@example(raw(' , "mcc" :"5812","mcc":"5812"'))
def test_whatever_the_quick_way_takes_the_exact_way_takes_as_well(record: bytes) -> None:
    quick = jsonlines._quick_reader(feed())(record)
    try:
        exact = jsonlines._exact_reader(feed())(record)
    except Rejected:
        assert quick is None
        return
    if quick is not None:
        assert encode(quick) == encode(exact)
        assert [getattr(quick, name) for name in FIELDS] == [
            getattr(exact, name) for name in FIELDS
        ]
