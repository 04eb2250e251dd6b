"""Fields: overpunched numbers as somebody else reads them, and values that do not fit."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ooverpunch import convert_from_signed_format, convert_to_signed_format

from services.settlement.files import fields
from services.settlement.files.fields import (
    DoesNotFit,
    code,
    digits,
    overpunched,
    read_overpunched,
    shown,
)


@given(st.integers(-999_999_999, 999_999_999))
def test_overpunched_numbers_are_read_alike_by_somebody_elses_code(value: int) -> None:
    text = overpunched(value, 9)
    assert len(text) == 9
    assert int(convert_from_signed_format(text, "9(9)")) == value
    assert text.lstrip("0") == convert_to_signed_format(value, "9(9)").lstrip("0")
    assert read_overpunched(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(125, "00000012E"), (-125, "00000012N"), (-10, "00000001}"), (0, "00000000{")],
)
def test_the_published_examples_come_out(value: int, text: str) -> None:
    assert overpunched(value, 9) == text


@pytest.mark.parametrize("text", ["00000000}", "000000012", "0000 001A", "", "0000001２A", "12S"])
def test_a_bad_overpunch_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"minus zero|digit"):
        read_overpunched(text)


@pytest.mark.parametrize("value", [-1, 1000])
def test_a_number_that_does_not_fit_is_never_cut(value: int) -> None:
    with pytest.raises(DoesNotFit):
        digits(value, 3)


@pytest.mark.parametrize("text", ["ABCDEFGHI", "A B", "Ä"])
def test_a_code_that_does_not_fit_is_never_cut(text: str) -> None:
    with pytest.raises(DoesNotFit):
        code(text, 8)


@given(st.text(max_size=20))
def test_no_text_cell_can_be_a_formula_or_break_its_row(text: str) -> None:
    if re.fullmatch(fields.TEXT, text, re.ASCII):
        assert text[0] not in "=+-@\t\r\0|%'\""
        assert not set(text) & set(',"\r\n\t\0')
        assert text.isascii()


def test_an_error_shows_no_card_number() -> None:
    assert "4111111111111111" not in shown("card 4111111111111111")
    assert len(shown("x" * 500)) <= fields.SHOWN_MAX
