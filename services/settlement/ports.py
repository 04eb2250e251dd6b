"""What settlement needs of the outside."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, Protocol

from services.settlement.batches.batch import Header, Sealed, Written
from services.settlement.batches.due import Due
from services.settlement.batches.line import Earlier
from services.settlement.batches.order import Seal
from services.settlement.batches.payout import Payouts
from services.settlement.batches.terms import TermsBook
from services.settlement.billing.price import Granted


class Place(NamedTuple):
    """Where a seal is recorded: the partner's stream, its next seq, the batch's sequence."""

    stream_id: int
    seq: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Sight:
    """What a seal saw, all at one instant: due transfers, how far the card streams were
    committed (stream → seq), the revision of the facts, the partner's numbers by account, and
    the payout table.
    """

    due: Sequence[Due]
    vector: Mapping[str, int]
    facts: int
    numbers: Mapping[str, str]
    payouts: Payouts | None = None


class SealStore(Protocol):
    """The ledger, inside one database transaction."""

    async def terms(self, partner: str) -> TermsBook:
        """The clauses of every version signed with the partner; empty if there is none."""

    async def open_stream(self, partner: str) -> Place:
        """Lock the partner's stream to the end of the transaction; it is made when missing."""

    async def look(self, partner: str, through: date) -> Sight:
        """What is due through the day and stands in no line yet."""

    async def earlier(
        self, partner: str, purchases: Collection[tuple[int, int]]
    ) -> Sequence[Earlier]:
        """The lines of these purchases (stream, number) that stood in the partner's files."""

    async def save(self, seal: Seal) -> None:
        """Record the command, post its transfers, and store batch, lines and members."""


class BatchStore(Protocol):
    """Sealed batches."""

    async def headers(
        self, *, partner: str | None = None, batch: str | None = None
    ) -> list[Header]:
        """Batches in order of partner and sequence; all of them, a partner's, or one."""

    async def load(self, header: Header) -> Sealed:
        """A batch with everything that its files are written from."""

    async def files(self, batch: str) -> list[Written]:
        """What was stored of the batch's files."""

    async def save_files(self, batch: str, files: Sequence[Written]) -> None:
        """Store what the files are, once."""

    async def approve(self, header: Header, *, approver: str, on: date) -> None:
        """Record the approval. Raises InvalidInput when the database refuses the person."""


class DetailStore(Protocol):
    """What `batch show` opens."""

    async def granted(self, batch: str) -> list[Granted]:
        """What the batch's rewards were granted as, by version and rule."""

    async def lines(self, batch: str, line: int) -> list[dict[str, Any]]:
        """A line and the other pieces of its sum; empty if there is no such line."""

    async def sources(self, batch: str, lines: Sequence[int]) -> list[dict[str, Any]]:
        """The transfers that hang on these lines, each with the event that caused it."""


class FileDrop(Protocol):
    """The partners' folders."""

    def read(self, partner: str, folder: str, name: str) -> bytes | None:
        """A file's bytes; None if it is not there."""

    def put(self, partner: str, folder: str, name: str, content: bytes) -> bool:
        """Store a file whole or not at all; False if the same bytes are there already.

        Raises InvariantViolated when other bytes are there: nothing is ever overwritten.
        """

    def move(self, partner: str, name: str, *, source: str, target: str) -> None:
        """Move a file to another folder."""

    def remove(self, partner: str, folder: str, name: str) -> None:
        """Remove a file that has moved on; nothing happens if it is not there."""

    def path(self, partner: str, folder: str, name: str) -> str:
        """Where a file lies, for people."""


class AuditStore(Protocol):
    """The stored rows, asked whether they hold together."""

    async def ask(self, question: str, *, faults_max: int) -> tuple[int, Sequence[str]]:
        """How many rows were checked, and the first faults in words."""
