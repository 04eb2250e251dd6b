"""A simulated airline: a process of its own that sees nothing of milepost but its files.

    python -m services.local.airline SENT INCOMING

It loads each delivery in SENT whose manifest has come, and puts its answer into INCOMING as
`schemas/files/air-miles-audit.md` says: every record back, its audit areas filled. It shares no
code with what writes and reads these files, and its dates follow from theirs.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

LOOK_SECONDS = 0.05
MANIFESTS = "*.manifest.json"
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
        sums[1] += _signed(detail[73:82])
        record = f"{detail[:90]}{dates}{verdict.merged_into:>11}{verdict.status}".ljust(250)
        if verdict.flag:
            record = f"{record[: verdict.flag - 1]}Y{record[verdict.flag :]}"
        records.append(record)
    area = "".join(f"{count:08d}{_overpunched(miles)}" for count, miles in (rejected, accepted))
    whole = [head[:79] + area + head[121:], *records]
    return "".join(record + "\r" for record in whole).encode("ascii")


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


def work(sent: Path, incoming: Path, done: set[str]) -> None:
    """Answer every delivery that is complete and was not answered yet."""
    for manifest in sorted(sent.glob(MANIFESTS)):
        if manifest.name not in done:
            for name in _rewards(manifest):
                _store(incoming / answer_name(name), answer((sent / name).read_bytes()))
            done.add(manifest.name)


def _rewards(manifest: Path) -> Iterator[str]:
    for file in json.loads(manifest.read_text(encoding="utf-8"))["files"]:
        if file["layout"] == REWARDS and file["name"].endswith(".txt"):
            yield file["name"]


def _store(path: Path, content: bytes) -> None:
    """There whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)


def main() -> None:
    """Until it is stopped."""
    sent, incoming = map(Path, sys.argv[1:])
    done: set[str] = set()
    while True:
        work(sent, incoming, done)
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    main()
