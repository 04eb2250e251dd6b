"""The chain over the audit rows: each link is the hash of the one before it and of its row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from services.settlement.batches.batch import Head

GENESIS = Head(0, "0" * 64)
"""What the first link follows."""


class AuditRow(NamedTuple):
    """One action. `at` is an instant in UTC to the microsecond, `on` an ISO date or '', `detail`
    JSON as the database prints it.
    """

    id: int
    at: str
    actor: str
    action: str
    subject: str
    on: str
    login: str
    role: str
    program: str
    detail: str


class Link(NamedTuple):
    """A row of `audit_link` with the audit row that it names; None if that one is gone."""

    nth: int
    id: int
    previous: str
    link: str
    row: AuditRow | None


def canonical(row: AuditRow) -> bytes:
    """The row's bytes: no two rows that differ anywhere have the same."""
    return json.dumps(list(row), ensure_ascii=True, separators=(",", ":")).encode("ascii")


def link_of(previous: str, row: AuditRow) -> str:
    """SHA-256 of the previous link and the row, hex."""
    return hashlib.sha256(bytes.fromhex(previous) + canonical(row)).hexdigest()


def extend(head: Head, rows: Iterable[AuditRow]) -> Iterator[Link]:
    """The links of rows that have none yet, after the head."""
    for row in rows:
        link = link_of(head.link, row)
        yield Link(head.nth + 1, row.id, head.link, link, row)
        head = Head(head.nth + 1, link)


class Walk:
    """Follows a chain from its first link and says where it breaks for the first time."""

    def __init__(self) -> None:
        self.head = GENESIS
        self.broken: str | None = None

    def follow(self, link: Link) -> None:
        """The next link in order."""
        if self.broken is None:
            self.broken = self._fault(link)
        self.head = Head(link.nth, link.link)

    def _fault(self, link: Link) -> str | None:
        place = f"link {link.nth} of audit row {link.id}"
        if link.nth != self.head.nth + 1:
            return f"{place} stands after link {self.head.nth}: links are missing"
        if link.previous != self.head.link:
            return f"{place} does not follow link {self.head.nth}"
        if link.row is None:
            return f"{place}: the row is gone"
        if link.link != link_of(link.previous, link.row):
            return f"{place}: the row is not what was sealed"
        return None
