"""Checks the records of a file by the rules of their feed, and says what is wrong with which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from services.ingest.feeds.feed import Parse
from services.kernel.errors import Rejected


class BadRecord(NamedTuple):
    """A record that ingest would reject. `line` counts from 1; nothing here holds its values."""

    line: int
    reason: str
    field: str | None
    message: str


class Checked(NamedTuple):
    """A record as it stands, and the account that it belongs to, when that can be read."""

    record: bytes
    account_id: str | None


@dataclass(slots=True)
class Report:
    """What a file came to. A record is valid when nothing of it is rejected."""

    records: int = 0
    events: int = 0
    problems: list[BadRecord] = field(default_factory=list)

    @property
    def valid(self) -> int:
        """How many records are valid."""
        return self.records - len(self.problems)


def check(records: Iterable[bytes], parse: Parse, report: Report) -> Iterator[Checked]:
    """Each record, checked; the report grows as they are taken."""
    for record in records:
        report.records += 1
        account_id: str | None = None
        rejected: Rejected | None = None
        for outcome in parse(record):
            if isinstance(outcome, Rejected):
                rejected = rejected or outcome
            else:
                report.events += 1
                account_id = outcome.account_id
        if rejected is not None:
            problem = BadRecord(report.records, rejected.reason, rejected.field, rejected.message)
            report.problems.append(problem)
        yield Checked(record, account_id)
