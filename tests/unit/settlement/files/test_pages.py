"""The pages for people say what the pages for milepost say, and show the published bytes."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from services.accrual.contracts.layouts import layouts
from services.kernel.errors import InvalidInput
from services.settlement.files import catalogue, payout_sheet
from services.settlement.files.fbdi_columns import BY_PLACE
from services.settlement.files.layout.page import DETAIL_VALUES, HEADER_VALUES, Field
from services.settlement.files.layout.pages import outgoing, pages
from services.settlement.files.nacha_records import ADDENDA, RECORD, RECORDS

WORDS = sorted(
    file.name
    for file in resources.files("schemas").joinpath("files").iterdir()
    if file.name.endswith(".md") and file.name != "README.md"
)

INCOMING = {"payout-accounts.md", "pain.002.md", "camt.md"}
"""What others write: milepost publishes no file of these."""


def words(page: str) -> str:
    return resources.files("schemas").joinpath(f"files/{page}").read_text("utf-8")


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    section = words(page).split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def table(page: str) -> list[list[str]]:
    lines = [line for line in words(page).splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def row(field: Field, nth: int) -> list[str]:
    if field.first:
        return [f"{field.first}–{field.last}", field.name, field.meaning]
    return [str(nth), field.name, field.meaning + (", or empty" if field.optional else "")]


@pytest.mark.parametrize("name", pages())
def test_the_page_in_words_says_every_field(name: str) -> None:
    for fields in pages()[name].records.values():
        heading = (fields[0].constant or "").strip()
        assert rows(f"{name}.md", heading) == [
            row(field, nth) for nth, field in enumerate(fields, 1)
        ]


@pytest.mark.parametrize("page", sorted(set(WORDS) - INCOMING))
def test_the_sample_on_the_page_is_the_published_file(page: str) -> None:
    name = re.search(r"Sample: `([^`]+)`", words(page))
    assert name is not None
    block = words(page)[name.end() :].split("```")[1].split("\n", 1)[1]
    golden = resources.files("tests").joinpath(f"golden/settlement/{name[1]}").read_bytes()
    layout = pages().get(page.removesuffix(".md"))
    text = golden.decode(layout.encoding if layout else "utf-8")
    if layout and not layout.line_end:
        text = re.sub(f"(.{{{layout.width}}})", r"\1\n", text)
    shown = [part.rstrip(" ") for part in re.split(r"[\r\n]+", text)]
    assert block.splitlines() == [part for part in shown if part]


def test_the_list_of_files_names_every_page() -> None:
    assert [page for page in WORDS if f"]({page})" not in words("README.md")] == []


def test_a_contract_may_name_every_page_that_goes_out_and_nothing_else() -> None:
    assert set(layouts()) == set(catalogue.NAMED_BY_CONTRACTS)
    assert {name: page.earns for name, page in outgoing().items()}.items() <= layouts().items()


def test_pages_that_go_out_ask_only_for_values_that_a_batch_has() -> None:
    for page in outgoing().values():
        heads = {field.source for field in (*page.header, *page.trailer)} - {""}
        assert heads <= set(HEADER_VALUES)
        assert {field.source for field in page.detail} - {""} <= set(DETAIL_VALUES)


def test_the_page_of_the_ach_says_every_position() -> None:
    kinds = {**RECORDS, **{f"7 {kind}": fields for kind, fields in ADDENDA.items()}}
    for kind, fields in kinds.items():
        said = [cells[0] for cells in rows("nacha.md", kind)]
        assert said == [f"{field.first}–{field.last}" for field in fields]
        assert [field.first for field in fields[1:]] == [field.last + 1 for field in fields[:-1]]
        assert fields[-1].last == RECORD


def test_the_page_of_the_payout_table_shows_a_file_that_is_taken() -> None:
    block = words("payout-accounts.md").split("```csv\n")[1].split("```")[0]
    assert len(payout_sheet.read(block.encode(), "f")) == 3
    assert [cells[1] for cells in table("payout-accounts.md")] == list(payout_sheet.HEADER)


def test_the_page_of_the_ledger_says_every_cell() -> None:
    assert rows("gl-fbdi.md", "Line") == [
        [str(place), column.name, column.meaning + (", or empty" if column.optional else "")]
        for place, column in BY_PLACE.items()
        if not 10 <= place <= 38
    ]


def test_every_wrong_page_is_told_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "one.yaml").write_text("layout: [", "utf-8")
    (tmp_path / "files" / "two.yaml").write_text("layout: two", "utf-8")
    monkeypatch.setattr(resources, "files", lambda _: tmp_path)
    with pytest.raises(InvalidInput) as told:
        pages.__wrapped__()
    assert [problem.file for problem in told.value.problems] == [
        "schemas/files/one.yaml", "schemas/files/two.yaml",
    ]  # fmt: skip
