"""What a demo prints where no terminal is: plain, aligned, without trailing blanks."""

from __future__ import annotations

import io

from rich.console import Console

from services.local.amounts import grouped, shown_totals
from services.local.narrator import WIDTH, Narrator


def _told(*, quiet: bool = False) -> tuple[Narrator, io.StringIO]:
    out = io.StringIO()
    return Narrator(Console(file=out, width=WIDTH, highlight=False), quiet=quiet), out


def test_numbers_stand_to_the_right_and_lines_end_where_their_text_does() -> None:
    narrator, out = _told()
    narrator.table("Files", ("file", "lines", "total"), [["a", 5, "x"], ["bb", 1_000, ""],
                                                        ["c", "", "y"]])  # fmt: skip
    assert out.getvalue().splitlines() == [
        "", "Files", "file  lines  total", "a         5  x", "bb    1,000", "c            y",
    ]  # fmt: skip


def test_quiet_leaves_the_tables_only() -> None:
    narrator, out = _told(quiet=True)
    narrator.say("hello")
    narrator.did("running", "Kafka")
    assert out.getvalue() == ""
    narrator.table("T", ("a",), [["b"]])
    assert out.getvalue()


def test_amounts_are_in_major_units_with_their_thousands_apart() -> None:
    assert grouped(2_242_270, "NOK") == "22,422.70"
    assert grouped(-5, "NOK") == "-0.05"
    assert grouped(84_993, "JPY") == "84,993"
    assert grouped(1_145_950, "KWD") == "1,145.950"
    assert shown_totals({"NOK": 150, "SKY-MILE": -3}, sign=True) == "+1.50 NOK · -3 SKY-MILE"
