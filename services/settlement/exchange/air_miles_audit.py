"""The answer to `air-miles-rewards`: the same file with its audit areas filled. Pure.

    TH … 80-87 rejected count, 88-100 rejected miles, 101-108 accepted count, 109-121 accepted
    TD … 91-98 received, 99-106 loaded, 107-114 returned, 115-125 merge-to account, 126 status,
         127-145 reserved, 146 and on one-character flags

Positions are 1-based and inclusive. Outside these areas every byte must be the one that was sent:
so a file of another batch, cut off, or out of order is known by its first record that differs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from services.kernel.errors import Problem
from services.settlement.batches.line import Line
from services.settlement.batches.outcome import ACCEPTED, MERGED, REJECTED, WARNED, Told
from services.settlement.exchange import came_back
from services.settlement.files.fields import read_date, read_overpunched, shown
from services.settlement.files.file import Findings

LAYOUT = "air-miles-audit"
SENT_AS = "air-miles-rewards"
ANSWERS = frozenset({SENT_AS})
"""Layouts that a partner answers line by line."""
RECORD_BYTES = 250
FLAGS: Mapping[int, str] = {
    146: "BAD_ACCOUNT", 148: "BAD_SQL", 149: "NOT_NUMERIC", 150: "CLOSED_ACCOUNT",
    151: "OFFER_EXPIRED",
}  # fmt: skip
"""Position → what a `Y` there means. 147 is unused; later ones are not public."""
_HEAD_AUDIT = slice(79, 121)
_LINE_AUDIT = slice(90, 250)
_STATUS = {" ": ACCEPTED, "E": REJECTED, "M": MERGED, "W": WARNED, "R": MERGED}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a file says of lines, or everything that is wrong with it."""

    told: tuple[Told, ...]
    problems: tuple[Problem, ...]


def sequence_of(content: bytes) -> int | None:
    """The batch's sequence from the header; None if this is no such file."""
    head = content[:18]
    if head[:2] != b"TH" or not re.fullmatch(rb"[0-9]{6}", head[12:]):
        return None
    return int(head[12:])


def read(content: bytes, file: str, *, sent: bytes, lines: Mapping[int, Line]) -> Answer:
    """Read the answer to the file that was `sent`. Line 1 of a problem is the header.

    Nothing of a file with a problem may be used.
    """
    found = Findings(file)
    records = _records(content, found)
    told: list[Told] = []
    if records and _echoes(records, _records(sent, Findings(file)), found):
        for number, record in enumerate(records[1:], 2):
            one = _told(record, number, found)
            if one is not None:
                told.append(one)
        if not found:
            _totals(records[0], told, lines, found)
    return Answer(() if found else tuple(told), found.all())


def _records(content: bytes, found: Findings) -> list[str]:
    *records, rest = content.decode("latin-1").split("\r")
    if rest.strip("\n\x1a"):
        found.add("the file ends inside a record: it was cut off, or a CR is missing",
                  line=len(records) + 1)  # fmt: skip
    return [record.removeprefix("\n") for record in records]


def _echoes(records: list[str], sent: list[str], found: Findings) -> bool:
    """Whether these are the records that were sent, in their order."""
    places = {_plain(record): number for number, record in enumerate(sent, 1)}
    for number, (record, wanted) in enumerate(zip(records, sent, strict=False), 1):
        if len(record) != RECORD_BYTES:
            found.add(f"is {len(record)} bytes long, a record has {RECORD_BYTES}", line=number)
        elif _plain(record) != _plain(wanted):
            place = places.get(_plain(record))
            if place is not None:
                found.add(f"is record {place} of what was sent: records are doubled or out of "
                          "order", line=number)  # fmt: skip
            else:
                field, value = _difference(record, wanted)
                found.add("is not what was sent", line=number, field=field, value=shown(value))
    if len(records) != len(sent):
        found.add(f"{len(records) - 1} details answer {len(sent) - 1} that were sent",
                  line=min(len(records), len(sent)) + 1)  # fmt: skip
    return not found


