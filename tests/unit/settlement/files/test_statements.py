"""A statement on paper, as a workbook and as CSV: three readers of others see the same amounts."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from services.kernel.errors import InvalidInput, InvariantViolated
from services.kernel.units import exponent_of, major
from services.settlement.billing.price import Granted, by_kind
from services.settlement.files import catalogue
from services.settlement.files.statement import delimited, forms, printed, workbook
from services.settlement.files.statement.document import Row, Section, Statement
from services.settlement.files.statement.of import of_account, of_batch
from tests.support.batches import cash_batch, miles_batch

Totals = dict[str, Decimal]
NASTY = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "|cmd", '"; DROP', '#link("x")[y]', "a,b\nc", "Ł☃"]


def of_miles() -> Statement:
    batch = miles_batch()
    granted = [Granted("sky-visa", 1, "base", "SKY-MILE", 156),
               Granted("sky-visa", 1, "dining", "SKY-MILE", 999_999_989)]  # fmt: skip
    return of_batch(batch, by_kind(granted, batch.terms), {("sky-air-000011", 3): "refund"})


def of_member(texts: list[str], amounts: list[int], unit: str = "NOK") -> Statement:
    rows = tuple(
        Row((date(2026, 3, 5), "earned", text, f"P{nth}", "cash", "base", "first-bank/P1"), amount)
        for nth, (text, amount) in enumerate(zip(texts, amounts, strict=True))
    )
    section = Section(unit, rows, opening=-700, closing=sum(amounts) - 700)
    return of_account("acc-1", date(2026, 3, 1), date(2026, 3, 31), [section], zone="UTC")


STATEMENTS: dict[str, Callable[[], Statement]] = {
    "miles": of_miles,
    "cash": lambda: of_batch(cash_batch(), [], {}),
    "member": lambda: of_member(NASTY, [5 - nth for nth in range(len(NASTY))]),
}


def sums(statement: Statement) -> Totals:
    return {of.unit: Decimal(major(of.credits - of.debits, of.unit)) for of in statement.sections}


def in_csv(content: bytes) -> Totals:
    found: Totals = {}
    for cells in csv.reader(io.StringIO(content.decode(), newline="")):
        if cells[0] == "D":
            amount = Decimal(cells[-2] or 0) - Decimal(cells[-1] or 0)
            found[cells[1]] = found.get(cells[1], Decimal(0)) + amount
    return found


def in_workbook(content: bytes, statement: Statement) -> Totals:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    found: Totals = {}
    for section, name in zip(statement.sections, book.sheet_names[1:], strict=True):
        *rows, last = book.get_sheet_by_name(name).to_python()[1:]
        places = exponent_of(section.unit)
        added = sum(round(Decimal(row[-1]), places) for row in rows)
        assert round(Decimal(last[-1]), places) == added
        found[section.unit] = Decimal(added)
    return found


def in_print(content: bytes, statement: Statement) -> Totals:
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)
    totals = re.findall(r"Total, (\d+) lines\s+([−-]?[\d.]+)", text)
    assert [int(count) for count, _ in totals] == [len(of.rows) for of in statement.sections]
    return {
        section.unit: Decimal(amount.replace("−", "-"))
        for section, (_, amount) in zip(statement.sections, totals, strict=True)
    }


@pytest.mark.parametrize("name", STATEMENTS)
def test_all_three_forms_have_the_same_totals(name: str) -> None:
    statement = STATEMENTS[name]()
    assert in_csv(forms.write(statement, "csv")) == sums(statement)
    assert in_workbook(forms.write(statement, "xlsx"), statement) == sums(statement)
    assert in_print(forms.write(statement, "pdf"), statement) == sums(statement)


@settings(max_examples=20)
@given(
    st.lists(st.integers(-(10**12), 10**12), max_size=20), st.sampled_from(["NOK", "JPY", "KWD"])
)
def test_any_amounts_come_out_alike(amounts: list[int], unit: str) -> None:
    statement = of_member(["m"] * len(amounts), amounts, unit)
    if amounts:
        assert in_csv(delimited.write(statement)) == sums(statement)
    assert in_workbook(workbook.write(statement), statement) == sums(statement)


@pytest.mark.parametrize("form", forms.FORMS)
def test_the_same_statement_gives_the_same_bytes(form: str) -> None:
    assert forms.write(of_miles(), form) == forms.write(of_miles(), form)


def test_the_paper_says_that_it_is_for_archives_and_bears_the_day_of_the_batch() -> None:
    paper = pypdf.PdfReader(io.BytesIO(printed.write(of_miles())))
    assert paper.xmp_metadata is not None
    described = paper.xmp_metadata.stream.get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in described
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in described
    assert paper.metadata is not None
    assert paper.metadata.creation_date is not None
    assert paper.metadata.creation_date.date() == date(2026, 3, 31)
    assert paper.metadata.title == "Settlement with sky-air"


def test_no_text_is_a_formula_in_any_form() -> None:
    statement = STATEMENTS["member"]()
    cells = list(csv.reader(io.StringIO(delimited.write(statement).decode())))
    assert all(cell[:1] not in tuple("=+-@\t|") for row in cells for cell in row)
    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook.write(statement)))
    merchants = [row[2] for row in book.get_sheet_by_name("NOK").to_python()[1:-1]]
    assert merchants == NASTY
    assert b"<f>" not in workbook.write(statement)
    text = pypdf.PdfReader(io.BytesIO(printed.write(statement))).pages[0].extract_text()
    assert "=1+1" in text
    assert '#link("x")[y]' in text


def test_ids_too_long_for_their_columns_go_on_below_and_not_over_their_neighbours() -> None:
    long_id = "773f3699-124a-54ff-8963-284177185caf"
    row = Row((date(2026, 3, 5), "granted", "KAFFE OG KRINGLE", long_id, "sky-visa", "base",
               long_id), 90)  # fmt: skip
    section = Section("NOK", (row,), opening=0, closing=90)
    statement = of_account("acc-1", date(2026, 3, 1), date(2026, 3, 31), [section], zone="UTC")
    text = pypdf.PdfReader(io.BytesIO(printed.write(statement))).pages[0].extract_text()
    assert long_id not in text
    assert "".join(text.split()).count("284177185caf") == 2


def test_the_control_sheet_comes_first_and_ties() -> None:
    statement = STATEMENTS["member"]()
    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook.write(statement)))
    assert book.sheet_names == ["Control", "NOK"]
    rows = book.get_sheet_by_name("Control").to_python()
    told = {row[1]: row[2] for row in rows if row[0] == "NOK"}
    assert set(told) == {"opening", "kind earned", "credits", "debits", "closing"}
    cents = {name: round(Decimal(amount) * 100) for name, amount in told.items()}
    assert cents["opening"] + cents["credits"] + cents["debits"] == cents["closing"]


def test_the_partner_sees_what_the_miles_cost() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook.write(of_miles())))
    rows = book.get_sheet_by_name("Control").to_python()
    assert ["SKY-MILE", "base", 156.0, 0.09, "NOK", 14.04] in rows
    text = pypdf.PdfReader(io.BytesIO(printed.write(of_miles()))).pages[0].extract_text()
    assert "14.04 NOK" in text


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b",125,", b",126,", "the trailer says otherwise than the rows come to"),
        (b"T,SKY-MILE,4", b"T,SKY-MILE,999999999", "the trailer says otherwise"),
        (b"T,SKY-MILE,4,1000000155,10\n", b"", "there is no trailer of SKY-MILE"),
        (b"2026-03-05,12345678,P1", b"2026-13-05,12345678,P1", "date: '2026-13-05': is no date"),
        (b",12345678,P1,", b",=1+1,P1,", "member: '=1+1': begins like a formula"),
        (b",125,\n", b",125,5\n", "must have a credit or a debit, not both"),
        (b",125,\n", b",125\n", "too few or too many cells"),
        (b"H,statement,1", b"H,statement,2", "must be H, statement, 1"),
    ],
)
def test_a_statement_that_was_changed_is_told(old: bytes, new: bytes, told: str) -> None:
    content = delimited.write(of_miles())
    assert catalogue.check(content, "april.csv").problems == ()
    assert old in content
    problems = catalogue.check(content.replace(old, new, 1), "x-statement-1.csv").problems
    assert told in "\n".join(str(problem) for problem in problems)


def test_what_does_not_tie_is_not_written() -> None:
    statement = of_member(["m"], [5])
    broken = replace(statement.sections[0], closing=1)
    for form in forms.FORMS:
        with pytest.raises(InvariantViolated, match="do not tie"):
            forms.write(replace(statement, sections=(broken,)), form)


def test_what_has_no_room_is_refused_and_said_where_it_has() -> None:
    with pytest.raises(InvalidInput, match="take xlsx or csv"):
        forms.write(of_member(["m"] * 20_001, [1] * 20_001), "pdf")
    with pytest.raises(InvalidInput, match="no number that a sheet keeps exactly"):
        forms.write(of_member(["m"], [10**15]), "xlsx")
    with pytest.raises(InvalidInput, match="must be one of csv, pdf, xlsx"):
        forms.write(of_miles(), "docx")


def test_names_of_any_script_are_printed_or_said_to_be_in_the_other_forms() -> None:
    names = ["Ł Δ Ж", "日本コンビニ", "한국마트", "😀 Bar", "ร้านกาแฟ"]
    statement = of_member(names, [1, 2, 3, 4, 5])
    text = pypdf.PdfReader(io.BytesIO(printed.write(statement))).pages[0].extract_text()
    assert "Ł Δ Ж" in text
    assert "□ Bar" in text
    assert "□ stands for one that this paper lacks" in text
    assert in_print(printed.write(statement), statement) == sums(statement)
    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook.write(statement)))
    assert [row[2] for row in book.get_sheet_by_name("NOK").to_python()[1:-1]] == names
    assert (
        "lacks"
        not in pypdf.PdfReader(io.BytesIO(printed.write(of_member(["קפה", "مطعم"], [1, 2]))))
        .pages[0]
        .extract_text()
    )


def test_a_name_without_blanks_stays_on_the_page() -> None:
    statement = of_member(["M" * 180], [1])
    page = pypdf.PdfReader(io.BytesIO(printed.write(statement))).pages[0]
    right: list[float] = []

    def visit(text: str, _: object, place: list[float], *__: object) -> None:
        if text.strip():
            right.append(place[4])

    page.extract_text(visitor_text=visit)
    text = page.extract_text()
    assert "M" * 60 not in text
    assert text.count("M") == 180
    assert max(right) < float(page.mediabox.width)
