"""An export is whole or not there, and every value stands as it is."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import duckdb
import pytest

from services.accrual.adapters.table_file import write_rows
from services.accrual.export import Rows
from services.kernel.errors import InvalidInput

COLUMNS = ("id", "note", "amount", "on")
ROWS = [
    ("=1+1", "plain", 9_223_372_036_854_775_807, date(2026, 3, 5)),
    ("-2", 'a "quoted", one', -5, date(2026, 12, 31)),
    ("Ærøskøbing\n2", "", 0, None),
    ("2026-03-05", None, None, date(1, 1, 1)),
]


async def pieces(*parts: list[tuple[str | int | date | None, ...]]) -> Rows:
    for part in parts:
        yield part


async def write(path: Path, *parts: list[tuple[str | int | date | None, ...]]) -> int:
    return await write_rows(path, COLUMNS, pieces(*parts), integers={"amount"}, dates={"on"})


async def test_csv_keeps_every_value_and_quotes_what_a_spreadsheet_would_run(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.csv"
    assert await write(path, list(ROWS[:2]), list(ROWS[2:])) == 4
    text = path.read_bytes().decode()
    assert text.startswith('id,note,amount,on\n"=1+1",plain,9223372036854775807,2026-03-05\n')
    assert '\n"-2","a ""quoted"", one",-5,2026-12-31\n' in text
    assert text.endswith('\n"Ærøskøbing\n2","",0,\n2026-03-05,,,0001-01-01\n')
    rows = list(csv.reader(text.splitlines(keepends=True)))
    assert [row[0] for row in rows[1:]] == [row[0] for row in ROWS]


async def test_json_lines_have_null_for_no_value(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    await write(path, list(ROWS))
    lines = [json.loads(line) for line in path.read_text().split("\n")[:-1]]
    assert lines[0] == {
        "id": "=1+1", "note": "plain", "amount": 9_223_372_036_854_775_807, "on": "2026-03-05",
    }  # fmt: skip
    assert [line["note"] for line in lines] == ["plain", 'a "quoted", one', "", None]


async def test_parquet_has_types(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    await write(path, list(ROWS))
    found = duckdb.read_parquet(str(path))
    assert [str(kind) for kind in found.types] == ["VARCHAR", "VARCHAR", "BIGINT", "DATE"]
    assert found.fetchall() == ROWS
    await write(path)
    assert duckdb.read_parquet(str(path)).fetchall() == []


async def test_an_export_that_breaks_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("before")

    async def breaking() -> Rows:
        yield list(ROWS)
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await write_rows(path, COLUMNS, breaking(), integers=(), dates=())
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["a.txt", "a", "no-such-folder/a.csv"])
async def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        await write(tmp_path / name, list(ROWS))
