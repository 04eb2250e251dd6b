"""air-miles-rewards: one TH record, n TD records of 250 ASCII bytes, each ended by CR.

    TH······SKYA000001202603310000000000000200000000001 1E·····…   header, see HEADER
    TD···············00012345678 00000000000000000001·····B001 …   detail, see DETAIL
      3             17|18      28|29               48|

Positions are 1-based and inclusive, as on the page schemas/files/air-miles-rewards.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from services.settlement.batches.due import Sum
from services.settlement.files.fields import (
    code,
    digits,
    overpunched,
    read_date,
    read_overpunched,
    shown,
)
from services.settlement.files.file import Checked, Findings

LAYOUT = "air-miles-rewards"
RECORD_BYTES = 250
MILES_MAX = 999_999_999
_ACCOUNT = re.compile(r"[0-9]{1,11}", re.ASCII)


class Field(NamedTuple):
    """One field of a record. `pattern` is what may stand in it."""

    name: str
    first: int
    last: int
    pattern: re.Pattern[str]
    meaning: str


def _field(name: str, first: int, last: int, pattern: str, meaning: str) -> Field:
    return Field(name, first, last, re.compile(pattern, re.ASCII), meaning)


def _blank(name: str, first: int, last: int) -> Field:
    return _field(name, first, last, " *", "blank")


_SIGNED = r".*"
"""Read by `read_overpunched`, which says what is wrong with it."""

HEADER: tuple[Field, ...] = (
    _field("record type", 1, 2, "TH", "`TH`"),
    _blank("blank", 3, 8),
    _field("provider", 9, 12, "[A-Za-z0-9]{4}", "provider code of the contract"),
    _field("transmission sequence", 13, 18, "[0-9]+", "the batch's sequence, zeros in front"),
    _field("file date", 19, 26, "[0-9]*", "YYYYMMDD, the day sealed through"),
    _field("file time", 27, 32, "0*", "HHMMSS, always `000000`"),
    _field("detail count", 33, 40, "[0-9]*", "number of TD records, zeros in front"),
    _field("total miles", 41, 53, _SIGNED, "S9(13), signed sum of the TD miles"),
    _blank("blank", 54, 79),
    _blank("audit area", 80, 121),
    _blank("blank", 122, 200),
    _blank("provider reserved", 201, 250),
)
DETAIL: tuple[Field, ...] = (
    _field("record type", 1, 2, "TD", "`TD`"),
    _blank("blank", 3, 17),
    _field("account", 18, 28, "[0-9]*", "membership number, n11, zeros in front"),
    _field("sponsor reference", 29, 48, "[0-9]*", "line number of the batch, n20, zeros in front"),
    _blank("sponsor code", 49, 52),
    _field("offer code", 53, 60, "[A-Za-z0-9]* *", "offer code of the rule, blanks behind"),
    _blank("location", 61, 64),
    _blank("sponsor batch", 65, 73),
    _field("miles", 74, 82, _SIGNED, "S9(9), never zero; below zero takes back"),
    _blank("reserved", 83, 250),
)


class Reward(NamedTuple):
    """One detail: so many miles for an account. `reference` is the batch's line number."""

    account: str
    reference: int
    offer_code: str
    miles: int


class Transmission(NamedTuple):
    """What a file says."""

    provider: str
    sequence: int
    on: date
    rewards: Sequence[Reward]

    @property
    def miles(self) -> int:
        """Signed sum of the details."""
        return sum(reward.miles for reward in self.rewards)


def refusal(found: Sum) -> str | None:
    """Why a line cannot be written in this layout; None if it can."""
    number = found.membership_number
    if not _ACCOUNT.fullmatch(number) or not int(number):
        return f"membership number {shown(number)!r} is not a number of at most 11 digits"
    if abs(found.amount) > MILES_MAX:
        return f"{found.amount} miles are more than a line holds ({MILES_MAX})"
    return None


def write(sent: Transmission) -> bytes:
    """The file's bytes. DoesNotFit if a value has no room; nothing is written then."""
    records = [
        _record("TH", 6, code(sent.provider, 4), digits(sent.sequence, 6), f"{sent.on:%Y%m%d}",
                "000000", digits(len(sent.rewards), 8), overpunched(sent.miles, 13))
    ]  # fmt: skip
    records += [
        _record("TD", 15, reward.account.rjust(11, "0"), digits(reward.reference, 20), " " * 4,
                code(reward.offer_code, 8), " " * 13, overpunched(reward.miles, 9))
        for reward in sent.rewards
    ]  # fmt: skip
    return "".join(records).encode("ascii")


