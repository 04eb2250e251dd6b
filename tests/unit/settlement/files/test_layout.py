"""A new partner is a page: what is written reads back, and what does not fit is refused."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement.files import catalogue
from services.settlement.files.fields import DoesNotFit
from services.settlement.files.layout.declared import read_page
from services.settlement.files.layout.page import Page
from services.settlement.files.layout.pages import pages
from services.settlement.files.layout.reader import read
from services.settlement.files.layout.writer import write
from tests.support.batches import answer_to, miles_batch, page_batch

BLUE = """
layout: blue-points
title: A partner that was unknown a minute ago
direction: out
ending: txt
form: delimited
delimiter: "|"
quoting: needed
encoding: latin-1
line_end: LF
allowed: A-Za-z0-9 |"ÅØÆåøæ
order: line
header:
  - {name: record, is: "01"}
  - {name: sent, of: through, type: date, form: YYDDD}
  - {name: unit, of: unit}
detail:
  - {name: record, is: "02"}
  - {name: line, of: line, type: number, digits: 4}
  - {name: who, of: account_id}
  - {name: points, of: amount, type: major}
  - {name: change, of: base, type: signed, form: FORM, digits: 6, optional: true}
trailer:
  - {name: record, is: "99"}
  - {name: records, of: records, type: number}
  - {name: plus, of: plus of change, type: number}
  - {name: hash, of: hash of who, type: number, digits: 5}
