"""The exports: which columns, in which order, and their rows.

Amounts are whole minor units, dates are dates; the order of rows follows from their content.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol

from services.accrual.intake import decode
from services.accrual.peek import peek
from services.kernel.identifiers import derive, transfer_id
from services.kernel.topics import CARD_TRANSACTIONS
from services.kernel.transaction import Role
from services.runtime.database import Connection

Value = str | int | date | None
Rows = AsyncIterator[list[tuple[Value, ...]]]
"""Rows in pieces; memory does not grow with the export."""

EXPORTS: dict[str, tuple[str, ...]] = {
    "events": ("stream", "seq", "topic", "partition", "offset", "issuer_id", "event_id",
               "account_id", "kind", "outcome", "reason"),
    "grants": ("account_id", "issuer_id", "purchase", "governing_date", "contract", "version",
               "rule", "unit", "funder", "amount"),
    "totals": ("contract", "rule", "kind", "terms", "scope", "scope_id", "period", "unit",
               "granted"),
    "transfers": ("transfer_id", "stream", "seq", "entry_id", "cause_event_id", "issuer_id",
                  "account_id", "purchase", "contract", "version", "rule", "funder", "unit",
                  "debit", "credit", "amount", "effective_on", "available_on"),
    "balances": ("account_id", "unit", "pending", "available", "settled", "amount"),
}  # fmt: skip
"""Export → its columns. `batches` is settlement's own."""

INTEGERS = frozenset({
    "seq", "partition", "offset", "version", "granted", "amount", "pending", "available", "settled",
    "sequence", "revision", "line", "original_line",
})  # fmt: skip
"""Columns of whole numbers, of all exports."""
DATES = frozenset({"governing_date", "effective_on", "available_on"})
"""Columns of dates. All others are text."""


class EventExport(NamedTuple):
    """A recorded event; the body is that of a canonical event or of a command."""

    stream: str
    seq: int
    offset_at: int | None
    role: str
    outcome: str
    reason: str | None
    body: bytes


class LetterExport(NamedTuple):
    """A rejected record."""

    stream: str
    offset_at: int
    source_topic: str
    source_partition: int
    source_offset: int
    reason: str


class TransferExport(NamedTuple):
    """A transfer with what names its purchase and its cause."""

    stream: str
    seq: int
    leg: int
    entry: int
    role: str
    body: bytes
    issuer_id: str
    account_id: str
    purchase: str
    contract: str
    version: int
    rule: str
    funder: str
    unit: str
    debit: str
    credit: str
    amount: int
    effective_on: date
    available_on: date


class ExportStore(Protocol):
    """Reads whole tables in the order of their export, in pieces."""

    def events(self, connection: Connection) -> AsyncIterator[list[EventExport]]:
        """Every recorded event, by stream and seq."""

    def letters(self, connection: Connection) -> AsyncIterator[list[LetterExport]]:
        """Every rejected record, by stream and offset."""

    def transfers(self, connection: Connection) -> AsyncIterator[list[TransferExport]]:
        """Every transfer, by stream, seq and leg."""

    def grants(self, connection: Connection) -> Rows:
        """What every purchase has, as the export has it."""

    def totals(self, connection: Connection) -> Rows:
        """Every running total, as the export has it."""

    def balances(self, connection: Connection, as_of: date) -> Rows:
        """What every account has at a date, as the export has it."""


@dataclass(frozen=True, slots=True)
class Exporter:
    """Gives the rows of an export through one connection: give it a snapshot."""

    store: ExportStore

    def rows(self, connection: Connection, name: str, as_of: date) -> Rows:
        """The rows of one of EXPORTS; only balances ask for the date."""
        match name:
            case "events":
                return self._events(connection)
            case "transfers":
                return self._transfers(connection)
            case "grants":
                return self.store.grants(connection)
            case "totals":
                return self.store.totals(connection)
            case "balances":
                return self.store.balances(connection, as_of)
        raise KeyError(name)

    async def _events(self, connection: Connection) -> Rows:
        async for events in self.store.events(connection):
            yield [_event(event) for event in events]
        async for letters in self.store.letters(connection):
            yield [_letter(letter) for letter in letters]

    async def _transfers(self, connection: Connection) -> Rows:
        async for found in self.store.transfers(connection):
            yield list(_transfers(found))


def _event(row: EventExport) -> tuple[Value, ...]:
    """A command has no place in a topic, and no ids of its own."""
    if row.role == Role.COMMAND:
        kind = str(json.loads(row.body).get("command"))
        return (row.stream, row.seq, None, None, None, None, None, None, kind, row.outcome,
                row.reason)  # fmt: skip
    event = decode(row.body)
    topic, partition = _partition(row.stream)
    return (
        row.stream, row.seq, topic, partition, row.offset_at, event.issuer_id, event.event_id,
        event.account_id, event.kind, row.outcome, row.reason,
    )  # fmt: skip


def _letter(row: LetterExport) -> tuple[Value, ...]:
    """A rejection by ingest stands at its source; one by accrual where it was consumed."""
    topic, partition = _partition(row.stream)
    place: tuple[Value, ...] = (row.source_topic, row.source_partition, row.source_offset)
    if topic == CARD_TRANSACTIONS:
        place = (topic, partition, row.offset_at)
    return (row.stream, None, *place, None, None, None, None, "REJECTED", row.reason)


def _transfers(found: Iterable[TransferExport]) -> Iterator[tuple[Value, ...]]:
    for row in found:
        cause = None if row.role == Role.COMMAND else peek(row.body)[0]
        yield (
            str(transfer_id(row.stream, row.seq, row.leg)), row.stream, row.seq,
            str(derive("entry", row.stream, row.seq, row.entry)), cause, *row[6:],
        )  # fmt: skip


def _partition(stream: str) -> tuple[str, int]:
    topic, _, partition = stream.rpartition("/")
    return topic, int(partition)
