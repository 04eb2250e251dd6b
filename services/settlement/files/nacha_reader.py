"""Reads any NACHA file of credits: our own, and what a bank returns or wants to have changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from services.settlement.files.fields import shown
from services.settlement.files.file import Checked, Findings
from services.settlement.files.layout.codec import Value, decode
from services.settlement.files.nacha import CCD, CURRENCY, PPD, entry_hash
from services.settlement.files.nacha_records import (
    ADDENDA,
    ALLOWED,
    FILLER,
    HEADER_TO_US,
    LINES_IN_BLOCK,
    RECORD,
    RECORDS,
    is_routing,
)

CREDITS = {"21", "22", "23", "31", "32", "33"}
_FOLLOWS = {"": "1", "1": "5", "5": "6", "6": "678", "7": "678", "8": "59", "9": ""}
"""Record type → what may stand behind it."""
_SECRET = {"account", "name", "corrected data"}
"""Fields whose value no error shows."""
Values = Mapping[str, Value]


class Entry(NamedTuple):
    """One payment as a file has it. `reason` is a return's R or a change's C code, else empty;
    then `trace` is that of the entry as we sent it.
    """

    line: int
    reference: str
    trace: str
    amount: int
    code: str
    reason: str
    corrected: str
    information: str
    company: str = ""
    """Who sent the original, as the bank knows him."""
    bank: str = ""
    """First eight digits of the bank that it went to."""


@dataclass(slots=True)
class _Batch:
    header: Values
    entries: list[Values] = field(default_factory=list)
    addenda: list[Values] = field(default_factory=list)


@dataclass(slots=True)
class _State:
    """What was read so far."""

    found: Findings
    batches: list[_Batch] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    controls: list[Values] = field(default_factory=list)
    header: Values | None = None
    trace: str = ""
    awaited: int = 0
    """Line of an entry whose addenda has not come yet."""
    classes: set[str] = field(default_factory=set)


def read(content: bytes, file: str) -> tuple[list[Entry], Checked]:
    """The entries of a file, and everything that is wrong with it."""
    found = Findings(file)
    state = _State(found)
    *lines, rest = content.decode("latin-1").split("\n")
    if rest:
        found.add("the file ends inside a record: it was cut off", line=len(lines) + 1)
    before = ""
    for nth, line in enumerate(_without_filler(lines, found), 1):
        kind = line[:1]
        if kind not in _FOLLOWS[before]:
            wanted = " or ".join(_FOLLOWS[before]) or "the end of the file"
            found.add(f"records are doubled, missing or out of order: must be {wanted}", line=nth,
                      field="record type (1-1)", value=shown(kind))  # fmt: skip
        if values := _values(line, nth, found):
            _take(kind, values, nth, state)
        before = kind if kind in _FOLLOWS else before
    if before != "9":
        found.add("there is no file control: the file was cut off", line=len(lines) + 1)
    reference = str((state.header or {}).get("reference") or "")
    sequence = int(reference) if reference.isdecimal() and reference.isascii() else None
    layout = CCD if state.classes == {"CCD"} else PPD
    amount = sum(entry.amount for entry in state.entries)
    checked = Checked(layout, len(state.entries), {CURRENCY: amount}, found.all(), sequence)
    return state.entries, checked


def _without_filler(lines: list[str], found: Findings) -> list[str]:
    """The records; what fills the last block is counted and left out."""
    if len(lines) % LINES_IN_BLOCK:
        found.add(f"has {len(lines)} lines, no multiple of {LINES_IN_BLOCK}", line=len(lines) or 1)
    records = len(lines)
    while records > 1 and lines[records - 1] == FILLER:
        records -= 1
    return lines[:records]


def _values(line: str, nth: int, found: Findings) -> dict[str, Value] | None:
    """The values of a record; None when one cannot be read."""
    if len(line) != RECORD:
        found.add(f"is {len(line)} characters long, a record has {RECORD}", line=nth)
        return None
    fields = ADDENDA.get(line[1:3]) if line[0] == "7" else RECORDS.get(line[0])
    if fields is RECORDS["1"] and (line[3] != " " or line[13] == " "):
        fields = HEADER_TO_US
    if fields is None:
        found.add("is a record of no kind that is known", line=nth, value=shown(line[:3]))
        return None
    values: dict[str, Value] = {"type": line[1:3] if line[0] == "7" else ""}
    sound = True
    for one in fields:
        text = line[one.first - 1 : one.last]
        try:
            values[one.name] = decode(one, text, allowed=ALLOWED)
        except ValueError as error:
            sound = False
            value = None if one.name in _SECRET else shown(text.strip(" "))
            why = "is not as it must be" if one.name in _SECRET else str(error)
            found.add(why, line=nth, field=one.place, value=value)
    return values if sound else None


def _take(kind: str, values: dict[str, Value], nth: int, state: _State) -> None:
    if state.awaited and kind != "7":
        state.found.add("says that an addenda follows, and none does", line=state.awaited)
        state.awaited = 0
    match kind:
        case "1":
            state.header = values
        case "5":
            state.batches.append(_Batch(values))
            state.classes.add(str(values["entry class"]))
            state.trace = ""
        case "6" if state.batches:
            _entry(values, nth, state)
        case "7" if state.batches and state.entries:
            _addenda(values, nth, state)
        case "8" if state.batches:
            batch = state.batches[-1]
            _compare(values, _totals([batch]), nth, state.found)
            _compare(values, _named(batch.header), nth, state.found)
            state.controls.append(values)
        case "9":
            blocks = -(-nth // LINES_IN_BLOCK)
            counted = _totals(state.batches) | {"batches": len(state.batches), "blocks": blocks}
            _compare(values, counted, nth, state.found)


def _entry(values: dict[str, Value], nth: int, state: _State) -> None:
    state.batches[-1].entries.append(values)
    if not is_routing(str(values["routing number"])):
        state.found.add("fails its check digit", line=nth, field="routing number (4-12)")
    code, trace = str(values["transaction code"]), str(values["trace"])
    if code not in CREDITS:
        state.found.add("is no credit", line=nth, field="transaction code (2-3)", value=code)
    if trace <= state.trace:
        state.found.add(f"must be above {state.trace}: records are doubled or out of order",
                        line=nth, field="trace (80-94)", value=trace)  # fmt: skip
    state.trace = trace
    state.awaited = nth if values["addenda"] == "1" else 0
    state.entries.append(
        Entry(nth, str(values["individual id"] or ""), trace, int(str(values["amount"])), code,
              reason="", corrected="", information="",
              company=str(state.batches[-1].header["company id"]),
              bank=str(values["routing number"])[:8])
    )  # fmt: skip


def _addenda(values: dict[str, Value], nth: int, state: _State) -> None:
    if not state.awaited:
        state.found.add("no entry says that it follows", line=nth)
    state.awaited = 0
    state.batches[-1].addenda.append(values)
    if values["type"] == "05":
        return
    state.entries[-1] = state.entries[-1]._replace(
        trace=str(values["original trace"]),
        reason=str(values["reason"]),
        corrected=str(values.get("corrected data") or ""),
        bank=str(values["original routing"]),
        information=str(values.get("information") or ""),
    )


def _totals(batches: list[_Batch]) -> dict[str, Value]:
    entries = [entry for batch in batches for entry in batch.entries]
    addenda = sum(len(batch.addenda) for batch in batches)
    debits = [entry for entry in entries if entry["transaction code"] not in CREDITS]
    debited = _sum(debits)
    return {
        "entries and addenda": len(entries) + addenda,
        "entry hash": entry_hash(str(entry["routing number"]) for entry in entries),
        "debits": debited,
        "credits": _sum(entries) - debited,
    }


def _sum(entries: list[Values]) -> int:
    return sum(int(str(entry["amount"])) for entry in entries)


def _named(header: Values) -> dict[str, Value]:
    names = ("service class", "company id", "odfi", "batch number")
    return {name: header[name] for name in names}


def _compare(said: Values, counted: Values, line: int, found: Findings) -> None:
    for name, value in counted.items():
        if said[name] != value:
            found.add(f"says {said[name]}, the records come to {value}", line=line, field=name,
                      value=str(said[name]))  # fmt: skip
