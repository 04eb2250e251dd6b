"""The pages for people say what the pages for milepost say, and show the published bytes."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from services.accrual.contracts.layouts import layouts
from services.settlement.files import catalogue, partner
from services.settlement.files.layout.page import Field
from services.settlement.files.layout.pages import outgoing, pages

WORDS = sorted(
    file.name
    for file in resources.files("schemas").joinpath("files").iterdir()
    if file.name.endswith(".md") and file.name != "README.md"
)


def words(page: str) -> str:
    return resources.files("schemas").joinpath(f"files/{page}").read_text("utf-8")


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    section = words(page).split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


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


@pytest.mark.parametrize("page", WORDS)
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
        assert heads <= set(partner.HEADER_VALUES)
        assert {field.source for field in page.detail} - {""} <= set(partner.DETAIL_VALUES)
