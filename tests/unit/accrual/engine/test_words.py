"""Amounts as a person says them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from services.accrual.engine.words import (
    exact_words,
    kind_words,
    moment_words,
    signed_words,
)
from services.kernel.transaction import Kind


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (Fraction(31), "SKY-MILE", "31"),
        (Fraction(156, 5), "SKY-MILE", "31.2"),
        (Fraction(94, 3), "SKY-MILE", "94/3"),
        (Fraction(216), "NOK", "2.16"),
        (Fraction(1, 8), "NOK", "0.00125"),
        (Fraction(0), "NOK", "0"),
        (Fraction(-5, 2), "JPY", "−2.5"),
        (Fraction(1), "KWD", "0.001"),
    ],
)
def test_an_exact_amount_has_all_its_digits(value: Fraction, unit: str, said: str) -> None:
    assert exact_words(value, unit) == said


def test_a_change_carries_its_sign() -> None:
    assert signed_words(1_234, "NOK") == "+12.34 NOK"
    assert signed_words(-12, "SKY-MILE") == "−12 SKY-MILE"


def test_an_instant_is_in_utc() -> None:
    assert moment_words(1_772_452_800_000_000) == "2026-03-02T12:00:00Z"


def test_every_kind_has_words() -> None:
    assert all(kind_words(kind) for kind in Kind)
