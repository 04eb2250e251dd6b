"""What `milepost dead-letters show` lets a person see of a record."""

from __future__ import annotations

import pytest

from services.cli.deadletters import readable

PAN = "4111111111111111"


def test_a_plain_record_is_shown_as_it_is() -> None:
    text = '{"event_id": "e1", "billing_amount": 12300, "merchant_name": "Bodø"}\r'
    assert readable(text.encode()) == text


@pytest.mark.parametrize(
    "written",
    [PAN, "4111 1111 1111 1111", "4111-1111-1111-1111", "x" + PAN + "y",
     "".join(f"\\u003{digit}" for digit in PAN)],
)  # fmt: skip
def test_a_card_number_is_masked(written: str) -> None:
    shown = readable(f'{{"merchant_name": "{written}"}}'.encode())
    assert "[card number]" in shown
    assert "1111" not in shown


@pytest.mark.parametrize(
    "raw", [b"\xff" + PAN.encode(), b"\x00" + PAN.encode(), PAN.encode("utf-16"),
            b"\x00\x00\x00\x00\x01" + PAN.encode()]
)  # fmt: skip
def test_in_bytes_that_are_no_text_no_digit_is_shown(raw: bytes) -> None:
    shown = readable(raw)
    assert not any(letter.isdigit() for letter in shown)
    assert shown.isprintable()
