"""Every layout: what is wrong with a file is found by reading it, and named."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from importlib import resources

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.kernel.errors import InvalidInput, InvariantViolated
from services.settlement.files import (
    air_miles_sheet,
    catalogue,
    gl_journal,
    statement_credit,
)
from services.settlement.files.file import Checked
from services.settlement.files.layout.pages import pages
from services.settlement.files.sheet import Column, Layout
from tests.support.batches import (
    answer_to,
    book,
    cash_batch,
    line,
    miles_batch,
    page_batch,
    payout_batch,
    sealed,
)
from tests.support.settlement import miles_terms

FILES = {file.name: file.content for batch in (miles_batch(), cash_batch())
         for file in catalogue.files(batch)}  # fmt: skip
FILES |= {file.name: file.content for layout in ("mileage-credits", "mileage-host")
          for file in catalogue.files(page_batch(layout))}  # fmt: skip
FILES |= {file.name: file.content for layout in ("nacha-ppd", "pain.001")
          for file in catalogue.files(payout_batch(layout)) if layout in file.name}  # fmt: skip
FILES |= dict([answer_to(miles_batch())])
MILES, TWIN, MILES_JOURNAL, CREDIT, JOURNAL = (
    next(name for name in FILES if name.startswith(start) and name.endswith(end))
    for start, end in (
        ("sky-air-air", ".txt"), ("sky-air-air", ".csv"), ("sky-air-gl", ".csv"),
        ("first-bank-s", ".csv"), ("first-bank-gl", ".csv"),
    )
)  # fmt: skip
CREDITS, HOST, ANSWER = (
    next(name for name in FILES if layout in name)
    for layout in ("mileage-credits", "mileage-host", "mileage-answer")
)
AIR_MILES = pages()["air-miles-rewards"]
LINE_ENDS = {MILES: b"\r", CREDITS: b"\r\n"}


def check(name: str, content: bytes) -> Checked:
    return catalogue.check(content, name)


def why(name: str, content: bytes) -> str:
    return "\n".join(str(problem) for problem in check(name, content).problems)


def records(name: str) -> list[bytes]:
    if name == HOST:
        return [FILES[name][at : at + 100] for at in range(0, len(FILES[name]), 100)]
    return FILES[name].split(LINE_ENDS.get(name, b"\n"))[:-1]


def joined(name: str, parts: list[bytes]) -> bytes:
    end = b"" if name == HOST else LINE_ENDS.get(name, b"\n")
    return b"".join(part + end for part in parts)


@pytest.mark.parametrize("name", FILES)
def test_a_file_as_written_is_sound(name: str) -> None:
    assert check(name, FILES[name]).problems == ()


@pytest.mark.parametrize("name", FILES)
@given(st.data())
def test_a_file_cut_off_anywhere_is_told(name: str, data: st.DataObject) -> None:
    content = FILES[name]
    cut = data.draw(st.integers(1, len(content) - 1))
    assert check(name, content[:cut]).problems


@pytest.mark.parametrize("name", FILES)
@given(st.data())
def test_records_that_changed_places_are_told(name: str, data: st.DataObject) -> None:
    parts = records(name)
    one, other = data.draw(
        st.lists(st.integers(0, len(parts) - 1), min_size=2, max_size=2, unique=True)
    )
    assume(parts[one] != parts[other])
    parts[one], parts[other] = parts[other], parts[one]
    assert check(name, joined(name, parts)).problems


@pytest.mark.parametrize("name", FILES)
@given(st.data())
def test_a_record_that_was_dropped_or_doubled_is_told(name: str, data: st.DataObject) -> None:
    parts = records(name)
    place = data.draw(st.integers(0, len(parts) - 1))
    assert check(name, joined(name, parts[:place] + parts[place + 1 :])).problems
    assert check(name, joined(name, [*parts[: place + 1], *parts[place:]])).problems


@pytest.mark.parametrize("name", FILES)
@given(st.binary(max_size=400))
def test_garbage_is_told_and_never_breaks_the_reader(name: str, content: bytes) -> None:
    try:
        assert check(name, content).problems
    except InvalidInput as refused:
        assert "published layout" in str(refused)


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        (MILES, b"00000012E", b"00000012F", "total miles: '0000000…|the header says"),
        (
            MILES,
            b"00000012E",
            b"000000125",
            r"miles \(74-82\): '000000125': does not end in an overpunched",
        ),
        (MILES, b"00000012E", b"00000000{", "is zero: such a line stands in no file"),
        (MILES, b"20260331000000", b"20260331120000", r"file time \(27-32\)"),
        (MILES, b"20260331", b"20260231", r"file date \(19-26\): '20260231': is no date"),
        (
            MILES,
            b"00000004",
            b"00000005",
            "detail count: '5': the header says 5, .* come to 4",
        ),
        (MILES, b"B001    ", b"B-01    ", r"offer code \(53-60\): 'B-01'"),
        (MILES, b"TD   ", b"TX   ", r"record type \(1-2\)"),
        (MILES, b"00012345678", b"0001234567", "is 249 bytes long, a record has 250"),
        (
            TWIN,
            b",125,0,",
            b",126,0,",
            "base: '156': the trailer says 156, .* come to 157",
        ),
        (TWIN, b",0,-10,sky-air-000010,7", b",0,-10,,", "must name its original"),
        (TWIN, b"2026-02-28", b"2026-02-29", "activity_date: '2026-02-29': is no date"),
        (TWIN, b",1,sky-air,", b",2,sky-air,", "only version 1"),
        (TWIN, b"sky-air-000011,11", b"sky-air-000012,11", "must be sky-air-000011"),
        (CREDIT, b"CR,12.34", b"DR,12.34", "must name its original"),
        (CREDIT, b"CR,12.34", b"CR,12.3", "amount: '12.3': must have 2 decimals"),
        (CREDIT, b"CR,12.34", b"CR,-12.34", "amount: '-12.34': must be an amount"),
        (CREDIT, b"acc-1,JPY", b"=1+1,JPY", "account_id: '=1"),
        (
            CREDIT,
            b"T,JPY,1,70",
            b"T,JPY,2,70",
            "count: '2': the trailer says 2, .* come to 1",
        ),
        (CREDIT, b"T,KWD,1,0.001,0.000\n", b"", "one trailer for each of JPY, KWD, NOK"),
        (JOURNAL, b",JPY,70,,", b",JPY,71,,", "debits and credits of JPY differ"),
        (JOURNAL, b",JPY,70,,", b",JPY,,,", "a debit or a credit, not both"),
        (JOURNAL, b"D,1,2026-03-31", b"D,1,2026-03-30", "the day sealed through"),
    ],
)
def test_what_is_wrong_is_named(name: str, old: bytes, new: bytes, told: str) -> None:
    assert old in FILES[name]
    assert re.search(told, why(name, FILES[name].replace(old, new, 1)))


def test_a_file_of_no_layout_is_told_which_there_are() -> None:
    with pytest.raises(InvalidInput, match=r"air-miles-rewards, .*statement-credit, .*gl-journal"):
        catalogue.check(b"hello", "hello.dat")


def test_the_mile_file_and_its_twin_add_up_alike() -> None:
    (said,) = check(MILES, FILES[MILES]).totals.values()
    assert check(TWIN, FILES[TWIN]).totals == {"SKY-MILE": said}


@pytest.mark.parametrize("name", [TWIN, CREDIT, JOURNAL])
def test_another_csv_reader_sees_the_same_cells(name: str) -> None:
    text = FILES[name].decode("ascii")
    assert list(csv.reader(io.StringIO(text))) == [row.split(",") for row in text.splitlines()]


def test_two_provider_codes_of_one_partner_get_files_of_their_own() -> None:
    other = miles_terms(file={"layout": "air-miles-rewards", "provider_code": "SKYB"})
    clauses = book(**{"sky-visa": miles_terms(), "sky-master": other})
    files = catalogue.files(
        sealed([line(1, 5), line(2, 7, contract="sky-master")], clauses=clauses)
    )
    assert [file.name for file in files] == [
        "sky-air-air-miles-rewards-sky-mile-skya-000011.txt",
        "sky-air-air-miles-rewards-sky-mile-skya-000011.csv",
        "sky-air-air-miles-rewards-sky-mile-skyb-000011.txt",
        "sky-air-air-miles-rewards-sky-mile-skyb-000011.csv",
        "sky-air-gl-journal-000011.csv",
    ]


def test_a_value_without_room_stops_the_batch_before_the_first_byte() -> None:
    with pytest.raises(InvalidInput, match=r"2000000 does not fit 6 digits"):
        catalogue.files(sealed([line(1, 5)], sequence=2_000_000))
    with pytest.raises(InvalidInput, match="line 3: account_id: 'a,b'"):
        cash = cash_batch()
        catalogue.files(sealed([cash.lines[0]._replace(account_id="a,b")], clauses=cash.terms))


def test_lines_that_do_not_come_to_the_stored_total_stop_the_batch() -> None:
    batch = miles_batch()
    with pytest.raises(InvariantViolated, match="its totals are"):
        catalogue.files(replace(batch, lines=batch.lines[1:]))


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the table under a heading of a layout's page, without its head."""
    text = resources.files("schemas").joinpath(f"files/{page}").read_text("utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


SHEETS = {
    "air-miles-rewards-csv.md": air_miles_sheet.LAYOUT,
    "statement-credit.md": statement_credit.LAYOUT,
    "gl-journal.md": gl_journal.LAYOUT,
}


@pytest.mark.parametrize("page", SHEETS)
@pytest.mark.parametrize(
    ("heading", "columns"),
    [("H", lambda layout: layout.header), ("D", lambda layout: layout.detail),
     ("T", lambda layout: layout.trailer)],
)  # fmt: skip
def test_the_page_says_the_columns(
    page: str, heading: str, columns: Callable[[Layout], tuple[Column, ...]]
) -> None:
    listed = [
        [str(place), column.name, column.meaning + (", or empty" if column.optional else "")]
        for place, column in enumerate(columns(SHEETS[page]), 2)
    ]
    assert rows(page, heading) == listed
