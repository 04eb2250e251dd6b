"""What settlement needs of the outside."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, Protocol

from services.accrual.ledger.transfer import Transfer
from services.settlement.batches.batch import Head, Header, Sealed, Written
from services.settlement.batches.due import Due
from services.settlement.batches.follow import Following, FollowUp, Move
from services.settlement.batches.follow import Place as EventPlace
from services.settlement.batches.line import Earlier
from services.settlement.batches.order import Seal
from services.settlement.batches.payout import Payouts
from services.settlement.batches.returns import NOTHING, Returns
from services.settlement.batches.terms import TermsBook
from services.settlement.billing.price import Granted
from services.settlement.exchange.answers import Change


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
    revision: int = 0
    """How many batches of the partner through the same day were withdrawn before."""
    returns: Returns = NOTHING
    """What came back from where its member cannot be reached."""


class SealStore(Protocol):
    """The ledger, inside one database transaction."""

    async def terms(self, partner: str) -> TermsBook:
        """The clauses of every version signed with the partner; empty if there is none."""

    async def open_stream(self, partner: str) -> Place:
        """Lock the partner's stream to the end of the transaction; it is made when missing."""

    async def look(self, partner: str, through: date, place: Place) -> Sight:
        """What is due through the day and stands in no line yet, as the seal at `place` sees it."""

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


class Run(NamedTuple):
    """One delivery of a batch; run 0 is the first. `head` is the audit chain's when it began."""

    run: int
    place: str
    ended: bool
    head: Head | None


class LifeStore(Protocol):
    """What follows on a sealed batch, inside one database transaction."""

    async def standing(self, header: Header) -> Following:
        """Lock the partner's stream to the end of the transaction, and read the batch then."""

    async def facts(self, *, new: bool) -> int:
        """The revision of the facts, or the next one, locked to commit."""

    async def record(self, event: FollowUp, stream_id: int) -> EventPlace:
        """Record an event of the partner's stream."""

    async def save(
        self,
        event: FollowUp,
        standing: Following,
        place: EventPlace,
        transfers: Sequence[Transfer],
        moves: Sequence[Move],
    ) -> None:
        """Post, and store what is said of lines and batch. InvalidInput for an illegal move."""

    async def answer(self, partner: str, sha256: str) -> str | None:
        """The batch that a file of these bytes has answered before."""

    async def payment(self, batch: str, reference: str) -> bool:
        """Whether this payment is recorded."""


class AskedChange(NamedTuple):
    """An account that a bank asks to have changed: the first line of the payment, and how."""

    partner: str
    batch: str
    line: int
    code: str
    account_id: str
    recorded_on: date


class Unanswered(NamedTuple):
    """A batch that was sent, of which the partner has not said everything."""

    partner: str
    batch: str
    sent_on: date
    layouts: tuple[str, ...]


class ChangeStore(Protocol):
    """Accounts that banks ask to have changed."""

    async def propose(self, header: Header, changes: Sequence[Change], *, by: str, on: date) -> int:
        """Keep what is asked for, sealed, for a person; gives how many are new."""


class ReviewStore(Protocol):
    """What a person must look at."""

    async def changes(self) -> list[AskedChange]:
        """Accounts that still wait to be changed."""

    async def unanswered(self, sent_until: date) -> list[Unanswered]:
        """Batches that were sent by a day and are not answered."""


class DeliveryStore(Protocol):
    """Deliveries of batches."""

    async def runs(self, batch: str) -> list[Run]:
        """Those of a batch, in order."""

    async def start(self, header: Header, run: int, *, by: str, on: date, place: str) -> None:
        """Record that one begins; the first one sends the batch. InvalidInput if it may not be."""

    async def finish(self, batch: str, run: int) -> None:
        """Record that everything of it has arrived."""


class DetailStore(Protocol):
    """What `batch show` opens."""

    async def granted(self, batch: str) -> list[Granted]:
        """What the batch's rewards were granted as, by version and rule."""

    async def lines(self, batch: str, line: int) -> list[dict[str, Any]]:
        """A line and the other pieces of its sum; empty if there is no such line."""

    async def sources(self, batch: str, lines: Sequence[int]) -> list[dict[str, Any]]:
        """The transfers that hang on these lines, each with the event that caused it."""

    async def reasons(self, batch: str | None = None) -> dict[tuple[str, int], str]:
        """Why lines of a batch, or of all, change an earlier one, by batch and line."""


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
