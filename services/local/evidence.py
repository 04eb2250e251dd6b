"""What the ledger says, read back from the exports of `milepost export`."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

Row = dict[str, str]
EXPORTED = ("events", "grants", "transfers", "batches")
REPEATED = ("DUPLICATE", "CONFLICT")


class Recorded(NamedTuple):
    """An event as it was first recorded."""

    stream: str
    seq: int
    kind: str
    outcome: str
    reason: str


@dataclass(slots=True)
class Evidence:
    """Rows of the exports, and look-ups by (issuer, event id)."""

    events: list[Row]
    grants: list[Row]
    transfers: list[Row]
    batches: list[Row]
    first: Mapping[tuple[str, str], Recorded] = field(init=False)
    granted: Mapping[tuple[str, str], int] = field(init=False)
    """(issuer, purchase) → what stands of it, over all rules, funders and units."""

    def __post_init__(self) -> None:
        self.first = {
            (row["issuer_id"], row["event_id"]): Recorded(
                row["stream"], int(row["seq"]), row["kind"], row["outcome"], row["reason"]
            )
            for row in self.events
            if row["event_id"] and row["outcome"] not in REPEATED
        }
        sums: dict[tuple[str, str], int] = defaultdict(int)
        for row in self.grants:
            sums[row["issuer_id"], row["purchase"]] += int(row["amount"])
        self.granted = dict(sums)

    def caused(self, issuer: str, event_id: str) -> list[Row]:
        """The transfers that an event caused."""
        return [
            row
            for row in self.transfers
            if row["cause_event_id"] == event_id and row["issuer_id"] == issuer
        ]

    def lines(self, purchase: str) -> list[Row]:
        """The settled lines of a purchase, in the order of their batches."""
        return [row for row in self.batches if row["purchase"] == purchase]


def read(folder: Path) -> Evidence:
    """The exports that lie in a folder as `<name>.csv`."""
    return Evidence(*[list(_rows(folder / f"{name}.csv")) for name in EXPORTED])


def _rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def clear_copies(folders: Iterable[Path], secret: str) -> list[str]:
    """The files in which a text stands in clear."""
    wanted = secret.encode()
    return [
        str(path)
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and wanted in path.read_bytes()
    ]
