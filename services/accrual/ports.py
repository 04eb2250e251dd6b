"""What accrual needs of the outside. Each port is one table family; adapters name PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from services.accrual.batch import Decided, LinkKey, Loaded
from services.accrual.contracts.book import Book
from services.accrual.engine.eligibility import Enrolments
from services.accrual.engine.totals import TotalKey
from services.accrual.intake import Recorded
from services.accrual.ledger.transfer import Transfer
from services.accrual.links import Held
from services.accrual.members.rows import AccountRows
from services.runtime.database import Connection


class Repeated(Exception):
    """Something in this batch is recorded already: look each one up."""


class DeadLetter(NamedTuple):
    """One rejected record, in the order of the table's columns. `sealed` is never in clear."""

    stream_id: int
    offset_at: int
    source_topic: str
    source_partition: int
    source_offset: int
    feed: str | None
    reason: str
    schema_id: int | None
    recorded_at: datetime
    sealed: bytes


class EventStore(Protocol):
    """What was recorded: events, their identities, rejected records."""

    async def by_identity(
        self, connection: Connection, identities: Sequence[bytes]
    ) -> dict[bytes, Held]:
        """Those of these identities that are recorded."""

    async def save_identities(self, connection: Connection, events: Iterable[Recorded]) -> None:
        """Record who came first. Raises Repeated when one of them is recorded already."""

    async def save_events(
        self,
        connection: Connection,
        events: Sequence[Recorded],
        outcomes: Mapping[tuple[int, int], tuple[str, str | None]],
        *,
        revision: int,
    ) -> None:
        """Record events with what came of them."""

    async def save_link(
        self, connection: Connection, identity: bytes, *, stream_id: int, seq: int
    ) -> None:
        """Record which command links an event. Raises Repeated when another one has."""

    async def save_dead_letters(self, connection: Connection, letters: Sequence[DeadLetter]) -> int:
        """Record rejected records, each source once; gives how many were new."""


class StateStore(Protocol):
    """What is derived of a stream: purchases, totals, what waits."""

    async def load_links(
        self, connection: Connection, keys: Sequence[LinkKey], into: Mapping[str, Loaded]
    ) -> None:
        """Read the purchases of these keys."""

    async def load_exact(
        self, connection: Connection, keys: Sequence[LinkKey], into: Mapping[str, Loaded]
    ) -> None:
        """Read the purchases that hold events with these exact keys."""

    async def load_accounts(self, connection: Connection, into: Mapping[str, Loaded]) -> None:
        """Read all purchases of these accounts; they are complete then."""

    async def load_totals(
        self, connection: Connection, wanted: Mapping[str, set[TotalKey]],
        into: Mapping[str, Loaded],
    ) -> None:  # fmt: skip
        """Read these totals, by account."""

    async def load_waiting(self, connection: Connection, into: Mapping[str, Loaded]) -> None:
        """Read the events of these accounts that have no purchase yet."""

    async def save(
        self,
        connection: Connection,
        decided: Decided,
        recorded: Mapping[tuple[int, int], Recorded],
        loaded: Mapping[str, Loaded],
    ) -> None:
        """Write purchases, totals and waiting events that changed."""


class FactStore(Protocol):
    """Contracts and accounts as of a revision."""

    async def revision(self, connection: Connection) -> int:
        """The newest committed revision."""

    async def book(self, connection: Connection, revision: int) -> Book:
        """The contracts approved up to `revision`."""

    async def rosters(
        self, connection: Connection, accounts: Sequence[str], revision: int
    ) -> Mapping[str, Enrolments]:
        """The facts of accounts as of the revision that `book` was asked for."""


class LedgerStore(Protocol):
    """The transfers, and the balances that follow from them."""

    async def save_transfers(self, connection: Connection, transfers: Sequence[Transfer]) -> None:
        """Insert transfers and move the balances of their streams."""


