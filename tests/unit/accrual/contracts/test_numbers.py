"""Single values of the language, by themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accrual.contracts import names, numbers


@given(st.integers(0, 10**14 - 1), st.integers(0, 12), st.data())
def test_a_plain_number_is_taken_and_means_exactly_what_it_says(
    integral: int, decimals: int, data: st.DataObject
) -> None:
    fraction = data.draw(st.integers(0, 10**decimals - 1)) if decimals else 0
    text = f"{integral}.{fraction:0{decimals}d}" if decimals else str(integral)
    assert numbers.exact(text) == text
    assert Fraction(text) == integral + Fraction(fraction, 10**decimals)


@given(st.text(alphabet="0123456789.+-eE_ ,NaInf٣", max_size=20))
def test_what_is_not_a_plain_number_is_refused(text: str) -> None:
    parts = text.split(".")
    plain = (
        len(parts) <= 2
        and all(part and part.isascii() and part.isdigit() for part in parts)
        and (parts[0] == "0" or not parts[0].startswith("0"))
        and len(parts[0]) <= numbers.DIGITS_MAX
        and len(parts[-1] if len(parts) == 2 else "") <= numbers.DECIMALS_MAX
    )
    if plain:
        assert numbers.exact(text) == text
    else:
        with pytest.raises(ValueError, match=r"not a plain number|decimals|before the point"):
            numbers.exact(text)


@pytest.mark.parametrize(
    ("check", "text", "why"),
    [
        (numbers.exact, "1" * 5000, "has more than 14 characters before the point"),
        (numbers.exact, "0." + "3" * 5000, "has more than 12 characters after the point"),
        (numbers.exact, "0." + "3" * 40, "has more than 12 characters after the point"),
        (numbers.positive, "-1." + "0" * 40, "has more than 12 characters after the point"),
        (numbers.percent, "1.5e1" + "0" * 40, "has more than 12 characters after the point"),
        (numbers.exact, "١", "not a plain number"),
        (numbers.positive, "0", "must be more than 0"),
        (numbers.positive, "0.000", "must be more than 0"),
        (numbers.percent, "100.1", "must be at most 100"),
        (numbers.factor, "1.0", "must be less than 1"),
        (numbers.whole, "+1", "must be a whole number"),
        (numbers.whole, "01", "must be a whole number"),
        (numbers.whole, "1000000", "must be at most 999999"),
        (numbers.whole, ["1"], "must be a whole number"),
        (numbers.counting, "0", "must be 1 or more"),
        (numbers.yes, "false", "leave the key out"),
        (numbers.day, "2026-2-1", "must be a date as YYYY-MM-DD"),
        (numbers.day, "2026-W01-1", "must be a date as YYYY-MM-DD"),
        (numbers.day, "2026-02-30", "there is no such date"),
        (names.day_end, "24:30", "at most"),
        (names.day_end, "9:00", "HH:MM"),
        (names.day_end, "00:00", 'midnight is "24:00"'),
        (names.zone, "localtime", "no such time zone"),
        (names.zone, "../etc/passwd", "no such time zone"),
        (names.zone, "Europe", "no such time zone"),
        (names.zone, "", "no such time zone"),
        (names.unit, "XAU", "that has an exponent"),
        (names.unit, "miles", "capitals"),
        (names.money, "SKY-MILE", "ISO 4217"),
        (names.mcc, "581", "four digits"),
        (names.mcc, "5814-5812", "upwards"),
        (names.country, "NOR", "two capitals"),
        (names.identifier, "a/b", "letters, digits"),
        (names.identifier, ".hidden", "letters, digits"),
        (names.identifier, "a" * 65, "1 to 64"),
        (names.name, "a\x07b", "printable"),
        (names.brand, "SKY*AIR", "at the end"),
        (names.brand, "*", "behind the beginning"),
        (names.time_from, "24:00", "at most 23:59"),
        (names.time_to, "24:01", "at most"),
        (names.format_version, "2", "reads format 1 only"),
        (names.provider_code, "SKY", "exactly four"),
        (names.offer_code, "123456789", "1 to 8"),
    ],
)
def test_a_wrong_value_is_told_why(check: Callable[..., object], text: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check(text)


def test_values_that_stand_at_their_bounds_are_taken() -> None:
    assert numbers.percent("100.00") == "100.00"
    assert numbers.factor("0") == "0"
    assert numbers.factor("0.999999999999") == "0.999999999999"
    assert numbers.whole("999999") == 999_999
    assert numbers.day("2028-02-29") == date(2028, 2, 29)
    assert names.day_end("24:00") == "24:00"
    assert names.mcc("5812-5812") == "5812-5812"
    assert names.unit("KWD") == "KWD"
    assert names.zone("America/Argentina/Buenos_Aires") == "America/Argentina/Buenos_Aires"
