"""What the invariants are about: rows of the record, of derived state and of the ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import NamedTuple, Protocol

from services.runtime.database import Connection

AccountKey = tuple[int, str]
"""(stream, account)"""


class AuditedEvent(NamedTuple):
    """An event with one identity that it owns; it comes once for each."""

    stream_id: int
    stream: str
    seq: int
    role: str
    outcome: str
    reason: str | None
    identity: bytes | None
    body: bytes


class AuditedPurchase(NamedTuple):
    """A purchase as stored."""

    stream_id: int
    account_id: str
    purchase: int
    issuer_id: str
    label: str
    account_key: int
    link_key: int
    body: bytes
    exact_keys: Sequence[int] | None


class AuditedGrant(NamedTuple):
    """What the ledger holds of one part of a purchase: a funder's, or that of a party's fee."""

    stream_id: int
    account_id: str
    purchase: int
    contract: str
    version: int
    rule: str
    funder: str
    unit: str
    governing_on: date
    available_on: date
    party: str
    amount: int


class AuditedTotal(NamedTuple):
    """A running total; `keyed` says whether it is found under its own key."""

    stream_id: int
    account_id: str
    contract: str
    owner: str
    kind: str
    terms: str
    scope_id: str
    period: str
    scope: str
    unit: str
    total: int
    granted: int
    keyed: bool


class AuditedWait(NamedTuple):
    """An event without a purchase."""

    stream_id: int
    account_id: str
    seq: int
    reason: str
    body: bytes
    exact_keys: str | None


class InvariantStore(Protocol):
    """Reads what the invariants are about, in the order in which they are checked."""

    async def ask(
        self, connection: Connection, question: str, faults_max: int
    ) -> tuple[int, Sequence[str]]:
        """How many rows a query has checked, and the first faults in words."""

    def accounts(self, connection: Connection) -> AsyncIterator[list[str]]:
        """Every ledger account that is named anywhere."""

    async def identities(self, connection: Connection) -> int:
        """How many identities are recorded."""

    async def ends(self, connection: Connection) -> dict[int, int]:
        """The last sequence number of every stream."""

    def events(self, connection: Connection) -> AsyncIterator[list[AuditedEvent]]:
        """Every event, by stream and seq."""

    def purchases(self, connection: Connection) -> AsyncIterator[list[AuditedPurchase]]:
        """Every purchase, by stream and account."""

    def grants(self, connection: Connection) -> AsyncIterator[list[AuditedGrant]]:
        """What the ledger holds of every purchase, by stream and account."""

    def totals(self, connection: Connection) -> AsyncIterator[list[AuditedTotal]]:
        """Every running total, by stream and account."""

    def waits(self, connection: Connection) -> AsyncIterator[list[AuditedWait]]:
        """Every event without a purchase, by stream and account."""