def _plain(record: str) -> str:
    """A record without its audit area."""
    area = _HEAD_AUDIT if record.startswith("TH") else _LINE_AUDIT
    return record[: area.start] + " " * (area.stop - area.start) + record[area.stop :]


_FIELDS = {
    "TH": ((9, 12, "provider"), (13, 18, "transmission sequence"), (19, 26, "file date"),
           (33, 40, "detail count"), (41, 53, "total miles")),
    "TD": ((18, 28, "account"), (29, 48, "sponsor reference"), (53, 60, "offer code"),
           (74, 82, "miles")),
}  # fmt: skip


def _difference(record: str, sent: str) -> tuple[str, str]:
    """The first field that is not as it was sent, with what stands in it."""
    if record[:2] != sent[:2]:
        return "record type (1-2)", record[:2]
    for first, last, name in _FIELDS[sent[:2]]:
        if record[first - 1 : last] != sent[first - 1 : last]:
            return f"{name} ({first}-{last})", record[first - 1 : last].strip()
    return "record", record.strip()


def _told(record: str, number: int, found: Findings) -> Told | None:
    status, merge_to = record[125], record[114:125]
    line = int(record[28:48])
    for first, name in ((91, "receive date"), (99, "load date"), (107, "return date")):
        text = record[first - 1 : first + 7]
        if text.strip("0 "):
            _date(text, f"{name} ({first}-{first + 7})", number, found)
    outcome = _STATUS.get(status)
    if outcome is None:
        found.add("must be blank, E, M, W or R", line=number, field="status (126)",
                  value=shown(status))  # fmt: skip
        return None
    raised = list(_flags(record, number, found))
    if outcome == MERGED:
        if not re.fullmatch(r" *[0-9]{1,11} *", merge_to, re.ASCII) or not merge_to.strip(" 0"):
            found.add("must be the account that the member was merged into", line=number,
                      field="merge-to account (115-125)",
                      value=shown(merge_to.strip()))  # fmt: skip
            return None
        code = "+".join(["WARNED", *raised]) if status == "R" else "+".join(raised)
        return Told(line, MERGED, code, merge_to.strip(" ").lstrip("0"))
    if outcome == REJECTED:
        back = came_back.holds(LAYOUT, raised)
        return Told(line, REJECTED, "+".join(raised) or "FATAL", came_back=back)
    return Told(line, outcome, "+".join(raised))


def _flags(record: str, number: int, found: Findings) -> Iterator[str]:
    for place in range(146, RECORD_BYTES + 1):
        flag = record[place - 1]
        if flag == "Y":
            yield FLAGS.get(place, f"FLAG_{place - 145}")
        elif flag != " ":
            found.add("must be Y or blank", line=number, field=f"flag {place - 145} ({place})",
                      value=shown(flag))  # fmt: skip


def _date(text: str, field: str, number: int, found: Findings) -> None:
    try:
        read_date(text if re.fullmatch(r"[0-9]{8}", text, re.ASCII) else "no date")
    except ValueError as error:
        found.add(str(error), line=number, field=field, value=shown(text))


def _totals(header: str, told: list[Told], lines: Mapping[int, Line], found: Findings) -> None:
    """The header's counts and miles are those of its records."""
    for rejected, first, name in ((True, 80, "rejected"), (False, 101, "accepted")):
        own = [one.line for one in told if (one.outcome == REJECTED) == rejected]
        miles = sum(lines[line].amount for line in own)
        count, amount = header[first - 1 : first + 7], header[first + 7 : first + 20]
        _compare(count, _count, len(own), f"{name} count ({first}-{first + 7})", found)
        _compare(amount, read_overpunched, miles, f"{name} miles ({first + 8}-{first + 20})", found)


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]+", text, re.ASCII):
        raise ValueError("must be digits")
    return int(text)


def _compare(
    text: str, read_number: Callable[[str], int], counted: int, field: str, found: Findings
) -> None:
    try:
        said = read_number(text)
    except ValueError as error:
        found.add(str(error), line=1, field=field, value=shown(text))
        return
    if said != counted:
        found.add(f"the header says {said}, the records come to {counted}", line=1, field=field,
                  value=shown(text))  # fmt: skip
