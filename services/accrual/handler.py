"""The consumer's batch: move the positions, record, decide, post – in one database transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from services.accrual.batch import Decided
from services.accrual.deciding import Decider, Sources, repeats
from services.accrual.intake import Arrived, Recorded, arrive, record
from services.accrual.links import Found
from services.accrual.ports import DeadLetter, LedgerStore, Repeated
from services.kernel.errors import Rejected, Retryable
from services.kernel.topics import DEAD_LETTERS, HEADER_FEED
from services.runtime.batch import Record, StreamSlice
from services.runtime.database import Connection, Database
from services.runtime.failpoint import failpoint
from services.runtime.stream_position import advance

SEALED = b"age-encryption.org/"
"""What every sealed record starts with."""


class Observer(Protocol):
    """Who is told what a committed batch came to."""

    def recorded(self, outcome: str, reason: str | None, count: int) -> None:
        """So many events had this outcome."""

    def failed(self, recorded: Recorded, error: Exception) -> None:
        """A decision broke; the event is recorded FAILED and can be reconsidered."""


@dataclass(slots=True)
class Intake:
    """One slice, decoded: what can be recorded, and what was rejected."""

    slice: StreamSlice
    arrived: list[Arrived] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)


class AccrualHandler:
    """Commits a batch of the consumer: effects and positions together, or nothing."""

    def __init__(
        self,
        *,
        database: Database,
        decider: Decider,
        ledger: LedgerStore,
        seal: Callable[[bytes], bytes],
        observer: Observer,
    ) -> None:
        self._database = database
        self._decider = decider
        self._ledger = ledger
        self._seal = seal
        self._observer = observer
        self._look_up = False
        """Whether to look identities up first: as long as the last batch met repeats."""

    async def handle(self, slices: Sequence[StreamSlice]) -> None:
        """Record, decide and post the records of all slices, and move their positions."""
        intakes = [self._decode(part) for part in slices]
        try:
            await self._commit(intakes, look_up=self._look_up)
        except Repeated:
            self._look_up = True
            await self._look_up_and_commit(intakes)

    async def _look_up_and_commit(self, intakes: Sequence[Intake]) -> None:
        try:
            await self._commit(intakes, look_up=True)
        except Repeated as error:
            why = "some of its events are being recorded by others at this moment"
            raise Retryable(f"a batch was rolled back: {why}") from error

    def _decode(self, part: StreamSlice) -> Intake:
        intake = Intake(part)
        if part.claim.topic == DEAD_LETTERS:
            intake.letters = [self._letter(part, found) for found in part.records]
            return intake
        for found in part.records:
            try:
                intake.arrived.append(
                    arrive(
                        found.value, found.headers, offset_at=found.offset,
                        timestamp_ms=found.timestamp,
                    )
                )  # fmt: skip
            except Rejected as rejected:
                intake.letters.append(self._reject(part, found, rejected))
        return intake

    def _reject(self, part: StreamSlice, found: Record, rejected: Rejected) -> DeadLetter:
        """A record of `card-transactions` that is no event: its bytes are sealed here.

        Its source is itself, not the raw feed: these are the bytes that a replay sends again.
        """
        claim = part.claim
        return DeadLetter(
            claim.stream_id, found.offset, claim.topic, claim.partition, found.offset,
            _text(dict(found.headers).get(HEADER_FEED)), rejected.reason, None,
            _moment(found.timestamp),
            self._seal(found.value or b""),
        )  # fmt: skip

    def _letter(self, part: StreamSlice, found: Record) -> DeadLetter:
        """A record of `dead-letters`; its headers say where the raw record lies.

        What somebody sent there in clear is sealed before it is stored.
        """
        value = found.value or b""
        sealed = value if value.startswith(SEALED) else self._seal(value)
        headers = dict(found.headers)
        schema_id = _text(headers.get("schema_id"))
        try:
            place = (
                headers["topic"].decode(), int(headers["partition"]), int(headers["offset"])
            )  # fmt: skip
        except (KeyError, ValueError):
            place = (DEAD_LETTERS, part.claim.partition, found.offset)
        return DeadLetter(
            part.claim.stream_id, found.offset, *place, _text(headers.get("feed")),
            _text(headers.get("reason")) or "UNKNOWN",
            int(schema_id) if schema_id and schema_id.isdigit() else None,
            _moment(found.timestamp), sealed,
        )  # fmt: skip

    async def _commit(self, intakes: Sequence[Intake], *, look_up: bool) -> None:
        async with self._database.transaction() as connection:
            recorded = await _take_places(connection, intakes)
            letters = [letter for intake in intakes for letter in intake.letters]
            await self._decider.events.save_dead_letters(connection, letters)
            failpoint("accrual: dead letters")
            decided = await self._record(connection, recorded, look_up=look_up)
        self._tell(decided, letters)

    async def _record(
        self, connection: Connection, recorded: list[Recorded], *, look_up: bool
    ) -> Decided:
        """Decide what is new and write everything. Nothing is read of a clock."""
        if not recorded:
            return Decided()
        events = self._decider.events
        held: Found = {}
        if look_up:
            held = await events.by_identity(connection, [found.identity for found in recorded])
            failpoint("accrual: looked up")
            self._look_up = bool(held)
        fresh, repeated = repeats(recorded, held)
        await events.save_identities(connection, fresh)
        failpoint("accrual: identities")
        revision = await self._decider.facts.revision(connection)
        failpoint("accrual: revision")
        decided, loaded = await self._decider.decide(
            Sources(connection, connection), fresh, revision=revision
        )
        failpoint("accrual: decided")
        decided.outcomes.update(repeated)
        by_place = {(found.stream_id, found.seq): found for found in recorded}
        await events.save_events(connection, recorded, decided.outcomes, revision=revision)
        failpoint("accrual: events")
        await self._decider.state.save(connection, decided, by_place, loaded)
        failpoint("accrual: state")
        await self._ledger.save_transfers(connection, decided.transfers)
        failpoint("accrual: transfers")
        return decided

    def _tell(self, decided: Decided, letters: Sequence[DeadLetter]) -> None:
        for (outcome, reason), count in Counter(decided.outcomes.values()).items():
            self._observer.recorded(outcome, reason, count)
        for reason, count in Counter(letter.reason for letter in letters).items():
            self._observer.recorded("REJECTED", reason, count)
        for recorded, error in decided.failed:
            self._observer.failed(recorded, error)


async def _take_places(connection: Connection, intakes: Sequence[Intake]) -> list[Recorded]:
    """Move every position, in stream order, and give each event its sequence number."""
    recorded: list[Recorded] = []
    for intake in sorted(intakes, key=lambda found: found.slice.claim.stream_id):
        claim = intake.slice.claim
        seq = await advance(
            connection, claim, next_offset=intake.slice.next_offset, count=len(intake.arrived)
        )
        failpoint("accrual: position")
        recorded.extend(
            record(arrived, stream_id=claim.stream_id, seq=place)
            for place, arrived in enumerate(intake.arrived, start=seq)
        )
    return recorded


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "replace").replace("\x00", "")


def _moment(timestamp_ms: int) -> datetime:
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC)
