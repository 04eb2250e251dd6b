"""The workbook of a reconciliation: typed cells, nothing that computes, the same bytes again."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from services.settlement.bootstrap import reconciling
from tests.support.reconciling import APRIL_10, run, sole
from tests.support.settlement import Books, cash_terms, settings_for, settle

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
Cells = dict[str, tuple[str, str]]
REWARDS = "sky-air-air-miles-rewards-000001.txt"


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    await books.contract()
    await books.contract("cash", terms=cash_terms())
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 10)
    await books.grant("acc-1", "C1", 1250, contract="cash", rule="cash", unit="NOK")
    yield books
    await books.close()


def sheets(path: Path) -> list[tuple[ElementTree.Element, Cells]]:
    """Each sheet with its cells: place → (type, text)."""
    with zipfile.ZipFile(path) as archive:
        shared = [
            "".join(one.itertext())
            for one in ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))
        ]
        names = sorted(name for name in archive.namelist() if name.startswith("xl/worksheets/"))
        found = []
        for name in names:
            root = ElementTree.fromstring(archive.read(name))
            cells: Cells = {}
            for cell in root.iter(f"{MAIN}c"):
                kind, text = cell.get("t", "n"), "".join(cell.itertext())
                cells[cell.get("r", "")] = (kind, shared[int(text)] if kind == "s" else text)
            found.append((root, cells))
        return found  # fmt: skip


async def test_cells_are_typed_the_header_stands_still_and_nothing_computes(
    books: Books, folder: Path, tmp_path: Path
) -> None:
    await settle(books, folder)
    (folder / "sky-air/pending" / REWARDS).unlink()
    found = sole(await run(books, folder))
    await reconciling.resolve_discrepancy(
        settings_for(books.url, folder), found.id, by="@SUM(1)", reason='=cmd|"/C calc"!A0',
        on=APRIL_10,
    )  # fmt: skip
    path = tmp_path / "march.xlsx"
    await run(books, folder, to=path)
    (control, comparisons, coverage, discrepancies) = sheets(path)
    for root, _ in (control, comparisons, coverage, discrepancies):
        pane = root.find(f".//{MAIN}pane")
        assert pane is not None and (pane.get("state"), pane.get("ySplit")) == ("frozen", "1")
        assert not list(root.iter(f"{MAIN}f"))
        assert not list(root.iter(f"{MAIN}hyperlink"))
    texts = list(discrepancies[1].values())
    assert ("s", '=cmd|"/C calc"!A0') in texts
    assert ("s", "@SUM(1)") in texts
    assert ("n", "10") in texts
    granted = [place for place, cell in control[1].items() if cell == ("s", "GRANTED")]
    amounts = {control[1]["E" + place[1:]] for place in granted}
    assert {("n", "-12.50"), ("n", "12.50"), ("n", "-10"), ("n", "10")} <= amounts


async def test_the_same_run_on_the_same_day_gives_the_same_bytes(
    books: Books, folder: Path, tmp_path: Path
) -> None:
    await settle(books, folder)
    for name in ("one.xlsx", "other.xlsx", "one.xlsx"):
        await run(books, folder, to=tmp_path / name)
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "other.xlsx").read_bytes()


async def test_an_amount_beyond_what_a_spreadsheet_holds_is_text(
    books: Books, folder: Path, tmp_path: Path
) -> None:
    await books.grant("acc-1", "C2", 9_007_199_254_740_993, contract="cash", rule="cash",
                      unit="NOK")  # fmt: skip
    await run(books, folder, to=tmp_path / "march.xlsx")
    texts = sheets(tmp_path / "march.xlsx")[0][1].values()
    assert ("s", "90071992547422.43") in texts
