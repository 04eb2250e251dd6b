"""Writes rows to a file: csv, jsonl or parquet by its ending. The file is whole or not there.

CSV is for machines: every value stands as it is, nothing is put in front of one that begins with
`=`, `+`, `-` or `@`; such text is quoted, as a spreadsheet would run it as a formula. Nothing
stands for no value, `""` for an empty text.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from importlib import import_module
from pathlib import Path

from services.accrual.export import Rows
from services.kernel.errors import InvalidInput, Problem

ENDINGS = (".csv", ".jsonl", ".parquet")
_QUOTED = frozenset(',"\r\n')
_FORMULA = frozenset("=+-@\t")


async def write_rows(
    path: Path,
    columns: Sequence[str],
    rows: Rows,
    *,
    integers: Iterable[str],
    dates: Iterable[str],
) -> int:
    """Write pieces of rows and give how many; an existing file is replaced at the end.

    Columns not among `integers` and `dates` are text. Raises InvalidInput when the file cannot
    be written.
    """
    if path.suffix not in ENDINGS:
        why = f"must end in one of {', '.join(ENDINGS)}"
        raise InvalidInput([Problem(why, field="--to", value=str(path))])
    part = path.with_name(f".{path.name}.part")
    try:
        count = await _write(path, part, columns, rows)
        with _told(path):
            if path.suffix == ".parquet":
                _to_parquet(part, path, columns, set(integers), set(dates))
            else:
                part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count


async def _write(path: Path, part: Path, columns: Sequence[str], rows: Rows) -> int:
    line = _csv_line if path.suffix == ".csv" else _json_line
    with _told(path):
        file = part.open("w", encoding="utf-8", newline="")
    count = 0
    with file:
        if path.suffix == ".csv":
            file.write(_csv_line(columns, columns))
        async for piece in rows:
            count += len(piece)
            with _told(path):
                file.writelines([line(columns, row) for row in piece])
        with _told(path):
            file.flush()
            os.fsync(file.fileno())
    return count


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What goes wrong with the file is told with its name; other errors are not its fault."""
    try:
        yield
    except OSError as error:
        raise InvalidInput([Problem(error.strerror or str(error), file=str(path))]) from error


def _csv_line(_: Sequence[str], row: Sequence[object]) -> str:
    return ",".join([_cell(value) for value in row]) + "\n"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return value.isoformat() if isinstance(value, date) else str(value)
    if value and value[0] not in _FORMULA and _QUOTED.isdisjoint(value):
        return value
    return '"' + value.replace('"', '""') + '"'


def _json_line(columns: Sequence[str], row: Sequence[object]) -> str:
    values = {
        column: value.isoformat() if isinstance(value, date) else value
        for column, value in zip(columns, row, strict=True)
    }
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n"


def _to_parquet(
    lines: Path, path: Path, columns: Sequence[str], integers: set[str], dates: set[str]
) -> None:
    """Turn JSON lines into parquet. DuckDB takes a while to load: only who needs it waits."""
    duckdb = import_module("duckdb")
    types = {
        column: "BIGINT" if column in integers else "DATE" if column in dates else "VARCHAR"
        for column in columns
    }
    described = ", ".join(f"'{column}': '{kind}'" for column, kind in types.items())
    whole = path.with_name(f".{path.name}.whole")
    try:
        with duckdb.connect() as connection:
            connection.execute(
                f"COPY (SELECT * FROM read_json({_text(lines)}, format = 'newline_delimited', "
                f"columns = {{{described}}})) TO {_text(whole)} (FORMAT parquet, COMPRESSION zstd)"
            )
        whole.replace(path)
    except duckdb.Error as error:
        raise OSError(str(error)) from error
    finally:
        whole.unlink(missing_ok=True)


def _text(path: Path) -> str:
    """A path as an SQL text."""
    return "'" + str(path).replace("'", "''") + "'"
