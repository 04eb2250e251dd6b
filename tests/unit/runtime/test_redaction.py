"""No printed form of a log line shows a card number or a secret."""

from __future__ import annotations

import io
import json
import logging
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.card import luhn
from services.runtime.redaction import redacted, redacted_text
from services.runtime.telemetry import configure_logs, get_logger

PREFIXES = [("4", 13), ("4", 16), ("4", 19), ("52", 16), ("2720", 16), ("37", 15), ("3528", 16)]


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    """A number with an issuer's prefix and a right check digit."""
    prefix, length = draw(st.sampled_from(PREFIXES))
    body = prefix + draw(st.text("0123456789", min_size=length, max_size=length))
    body = body[: length - 1]
    return next(body + digit for digit in "0123456789" if luhn(body + digit))


@st.composite
def spaced(draw: st.DrawFn, number: str) -> str:
    """The number with single spaces or hyphens anywhere between its digits."""
    gaps = draw(st.lists(st.sampled_from(["", " ", "-"]), min_size=len(number) - 1))
    return "".join(d + g for d, g in zip(number, [*gaps[: len(number) - 1], ""], strict=True))


def digits_of(text: str) -> str:
    return re.sub(r"[ -]", "", text)


@pytest.fixture
def lines() -> io.StringIO:
    out = io.StringIO()
    configure_logs("debug", service="test", to=out)
    return out


@given(st.data(), card_numbers(), st.text(max_size=8), st.text(max_size=8))
def test_a_card_number_in_text_is_masked_however_it_is_spaced(
    data: st.DataObject, number: str, before: str, after: str
) -> None:
    text = before + data.draw(spaced(number)) + after
    assert number not in digits_of(redacted_text(text))


@given(card_numbers())
def test_a_card_number_is_masked_in_every_kind_of_value(number: str) -> None:
    values: list[object] = [
        number,
        int(number),
        [number],
        {number: {"x": (int(number),)}},
        {number},
        number.encode(),
        ValueError(f"bad card {number}"),
    ]
    assert number not in json.dumps(redacted(values))


@given(st.integers(min_value=10**11, max_value=10**18 - 1))
def test_any_number_of_that_length_with_a_right_check_digit_is_masked(body: int) -> None:
    number = next(body * 10 + digit for digit in range(10) if luhn(f"{body}{digit}"))
    assert str(number) not in str(redacted(number))


def test_a_number_in_other_digits_than_ascii_is_masked() -> None:
    arabic = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    text = "4111111111111111".translate(arabic)
    assert text not in redacted_text(f"card {text}")


@pytest.mark.parametrize("text", ["offset 123456789012", "2026-03-05 10:11:12", "127.0.0.1:9092"])
def test_what_is_no_card_number_stays(text: str) -> None:
    assert redacted_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://milepost:hunter2@db/milepost",
        "password=hunter2",
        'sasl_password: "hunter2"',
        "{'client_secret': 'hunter2'}",
    ],
)
def test_a_secret_in_text_is_hidden(text: str) -> None:
    assert "hunter2" not in redacted_text(text)


def test_a_private_key_is_hidden() -> None:
    assert "QQQ" not in redacted_text("key AGE-SECRET-KEY-1QQQQQQQQ")


@given(number=card_numbers())
def test_no_way_into_a_log_line_lets_a_card_number_out(number: str) -> None:
    out = io.StringIO()
    configure_logs("debug", service="test", to=out)
    log = get_logger("test")
    log.info(f"event {number}", reason=number, records=int(number), file={"a": [number]})
    log.info("unknown", **{f"field_{number}": 1, "pan": number})
    try:
        raise ValueError(number)
    except ValueError:
        log.exception("failed", error=number)
        logging.getLogger("elsewhere").exception("library says %s", number)
    assert number not in out.getvalue()
    assert len(out.getvalue().splitlines()) == 4


def test_a_line_is_json_with_its_fields_and_names_what_it_dropped(lines: io.StringIO) -> None:
    get_logger("milepost.test").warning("batch", records=3, merchant="Kiosk", stream="a/1")
    line: dict[str, Any] = json.loads(lines.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "batch",
        "level": "warning",
        "logger": "milepost.test",
        "service": "test",
        "records": 3,
        "stream": "a/1",
        "dropped_fields": ["merchant"],
    }


def test_an_exception_is_one_line_without_the_values_of_variables(lines: io.StringIO) -> None:
    def fail() -> None:
        holder = "Kari Nordmann"
        raise KeyError("nothing" if holder else "")

    try:
        fail()
    except KeyError:
        get_logger("test").exception("failed")
    line = json.loads(lines.getvalue())
    assert "KeyError" in line["exception"]
    assert "Kari" not in line["exception"]


def test_the_kafka_library_never_prints_records(lines: io.StringIO) -> None:
    logging.getLogger("aiokafka.producer.producer").debug("Sending (key=%s value=%s)", 1, 2)
    logging.getLogger("aiokafka.consumer").info("chatter")
    logging.getLogger("aiokafka.consumer").error("broker away")
    assert [json.loads(line)["event"] for line in lines.getvalue().splitlines()] == ["broker away"]
