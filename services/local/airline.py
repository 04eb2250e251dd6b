"""A simulated airline: a process of its own that sees nothing of milepost but its files.

    python -m services.local.airline SENT INCOMING

It loads each delivery in SENT whose manifest has come, and puts its answer into INCOMING as
`schemas/files/air-miles-audit.md` says: every record back, its audit areas filled. It shares no
code with what writes and reads these files, and its dates follow from theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from services.local.mailbox import serve

REWARDS, ANSWER = "air-miles-rewards", "air-miles-audit"
LOADED_DAYS, RETURNED_DAYS = 4, 5
"""After the file's date."""
_PLUS, _MINUS = "{ABCDEFGHI", "}JKLMNOPQR"


class Verdict(NamedTuple):
    """What the airline says of a member's records: a status, why, and who the member is now."""

    status: str = " "
    flag: int | None = None
    """Position of its `Y`."""
    merged_into: str = ""


REJECTED = "E"
BAD_ACCOUNT, CLOSED_ACCOUNT, OFFER_EXPIRED = 146, 150, 151
KNOWN: Mapping[str, Verdict] = {
    "70000000011": Verdict(REJECTED, CLOSED_ACCOUNT),
    "70000000012": Verdict(REJECTED, BAD_ACCOUNT),
    "70000900011": Verdict(REJECTED, CLOSED_ACCOUNT),
    "70000900012": Verdict(REJECTED, BAD_ACCOUNT),
    "70000900019": Verdict("M", None, "71000900019"),
    "70000900025": Verdict("W", OFFER_EXPIRED),
}
"""The members of whom the airline knows something that the bank does not; the rest is accepted."""


def answer(content: bytes) -> bytes:
    """The answer to a rewards file."""
    head, *details = content.decode("ascii").split("\r")[:-1]
    loaded = date.fromisoformat(head[18:26])
    day = loaded + timedelta(LOADED_DAYS)
    dates = f"{day:%Y%m%d}{day:%Y%m%d}{loaded + timedelta(RETURNED_DAYS):%Y%m%d}"
    rejected, accepted = [0, 0], [0, 0]
    records = []
    for detail in details:
        verdict = KNOWN.get(detail[17:28], Verdict())
        sums = rejected if verdict.status == REJECTED else accepted
        sums[0] += 1
        sums[1] += miles(detail)
        record = f"{detail[:90]}{dates}{verdict.merged_into:>11}{verdict.status}".ljust(250)
        if verdict.flag:
            record = f"{record[: verdict.flag - 1]}Y{record[verdict.flag :]}"
        records.append(record)
    area = "".join(f"{count:08d}{_overpunched(miles)}" for count, miles in (rejected, accepted))
    whole = [head[:79] + area + head[121:], *records]
    return "".join(record + "\r" for record in whole).encode("ascii")


def miles(record: str) -> int:
    """What a record of a rewards file gives, or takes back."""
    return _signed(record[73:82])


def _signed(text: str) -> int:
    letters = _PLUS if text[-1] in _PLUS else _MINUS
    miles = int(text[:-1] + str(letters.index(text[-1])))
    return miles if letters is _PLUS else -miles


def _overpunched(miles: int) -> str:
    text = f"{abs(miles):013d}"
    return text[:-1] + (_MINUS if miles < 0 else _PLUS)[int(text[-1])]


def answer_name(rewards: str) -> str:
    """What the answer to a file is called."""
    return rewards.replace(REWARDS, ANSWER)


def reply(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """The answer to a rewards file; the airline loads no other."""
    if f"-{REWARDS}-" in name and name.endswith(".txt"):
        yield answer_name(name), answer(content)


if __name__ == "__main__":
    serve(reply)