"""
HEAD = {"through": date(2026, 3, 31), "unit": "KWD"}


def blue(form: str = "plain") -> Page:
    return read_page(BLUE.replace("FORM", form))


def row(line: int, who: str, amount: int = 5, change: int | None = None) -> dict[str, Any]:
    return {"line": line, "account_id": who, "amount": amount, "base": change}


def test_a_partner_that_was_unknown_a_minute_ago_gets_its_file() -> None:
    rows = [row(1, "Åse 12"), row(2, 'b"|9999', 70_001, -3)]
    content, checked = write(blue(), HEAD, rows, file="f")
    assert content.decode("latin-1").splitlines() == [
        "01|26090|KWD",
        "02|1|Åse 12|0.005|",
        '02|2|"b""|9999"|70.001|-3',
        "99|4|0|10011",
    ]
    assert (checked.records, dict(checked.totals)) == (2, {"KWD": 70_006})


TEXTS = st.text(alphabet='Ab9 |"Åø', min_size=1, max_size=12).filter(
    lambda text: text == text.strip(" ") and text[0] != "|"
)


@given(
    st.lists(st.tuples(TEXTS, st.integers(0, 10**9), st.integers(-(10**5), 10**5))),
    st.sampled_from(["plain", "leading", "trailing", "overpunch"]),
)
def test_whatever_fits_reads_back(values: list[tuple[str, int, int]], form: str) -> None:
    rows = [row(nth, *given) for nth, given in enumerate(values, 1)]
    content, _ = write(blue(form), HEAD, rows, file="f")
    reading, checked = read(blue(form), content, "f")
    assert checked.problems == ()
    assert reading is not None
    assert reading.rows == rows
    lines = content.decode("latin-1").splitlines()[1:-1]
    cells = list(csv.reader(io.StringIO("\n".join(lines)), delimiter="|"))
    assert [found[2] for found in cells] == [who for who, _, _ in values]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (row(10_000, "a"), "line 3: line: 10000 does not fit 4 digits"),
        (row(2, "ł"), "line 3: who: 'ł' has characters"),
        (row(2, "a\nb"), "has characters that the file does not allow"),
        (row(2, " a"), "has characters that the file does not allow"),
        (row(2, "|cmd"), "begins like a formula"),
        (row(2, ""), "line 3: who: has no value"),
        (row(2, "a", -5), "points: -5 is below zero, and the field has no sign"),
        (row(2, "a", 5, 10**6), "change: 1000000 does not fit 6 digits"),
    ],
)
def test_what_does_not_fit_is_refused_with_line_and_field(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(DoesNotFit, match=re.escape(told)):
        write(blue(), HEAD, [row(1, "a"), wrong], file="f")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"02|1|", b"02|01|", "f:2: line: '01'"),
        (b"02|1|", b"02|1|1|", "f:2: has 6 cells, this record has 5"),
        (b"|Ab|", b'|"Ab"|', "f:2: is quoted otherwise than the layout says"),
        (b"|Ab|", b'|"Ab|', "f:2: a quote is not closed"),
        (b"|Ab|", b'|"Ab"c|', "f:2: text stands behind a closing quote"),
        (b"|Ab|", b"|=1+1|", "f:2: who: '=1+1'"),
        (b"0.005", b"0.0050", "f:2: points: '0.0050'"),
        (b"0.005", b"0.05", "f:2: points: '0.05': must have 3 decimals"),
        (b"0.005|7", b"0.005|-0", "f:2: change: '-0': is minus zero"),
        (b"99|3", b"99|999999999", "f:3: records: '999999999': the trailer says 999999999"),
        (b"99|3", b"99|" + b"9" * 4000, "f:3: records: "),
        (b"26090", b"26366", "f:1: sent: '26366': is no date"),
        (b"99|3|7|0\n", b"99|3|7|0\n99|3|7|0\n", "f:4: record: '99': records are doubled"),
        (b"99|3|7|0\n", b"", "f:3: there is no trailer: the file was cut off"),
    ],
)
def test_a_hostile_file_is_told_with_its_line(old: bytes, new: bytes, told: str) -> None:
    content, _ = write(blue(), HEAD, [row(1, "Ab", 5, 7)], file="f")
    assert old in content
    reading, checked = read(blue(), content.replace(old, new, 1), "f")
    assert reading is None
    assert told in "\n".join(str(problem) for problem in checked.problems)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("hash of who", "hash of nobody", "there is no total 'hash' of 'nobody'"),
        ("type: date, form: YYDDD", "type: date, form: DDYY", "a date is written in one of"),
        ('is: "99"', 'is: "02"', "every kind of record must start with a constant of its own"),
        ("order: line", "order: lines", "no field of the detail is of 'lines'"),
        ("of: through", "off: through", "unknown field `off`"),
        ("form: delimited", "form: fixed", "has a position in a fixed file"),
        ("of: through, ", "", "must be a constant, a value or a total"),
        ("of: through", "of: thruogh", "header, sent: there is no value 'thruogh'"),
        ("of: unit", "of: amount", "header, unit: there is no value 'amount'"),
        ("allowed: A-Z", "allowed: Z-A", "blue-points: allowed: 'Z-A"),
        ("of: account_id", 'of: account_id, pattern: "[a"', "detail, who: '[a' is no pattern: unt"),
        ("type: major", "type: code, codes: {5: a, 6: a}", "two words are written the same"),
        ("ending: txt", "ending: txt\nending: csv", "line 6: ending stands there twice"),
        ('is: "01"', 'is: "01", is: "03"', "line 14: is stands there twice"),
        ("of: unit}", "of: unit", "expected ',' or '}'"),
    ],
)
def test_a_page_with_a_fault_is_refused(old: str, new: str, told: str) -> None:
    assert old in BLUE
    with pytest.raises(ValueError, match=re.escape(told)):
        read_page(BLUE.replace(old, new).replace("FORM", "plain"))


def test_all_faults_of_a_page_are_told_at_once() -> None:
    text = BLUE.replace("order: line", "order: nth").replace("of who", "of whom")
    with pytest.raises(ValueError, match="blue-points") as told:
        read_page(text.replace("FORM", "above"))
    assert len(str(told.value).splitlines()) == 3


def test_a_constant_that_is_longer_than_its_place_is_refused() -> None:
    text = "layout: a\ntitle: a\ndirection: out\nending: txt\nform: fixed\nwidth: 4\ndetail:\n"
    with pytest.raises(ValueError, match="detail, one: 'ABCDE' is longer than its place"):
        read_page(text + "  - {name: one, at: 1-4, is: ABCDE}\n")


def test_a_page_with_a_gap_between_its_positions_is_refused() -> None:
    text = "layout: a\ntitle: a\ndirection: out\nending: txt\nform: fixed\nwidth: 9\ndetail:\n"
    text += "  - {name: one, at: 1-4, of: line}\n  - {name: two, at: 6-9, of: unit}\n"
    with pytest.raises(ValueError, match="two must start at 5"):
        read_page(text)


def test_every_position_that_is_none_is_told_with_its_field() -> None:
    text = "layout: a\ntitle: a\ndirection: out\nending: txt\nform: fixed\nwidth: 9\ndetail:\n"
    text += "  - {name: one, at: x-12, of: line}\n  - {name: two, at: 0-, of: unit}\n"
    with pytest.raises(ValueError, match="is no position") as told:
        read_page(text)
    assert str(told.value).splitlines() == [
        "a: detail, one: 'x-12' is no position such as 7 or 7-12",
        "a: detail, two: '0-' is no position such as 7 or 7-12",
    ]


@pytest.mark.parametrize(
    ("page", "ends", "told"),
    [
        ("blue", b"\r\n", "with CR LF, those of this layout with LF"),
        ("blue", b"\r", "with CR, those of this layout with LF"),
        ("air-miles-rewards", b"\r\n", "with CR LF, those of this layout with CR"),
        ("air-miles-rewards", b"\n", "with LF, those of this layout with CR"),
    ],
)
def test_wrong_line_ends_are_told_once(page: str, ends: bytes, told: str) -> None:
    if page == "blue":
        layout, content = blue(), write(blue(), HEAD, [row(1, "Ab"), row(2, "Ab")], file="f")[0]
    else:
        (file,) = [one for one in catalogue.files(page_batch(page)) if one.name.endswith("txt")]
        layout, content = pages()[page], file.content
    changed = content.replace(layout.line_end.encode(), ends)
    reading, checked = read(layout, changed, "f")
    assert reading is None
    assert [str(one) for one in checked.problems] == [f"f:1: its lines end {told}"]


def test_the_host_file_is_ebcdic_without_line_ends() -> None:
    (found,) = [file for file in catalogue.files(page_batch("mileage-host")) if "host" in file.name]
    assert len(found.content) == 600
    assert found.content.decode("cp500").startswith("HMILEAGE-HOSTSKYA000011")


def test_somebody_elses_csv_reader_sees_the_cells_of_the_mileage_credits() -> None:
    files = catalogue.files(page_batch("mileage-credits"))
    (found,) = [file for file in files if "credits" in file.name]
    rows = list(csv.reader(io.StringIO(found.content.decode("latin-1")), delimiter=";"))
    credits = [cells for cells in rows if cells[0] == "DTL"]
    assert [int(cells[6]) for cells in credits] == [found.amount for found in miles_batch().lines]


def test_an_answer_is_read_with_the_words_that_milepost_uses() -> None:
    name, content = answer_to(miles_batch())
    reading, _ = read(pages()["mileage-answer"], content, name)
    assert reading is not None
    assert [found["outcome"] for found in reading.rows] == [
        "ACCEPTED", "MERGED", "REJECTED", "WARNED",
    ]  # fmt: skip
    assert reading.rows[1]["new_number"] == "77777777"


def test_an_answer_that_gives_no_reason_for_a_refusal_is_told() -> None:
    name, content = answer_to(miles_batch())
    problems = catalogue.check(content.replace(b"REJ;5", b"REJ;"), name).problems
    assert [str(found) for found in problems] == [f"{name}:4: code: is required with REJ"]
