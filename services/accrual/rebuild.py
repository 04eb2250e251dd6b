"""Folds every recorded event again, in the one order, into empty tables, and compares.

Read are only events, facts and the inputs of commands. What a witness decided (a duplicate of an
event in another stream, a decision that broke) is taken as recorded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from services.accrual.deciding import Decider, Sources
from services.accrual.engine.reasons import Outcome
from services.accrual.intake import Recorded, decode
from services.accrual.links import links_of
from services.accrual.ports import LedgerStore, RebuildStore, StoredEvent
from services.kernel.errors import InvariantViolated
from services.kernel.identifiers import identity
from services.kernel.transaction import Role
from services.runtime.database import Connection, Database

EVENTS_MAX = 5_000
SHOWN_MAX = 20
STATEMENT_SECONDS = 3_600

Progress = Callable[[int], None]
"""Told how many more events were folded."""


@dataclass(slots=True)
class Rebuilt:
    """What was folded, and every difference found (at most SHOWN_MAX a table)."""

    streams: int = 0
    events: int = 0
    differences: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A fold of the streams of `card-transactions` into another schema."""

    decider: Decider
    ledger: LedgerStore
    store: RebuildStore

    async def run(self, main: Database, shadow: Database, progress: Progress) -> Rebuilt:
        """Fold every stream. `shadow` writes into the empty schema, `main` is only read."""
        rebuilt = Rebuilt()
        async with main.connection() as reading:
            streams = await self.store.streams(reading)
            for stream_id, name, last in streams:
                rebuilt.streams += 1
                seq = 0
                while seq < last:
                    events = await self.store.events(reading, stream_id, seq, EVENTS_MAX)
                    if not events:
                        found = f"{name}: nothing is recorded after {seq}, the stream is at {last}"
                        rebuilt.differences.append(found)
                        break
                    async with shadow.transaction(statement_seconds=STATEMENT_SECONDS) as writing:
                        sources = Sources(events=reading, state=writing)
                        found_here = await self._fold(sources, events, name)
                    rebuilt.differences.extend(found_here)
                    rebuilt.events += len(events)
                    progress(len(events))
                    seq = events[-1].seq
        return rebuilt

    async def compare(self, connection: Connection) -> list[str]:
        """Every row that one side has and the other has not, named, both ways."""
        return await self.store.differences(connection, SHOWN_MAX)

    async def _fold(self, sources: Sources, events: Sequence[StoredEvent], name: str) -> list[str]:
        differences: list[str] = []
        for run in _runs(events):
            if run[0].role == Role.COMMAND:
                await self._command(sources, run[0])
            else:
                differences += await self._batch(sources, run, name)
        return differences

    async def _batch(self, sources: Sources, run: Sequence[StoredEvent], name: str) -> list[str]:
        """Decide a run of events that saw the same facts."""
        recorded = [_recorded(event) for event in run]
        outcomes = {(event.stream_id, event.seq): event for event in run}
        fresh = [
            found for found in recorded
            if outcomes[found.stream_id, found.seq].outcome not in _WITNESSED
        ]  # fmt: skip
        decided, loaded = await self.decider.decide(sources, fresh, revision=run[0].revision)
        broken = [
            (found, InvariantViolated("recorded as failed")) for found in recorded
            if outcomes[found.stream_id, found.seq].outcome == Outcome.FAILED
        ]  # fmt: skip
        decided.failed.extend(broken)
        places = {(found.stream_id, found.seq): found for found in recorded}
        await self.decider.state.save(sources.state, decided, places, loaded)
        await self.ledger.save_transfers(sources.state, decided.transfers)
        return [
            f"{name} seq {place[1]}: recorded {_shown(event.outcome, event.reason)}, "
            f"folded {_shown(*decided.outcomes[place])}"
            for place, event in outcomes.items()
            if place in decided.outcomes
            and decided.outcomes[place] != (event.outcome, event.reason)
        ]

    async def _command(self, sources: Sources, event: StoredEvent) -> None:
        inputs = json.loads(event.body)
        accounts = inputs["accounts"]
        if not accounts:
            return
        decided, loaded = await self.decider.reconsider(
            sources, accounts, stream_id=event.stream_id, seq=event.seq,
            on=date.fromisoformat(inputs["on"]), revision=event.revision, links=links_of(inputs),
        )  # fmt: skip
        await self.decider.state.save(sources.state, decided, {}, loaded)
        await self.ledger.save_transfers(sources.state, decided.transfers)


_WITNESSED = frozenset({Outcome.DUPLICATE, Outcome.CONFLICT, Outcome.FAILED})


def _runs(events: Iterable[StoredEvent]) -> Iterable[list[StoredEvent]]:
    """Commands one by one; other events as long as they saw the same facts."""
    run: list[StoredEvent] = []
    for event in events:
        command = event.role == Role.COMMAND
        if run and (command or run[0].role == Role.COMMAND or run[0].revision != event.revision):
            yield run
            run = []
        run.append(event)
    if run:
        yield run


def _recorded(event: StoredEvent) -> Recorded:
    decoded = decode(event.body, event.exact_keys)
    return Recorded(
        event.stream_id, event.seq, None, 0, None, event.role, event.body,
        identity(event.role, decoded.issuer_id, decoded.event_id), decoded,
    )  # fmt: skip


def _shown(outcome: str, reason: str | None) -> str:
    return outcome if reason is None else f"{outcome}/{reason}"
