"""The answer to a file of a page: a `mileage-answer`, line by line. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from services.settlement.batches.line import Line
from services.settlement.batches.outcome import Told
from services.settlement.exchange.air_miles_audit import Answer
from services.settlement.files.fields import shown
from services.settlement.files.file import Findings
from services.settlement.files.layout.pages import pages
from services.settlement.files.layout.reader import read as read_page
from services.settlement.files.layout.totals import Row

LAYOUT = "mileage-answer"
ANSWERS = frozenset({"mileage-credits", "mileage-host"})
"""Layouts that a partner answers like this."""


def is_answer(content: bytes) -> bool:
    """Whether a file begins like one."""
    page = pages()[LAYOUT]
    return content.startswith(page.begins.encode(page.encoding))


def sequence_of(content: bytes) -> int | None:
    """The batch's sequence from the header; None if it cannot be read."""
    sequence = read_page(pages()[LAYOUT], content, LAYOUT)[1].sequence
    return sequence if is_answer(content) else None


def read(content: bytes, file: str, *, batch: str, lines: Mapping[int, Line]) -> Answer:
    """Read the answer to a batch's `lines`. Nothing of a file with a problem may be used."""
    reading, checked = read_page(pages()[LAYOUT], content, file)
    if reading is None:
        return Answer((), tuple(checked.problems))
    found = Findings(file)
    if reading.header["batch"] != batch:
        found.add(f"is no answer to {batch}", line=1, field="batch",
                  value=shown(str(reading.header["batch"])))  # fmt: skip
    told = []
    for at, row in enumerate(reading.rows, reading.first_line):
        number = int(str(row["line"]))
        _compare(row, lines.get(number), at, found)
        code, new = row["code"], row["new_number"]
        told.append(
            Told(number, str(row["outcome"]), str(code or ""), None if new is None else str(new))
        )
    missing = sorted(set(lines) - {one.line for one in told})
    if missing:
        found.add(f"does not answer line {missing[0]}, nor {len(missing) - 1} others",
                  line=len(reading.rows) + 2)  # fmt: skip
    return Answer(() if found else tuple(told), found.all())


def _compare(row: Row, line: Line | None, at: int, found: Findings) -> None:
    """A record must be about a line as it was sent."""
    if line is None:
        found.add("was never sent", line=at, field="line", value=str(row["line"]))
        return
    for name, said, sent in (
        ("membership", row["membership_number"], line.membership_number),
        ("miles", row["amount"], line.amount),
    ):
        if said != sent:
            found.add(f"was sent as {shown(str(sent))}", line=at, field=name,
                      value=shown(str(said)))  # fmt: skip