class Cursor(NamedTuple):
    """How far a stream is published: every event up to `seq`."""

    stream_id: int
    stream: str
    epoch: int
    seq: int


class PublishedRow(msgspec.Struct, frozen=True, gc=False):
    """One transfer as the publisher reads it; `body` is the causing event's."""

    seq: int
    leg: int
    entry: int
    account_id: str
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
    issuer_id: str
    purchase: str
    role: str
    body: bytes


class PublisherStore(Protocol):
    """The publisher's cursors, and the journal that it reads."""

    async def lease(self, connection: Connection, owner: str, held: Sequence[int]) -> list[Cursor]:
        """Take every stream that is not held yet."""

    async def ends(self, connection: Connection) -> dict[int, int]:
        """The last committed sequence number of each stream."""

    async def transfers(
        self, connection: Connection, cursor: Cursor, through: int
    ) -> list[PublishedRow]:
        """The transfers of the events after the cursor, up to `through`."""

    async def move(self, connection: Connection, cursor: Cursor, through: int) -> bool:
        """Move a cursor; False when another publisher holds the stream."""


class Version(NamedTuple):
    """A contract version as signed, with what settlement needs of it."""

    contract: str
    version: int
    issuer: str
    program: str
    partner: str
    document: str
    sha256: str
    terms: Mapping[str, Any]
    author: str
    applied_on: date


class CommandStore(Protocol):
    """What commands append, and read before they do."""

    async def card_streams(self, connection: Connection) -> list[int]:
        """The stream of each partition of `card-transactions`, by partition."""

    async def act(self, connection: Connection, by: str) -> None:
        """Name who acts, for the audit of what this transaction writes."""

    async def next_revision(self, connection: Connection) -> int:
        """Draw a revision of the facts, locked to commit."""

    async def current_rows(self, connection: Connection, accounts: Sequence[str]) -> AccountRows:
        """The rows of accounts that hold now."""

    async def save_rows(self, connection: Connection, facts: AccountRows) -> None:
        """Append rows of accounts; each carries its revision."""

    async def accounts_of(self, connection: Connection, stream_id: int, issuer: str) -> list[str]:
        """Accounts of a stream with purchases, or waiting events, of an issuer."""

    async def save_command(
        self,
        connection: Connection,
        *,
        stream_id: int,
        seq: int,
        on: date,
        inputs: Mapping[str, Any],
        revision: int,
    ) -> None:
        """Record a command's event with its inputs."""

    async def apply_contract(self, connection: Connection, version: Version, revision: int) -> None:
        """Append a version as signed."""

    async def approve_contract(
        self, connection: Connection, contract: str, version: int, *, approver: str,
        revision: int, on: date,
    ) -> None:  # fmt: skip
        """Append an approval; the database refuses the author."""

    async def versions(self, connection: Connection) -> list[dict[str, Any]]:
        """Every contract version with author and approval."""

    async def members(self, connection: Connection, member_or_account: str) -> list[dict[str, Any]]:
        """Every row of a member or an account."""

    async def account_rows(
        self, connection: Connection, accounts: Sequence[str]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Every row of the dates of these accounts, and every activation."""


class StoredEvent(NamedTuple):
    """A recorded event as a rebuild reads it."""

    stream_id: int
    seq: int
    role: str
    body: bytes
    outcome: str
    reason: str | None
    revision: int
    exact_keys: str | None


class RebuildStore(Protocol):
    """The recorded events in order, and the comparison of two schemas."""

    async def streams(self, connection: Connection) -> list[tuple[int, str, int]]:
        """(id, name, last seq) of the streams of `card-transactions`."""

    async def events(
        self, connection: Connection, stream_id: int, after: int, limit: int
    ) -> list[StoredEvent]:
        """The events of a stream after a place, in order."""

    async def differences(self, connection: Connection, limit: int) -> list[str]:
        """Rows that are in one schema and not in the other, at most `limit` a table and side."""