def _record(kind: str, blanks: int, *fields: str) -> str:
    return (kind + " " * blanks + "".join(fields)).ljust(RECORD_BYTES) + "\r"


def read(content: bytes, file: str) -> tuple[Transmission | None, Checked]:
    """What a file says, and everything that is wrong with it. Line 1 is the header.

    Totals are under `miles`: the layout does not name the unit.
    """
    found = Findings(file)
    *records, rest = content.decode("latin-1").split("\r")
    if rest:
        found.add("the file ends inside a record: it was cut off, or a CR is missing",
                  line=len(records) + 1)  # fmt: skip
    if not records:
        found.add("there is no record", line=1)
    header = _fields(records[0], HEADER, 1, found) if records else None
    rewards, unreadable = _rewards(records[1:], found)
    miles = sum(reward.miles for reward in rewards)
    provider, sequence, on = "", None, None
    if header is not None:
        provider, sequence = header[2], _sequence(header[3], found)
        on = _header_date(header[4], found)
        _compare("detail count", int(header[6] or "0"), len(records) - 1, found)
        total = _signed(header[7], "total miles", 1, found)
        if total is not None and not unreadable:
            _compare("total miles", total, miles, found)
    sent = None
    if not found and sequence is not None and on is not None:
        sent = Transmission(provider, sequence, on, rewards)
    return sent, Checked(LAYOUT, len(rewards), {"miles": miles}, found.all(), sequence)


def _rewards(records: Sequence[str], found: Findings) -> tuple[list[Reward], bool]:
    """The details in order, and whether one of them could not be read."""
    rewards: list[Reward] = []
    for line, record in enumerate(records, 2):
        reward = _reward(record, line, found)
        if reward is None:
            continue
        if rewards and reward.reference <= rewards[-1].reference:
            found.add(f"must be above {rewards[-1].reference}, that of the record before: records "
                      "are doubled or out of order", line=line, field="sponsor reference",
                      value=str(reward.reference))  # fmt: skip
        rewards.append(reward)
    return rewards, len(rewards) < len(records)


def _reward(record: str, line: int, found: Findings) -> Reward | None:
    fields = _fields(record, DETAIL, line, found)
    if fields is None:
        return None
    miles = _signed(fields[8], "miles", line, found)
    if miles is None:
        return None
    if not miles:
        found.add("is zero: such a line stands in no file", line=line, field="miles")
    account, reference = fields[2], int(fields[3])
    if not int(account):
        found.add("is zero", line=line, field="account", value=account)
    if not reference:
        found.add("is zero: lines count from 1", line=line, field="sponsor reference")
    return Reward(account, reference, fields[5].rstrip(" "), miles)


def _fields(record: str, layout: Sequence[Field], line: int, found: Findings) -> list[str] | None:
    """The fields of a record; None when it cannot be read."""
    if len(record) != RECORD_BYTES:
        found.add(f"is {len(record)} bytes long, a record has {RECORD_BYTES}", line=line)
        return None
    fields = [record[field.first - 1 : field.last] for field in layout]
    sound = True
    for field, text in zip(layout, fields, strict=True):
        if not field.pattern.fullmatch(text):
            sound = False
            found.add(f"must be {field.meaning}", line=line, value=shown(text.strip(" ")),
                      field=f"{field.name} ({field.first}-{field.last})")  # fmt: skip
    return fields if sound else None


def _sequence(text: str, found: Findings) -> int | None:
    if int(text):
        return int(text)
    found.add("is zero: sequences count from 1", line=1, field="transmission sequence")
    return None


def _header_date(text: str, found: Findings) -> date | None:
    try:
        return read_date(text)
    except ValueError as error:
        found.add(str(error), line=1, field="file date", value=text)
        return None


def _signed(text: str, name: str, line: int, found: Findings) -> int | None:
    try:
        return read_overpunched(text)
    except ValueError as error:
        found.add(str(error), line=line, field=name, value=shown(text))
        return None


def _compare(name: str, said: int, counted: int, found: Findings) -> None:
    if said != counted:
        found.add(f"the header says {said}, the records come to {counted}", line=1, field=name,
                  value=str(said))  # fmt: skip
