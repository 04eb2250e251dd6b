"""What looking up reads: rows of the record and of the ledger, and the port that reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import NamedTuple, Protocol

from services.runtime.database import Connection

Place = tuple[int, int]
"""(stream, seq)"""


class EventRow(NamedTuple):
    """One recorded event, with what came of it."""

    stream_id: int
    stream: str
    seq: int
    offset_at: int | None
    recorded_at: datetime
    source: str | None
    role: str
    outcome: str
    reason: str | None
    revision: int
    body: bytes
    exact_keys: str | None = None

    @property
    def place(self) -> Place:
        """Its place in the one order."""
        return self.stream_id, self.seq


class LetterRow(NamedTuple):
    """One rejected record; what it holds stays sealed."""

    stream: str
    offset_at: int
    source_topic: str
    source_partition: int
    source_offset: int
    feed: str | None
    reason: str
    recorded_at: datetime


class Movement(NamedTuple):
    """One transfer on a member's account, `amount` signed from the member's side (minor units).

    `settles`: a sealed batch moved it on; it is neither granted nor taken back. With a `party` it
    is a fee on the reward, signed from the party's side.
    """

    stream_id: int
    stream: str
    seq: int
    leg: int
    entry: int
    of_stream_id: int
    of_purchase: int
    contract: str
    version: int
    rule: str
    funder: str
    unit: str
    amount: int
    governing_on: date
    effective_on: date
    available_on: date
    settles: bool
    party: str = ""

    @property
    def place(self) -> Place:
        """The event that caused it."""
        return self.stream_id, self.seq


class BalanceRow(NamedTuple):
    """What an account has of a unit at a date, in minor units."""

    account_id: str
    unit: str
    pending: int
    available: int
    settled: int

    @property
    def amount(self) -> int:
        """All of it."""
        return self.pending + self.available + self.settled


class SumRow(NamedTuple):
    """Debits and credits of a ledger account through a date, in minor units."""

    unit: str
    account: str
    debit: int
    credit: int


class WaitingRow(NamedTuple):
    """An event without a purchase."""

    stream: str
    seq: int
    reason: str
    recorded_at: datetime
    body: bytes


class PurchaseRow(NamedTuple):
    """A purchase as stored."""

    stream_id: int
    purchase: int
    issuer_id: str
    account_id: str
    label: str
    body: bytes


class LookupStore(Protocol):
    """Reads the record and the ledger for people."""

    async def known(self, connection: Connection, account_id: str) -> bool:
        """Whether anything at all is recorded of an account."""

    async def balances(
        self, connection: Connection, account_id: str, as_of: date
    ) -> list[BalanceRow]:
        """What an account has at a date, by unit."""

    async def movements(self, connection: Connection, account_id: str) -> list[Movement]:
        """Every transfer on a member's account, in the order of streams and their events."""

    async def fees(self, connection: Connection, account_id: str) -> list[Movement]:
        """Every transfer of a fee on the rewards of an account, in the same order."""

    async def trial_balance(
        self, connection: Connection, through: date, *, members: bool
    ) -> list[SumRow]:
        """Debits and credits by unit and account; without `members` all of them are one line."""

    async def events_at(
        self, connection: Connection, places: Sequence[Place]
    ) -> dict[Place, EventRow]:
        """The events of these places."""

    async def event_at_offset(
        self, connection: Connection, stream: str, offset: int
    ) -> EventRow | None:
        """The event recorded from a record of the stream's own topic."""

    async def events_of_source(self, connection: Connection, source: str) -> list[EventRow]:
        """The events that ingest made of one raw record; reads the whole record to find them."""

    async def letters_at(
        self, connection: Connection, topic: str, partition: int, offset: int
    ) -> list[LetterRow]:
        """The rejection of a raw record, or of a record of `card-transactions`."""

    async def commands_after(self, connection: Connection, place: Place) -> list[EventRow]:
        """The commands of a stream after a place, in order."""

    async def waiting(self, connection: Connection) -> list[WaitingRow]:
        """Every event without a purchase, in recorded order."""

    async def conflicts(self, connection: Connection) -> list[EventRow]:
        """Every event whose id was recorded before with other content."""

    def purchases(self, connection: Connection) -> AsyncIterator[list[PurchaseRow]]:
        """Every purchase, in pieces."""
