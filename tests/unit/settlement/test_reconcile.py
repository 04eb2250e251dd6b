"""Months, identities and files read back: small things that a reconciliation stands on."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel.errors import InvalidInput
from services.settlement.batches.batch import Written
from services.settlement.reconcile.amount import words
from services.settlement.reconcile.code import MEANING, Check, Code
from services.settlement.reconcile.discrepancy import Identity
from services.settlement.reconcile.month import Month, read_month
from services.settlement.reconcile.readback import plain, reader_of

GOLDEN = Path(__file__).parents[2] / "golden/settlement"
FILES = {
    "sky-air-air-miles-rewards-000011.txt": "air-miles-rewards",
    "sky-air-air-miles-rewards-000011.csv": "air-miles-rewards",
    "sky-air-mileage-credits-000011.csv": "mileage-credits",
    "sky-air-mileage-host-000011.dat": "mileage-host",
    "first-bank-statement-credit-000003.csv": "statement-credit",
    "first-bank-nacha-ppd-000003.ach": "nacha-ppd",
    "first-bank-pain.001-000003.xml": "pain.001",
}


def test_a_month_has_its_first_and_last_day() -> None:
    assert read_month("2028-02") == Month("2028-02", date(2028, 2, 1), date(2028, 2, 29))


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-3", "2026-13", "0000-01", "2026-03-01", "٢٠٢٦-03"]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no month"):
        read_month(text)


def test_every_code_has_words_and_an_owner() -> None:
    assert set(MEANING) == set(Code)


def test_another_part_is_another_discrepancy() -> None:
    one = Identity("p", "2026-03", Check.FILES, Code.MISSING_LINE, "a", 1, "NOK", 0)
    others = [
        one._replace(partner="q"), one._replace(subject="a\nb"), one._replace(amount=-1),
        one._replace(unit="SEK"), one._replace(again=1), one._replace(code=Code.DOUBLED_LINE),
    ]  # fmt: skip
    assert len({one.id, *(other.id for other in others)}) == 7


def test_amounts_of_units_that_nobody_knows_can_be_read() -> None:
    assert [words(1250, unit) for unit in ("NOK", "SKY-MILE", "ZZZ", "")] == [
        "12.50 NOK", "1250 SKY-MILE", "1250 ZZZ", "1250",
    ]  # fmt: skip


def test_zeros_in_front_of_a_number_are_the_layouts() -> None:
    assert [plain(text) for text in ("00123", "0A1", "٠1", "")] == ["123", "0A1", "٠1", ""]


def _written(name: str) -> Written:
    return Written(name, FILES[name], 0, "", 0, {})


@pytest.mark.parametrize("name", FILES)
def test_a_file_reads_back_to_its_lines(name: str) -> None:
    reader = reader_of(_written(name))
    assert reader is not None
    lines = reader((GOLDEN / name).read_bytes(), name).lines
    assert lines
    assert [line.line for line in lines] == sorted({line.line for line in lines})
    assert all(line.line and line.unit is not None and line.amount for line in lines)


@settings(deadline=None, max_examples=150)
@given(data=st.data(), name=st.sampled_from(sorted(FILES)))
def test_a_file_with_any_change_is_read_as_far_as_it_can_be(data: st.DataObject, name: str) -> None:
    content = bytearray((GOLDEN / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content)))
        cut = data.draw(st.integers(0, 300))
        content[at : at + cut] = data.draw(st.binary(max_size=8))
    reader = reader_of(_written(name))
    assert reader is not None
    reader(bytes(content), name)
