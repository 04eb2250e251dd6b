"""The page `mileage-answer`: what a partner says of every line of a file of miles. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.settlement.batches.follow import Following
from services.settlement.batches.line import Line
from services.settlement.batches.outcome import MERGED, REJECTED, Told
from services.settlement.exchange import came_back
from services.settlement.exchange.answers import ANSWER_PAGE, BY_PAGE, Placed
from services.settlement.files.fields import shown
from services.settlement.files.file import Findings
from services.settlement.files.layout.reader import Reading


def read(reading: Reading, file: str, standing: Following) -> tuple[list[Placed], Findings]:
    """The lines as they are told, and everything that does not fit what was sent."""
    found = Findings(file)
    sent = {
        number: line for number, line in standing.lines.items()
        if number >= 1 and standing.layout_of(line) in BY_PAGE
    }  # fmt: skip
    told: list[Placed] = []
    for at, row in enumerate(reading.rows, reading.first_line):
        number = row["line"]
        line = sent.pop(number, None) if isinstance(number, int) else None
        if line is None:
            found.add("was never sent", line=at, field="line", value=shown(str(number)))
        elif _same(row, line, at, found):
            told.append(Placed(at, _told(row, line)))
    if sent:
        shown_ = ", ".join(map(str, sorted(sent)[:10])) + (" and more" if len(sent) > 10 else "")
        found.add(f"does not answer line {shown_}", line=1)
    return told, found


def _same(row: Mapping[str, Any], line: Line, at: int, found: Findings) -> bool:
    for name, said, sent in (
        ("membership", row["membership_number"], line.membership_number),
        ("miles", row["amount"], line.amount),
    ):
        if said != sent:
            found.add(f"was sent as {shown(str(sent))}", line=at, field=name,
                      value=shown(str(said)))  # fmt: skip
            return False
    if row["new_number"] and row["outcome"] != MERGED:
        found.add("stands only with a merge", line=at, field="new membership",
                  value=shown(str(row["new_number"])))  # fmt: skip
        return False
    return True


def _told(row: Mapping[str, Any], line: Line) -> Told:
    code = row["code"] or ""
    back = bool(line.membership_number) and came_back.holds(ANSWER_PAGE, [code])
    return Told(line.line, row["outcome"], code, row["new_number"] or None,
                came_back=back and row["outcome"] == REJECTED)  # fmt: skip
