"""The wording of a whole contract, sentence by sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.accrual.contracts.prose.catalogue import read_catalogue
from services.accrual.contracts.prose.contract import speak
from services.accrual.contracts.prose.rule import hundredfold
from services.accrual.contracts.reading import read
from services.accrual.languages import catalogue

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[4] / "schemas" / "contracts" / "examples"


def page(path: Path) -> str:
    spoken = speak(read(path.read_text("utf-8"), file=path.name).content, catalogue("en"))
    parts = [spoken.title]
    for section in spoken.sections:
        parts += ["", section.heading, *[f"  {text}" for text in section.sentences]]
    return "\n".join(parts) + "\n"


@pytest.mark.parametrize(
    "path", [EXAMPLES / "sky-visa.yaml", EXAMPLES / "oslo-cashback.yaml", HERE / "every-key.yaml"],
    ids=lambda path: path.stem,
)  # fmt: skip
def test_a_contract_reads_as_it_is_meant_to(path: Path) -> None:
    assert page(path) == (HERE / f"{path.stem}.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("factor", "percent"),
    [("0.5", "50"), ("0.05", "5"), ("0.125", "12.5"), ("0.001", "0.1"), ("0.10", "10")],
)
def test_a_factor_is_told_in_percent_exactly(factor: str, percent: str) -> None:
    assert hundredfold(factor) == percent


def test_another_language_needs_no_code() -> None:
    words = read_catalogue(
        """
        language: Polski
        months: [stycznia, lutego, marca, kwietnia, maja, czerwca, lipca, sierpnia, września,
                 października, listopada, grudnia]
        date: "{day} {month} {year}"
        joined: {and: {two: "{a} i {b}", last: "{a} i {b}", more: "{a}, {b}"}}
        plural:
          one: {is: ["1"]}
          few: {ends_in: ["2", "3", "4"], but_not: ["12", "13", "14"]}
        messages:
          days: {one: "{count} dzień", few: "{count} dni robocze", other: "{count} dni"}
        """
    )
    assert [words.say("days", count=n) for n in (1, 3, 5, 13, 22)] == [
        "1 dzień", "3 dni robocze", "5 dni", "13 dni", "22 dni robocze",
    ]  # fmt: skip
    assert words.day("2026-03-01") == "1 marca 2026"
    assert [words.join("and", list("abc")[:n]) for n in (0, 1, 2, 3)] == ["", "a", "a i b",
                                                                          "a, b i c"]  # fmt: skip
