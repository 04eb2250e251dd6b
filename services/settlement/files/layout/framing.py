"""Bytes and records: encodings, line ends, widths, and the quotes of delimited files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.settlement.files.fields import DoesNotFit, shown
from services.settlement.files.file import Findings
from services.settlement.files.layout.page import Field, Kind, Page

QUOTE = '"'
_SPELT = {"\r\n": "CR LF", "\n": "LF", "\r": "CR"}


def to_bytes(page: Page, records: Iterable[str]) -> bytes:
    """The file of these records. DoesNotFit if the encoding has no place for a character."""
    text = "".join(record + page.line_end for record in records)
    try:
        return text.encode(page.encoding)
    except UnicodeEncodeError as error:
        character = shown(text[error.start : error.end])
        raise DoesNotFit(f"{character!r} has no place in {page.encoding}") from error


def to_records(page: Page, content: bytes, found: Findings) -> list[str]:
    """The records of a file, whole or not; what is cut off at the end is told."""
    # Each byte becomes one character in all three encodings; what is not ASCII fits no field.
    text = content.decode("cp500" if page.encoding == "cp500" else "latin-1")
    if page.line_end:
        line_end = _line_end(text, page.line_end)
        if line_end != page.line_end:
            wanted = _SPELT[page.line_end]
            found.add(f"its lines end with {_SPELT[line_end]}, those of this layout with {wanted}",
                      line=1)  # fmt: skip
        *records, rest = text.split(line_end)
    else:
        whole = len(text) - len(text) % page.width
        records = [text[at : at + page.width] for at in range(0, whole, page.width)]
        rest = text[whole:]
    if rest:
        found.add("the file ends inside a record: it was cut off, or a line end is missing",
                  line=len(records) + 1)  # fmt: skip
    if not records:
        found.add("there is no record", line=1)
    return records


def _line_end(text: str, wanted: str) -> str:
    """How the lines of a file end: as they should, unless its first one ends otherwise."""
    at = text.find(wanted)
    if at < 0:
        return next((other for other in _SPELT if other in text), wanted)
    return "\r\n" if "\r\n" in text[max(at - 1, 0) : at + 2] else wanted


def join(page: Page, fields: Sequence[Field], cells: Sequence[str]) -> str:
    """The record of these cells. DoesNotFit if one would break it."""
    if page.fixed:
        return "".join(cells)
    return page.delimiter.join(
        _quoted(page, field, cell) for field, cell in zip(fields, cells, strict=True)
    )


def _quoted(page: Page, field: Field, cell: str) -> str:
    needs = page.delimiter in cell or QUOTE in cell
    if page.quoting == "never":
        if needs:
            raise DoesNotFit(f"{field.name}: {shown(cell)!r} holds a delimiter or a quote")
        return cell
    words = field.kind is Kind.TEXT and field.constant is None
    if needs or (words and page.quoting == "text"):
        return QUOTE + cell.replace(QUOTE, QUOTE * 2) + QUOTE
    return cell


def names(page: Page) -> str:
    """The line of column names: those of the details."""
    plain = [Field(field.name, Kind.CODE) for field in page.detail]
    return join(page, plain, [field.name for field in page.detail])


def cut(page: Page, fields: Sequence[Field], record: str) -> list[str]:
    """The cells of a record. ValueError says why they cannot be told apart."""
    if page.fixed:
        if len(record) != page.width:
            raise ValueError(f"is {len(record)} bytes long, a record has {page.width}")
        return [record[field.first - 1 : field.last] for field in fields]
    cells = list(_cells(page, record))
    if len(cells) != len(fields):
        raise ValueError(f"has {len(cells)} cells, this record has {len(fields)}")
    try:
        sound = join(page, fields, cells) == record
    except DoesNotFit as error:
        raise ValueError(str(error)) from error
    if not sound:
        raise ValueError("is quoted otherwise than the layout says")
    return cells


def first_cell(page: Page, field: Field, record: str) -> str:
    """What stands where the record's tag must be."""
    if page.fixed:
        return record[field.first - 1 : field.last]
    return record.split(page.delimiter, 1)[0]


def _cells(page: Page, record: str) -> Iterable[str]:
    if page.quoting == "never":
        yield from record.split(page.delimiter)
        return
    at = 0
    while True:
        if record.startswith(QUOTE, at):
            end = at + 1
            while True:
                end = record.find(QUOTE, end)
                if end < 0:
                    raise ValueError("a quote is not closed")
                if not record.startswith(QUOTE * 2, end):
                    break
                end += 2
            yield record[at + 1 : end].replace(QUOTE * 2, QUOTE)
            at = end + 1
        else:
            end = record.find(page.delimiter, at)
            end = len(record) if end < 0 else end
            yield record[at:end]
            at = end
        if at >= len(record):
            return
        if not record.startswith(page.delimiter, at):
            raise ValueError("text stands behind a closing quote")
        at += len(page.delimiter)
        if at == len(record):
            yield ""
            return
