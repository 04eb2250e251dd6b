"""Identities, outcomes and places of recorded events, one at a time."""

from __future__ import annotations

from collections.abc import Mapping

from services.accrual.audit.rows import AuditedEvent
from services.accrual.audit.tally import Marks, Tally
from services.accrual.engine.reasons import (
    MISSING_ORIGINAL,
    MISSING_POSTING_DATE,
    NO_CHANGE,
    Outcome,
    Reason,
)
from services.accrual.peek import peek
from services.kernel.identifiers import identity
from services.kernel.transaction import Role

REASONS: Mapping[str, frozenset[str | None]] = {
    Outcome.POSTED: frozenset({None}),
    Outcome.NO_REWARD: frozenset({NO_CHANGE, *(reason.name for reason in Reason)}),
    Outcome.WAITING: frozenset({MISSING_ORIGINAL, MISSING_POSTING_DATE}),
    Outcome.DUPLICATE: frozenset({None}),
    Outcome.CONFLICT: frozenset({None}),
    Outcome.FAILED: frozenset({None}),
    Outcome.RECORDED: frozenset({None}),
}
"""The reasons that an outcome may have."""


class RecordAudit:
    """Checks events one after another, in recorded order."""

    def __init__(self, tally: Tally, marks: Marks) -> None:
        self._tally = tally
        self._marks = marks
        self._last = (0, 0)
        for name in ("record-outcomes", "record-placed"):
            tally.add(name, 0)

    def event(self, event: AuditedEvent) -> tuple[bytes, AuditedEvent] | None:
        """Check one event; gives its identity when it says that it repeats another one."""
        where = f"{event.stream} seq {event.seq}"
        if (event.stream_id, event.seq) == self._last:
            self._tally.fault("record-identities", f"{where} owns more than one identity")
            return None
        self._last = (event.stream_id, event.seq)
        self._outcome(event, where)
        repeats = event.outcome in (Outcome.DUPLICATE, Outcome.CONFLICT)
        enters = event.role == Role.BOOKS and not repeats
        places = self._marks.places(event.stream_id, event.seq)
        self._tally.add("record-placed", 1)
        if places != (1 if enters else 0):
            fault = f"{where} ({event.outcome}) stands in {places} purchases or waiting places"
            self._tally.fault("record-placed", fault)
        if event.role == Role.COMMAND:
            if event.identity is not None:
                self._tally.fault("record-identities", f"{where} is a command with an identity")
            return None
        try:
            event_id, issuer_id = peek(event.body)
        except ValueError as error:
            self._tally.fault("record-identities", f"{where}: {error}")
            return None
        key = identity(event.role, issuer_id, event_id)
        if event.identity != (None if repeats else key):
            fault = f"{where} ({event.outcome}, {issuer_id}/{event_id}) "
            fault += "owns the identity that it repeats" if repeats else "has not its own identity"
            self._tally.fault("record-identities", fault)
        return (key, event) if repeats else None

    def repeat(self, event: AuditedEvent, first: tuple[int, int, bytes] | None) -> None:
        """A repeat names an earlier event: the same content, or another one."""
        where = f"{event.stream} seq {event.seq} is a {event.outcome}"
        if first is None:
            self._tally.fault("record-identities", f"{where} of nothing that is recorded")
            return
        stream_id, seq, body = first
        if (event.outcome == Outcome.DUPLICATE) != (body == event.body):
            same = "the same content" if body == event.body else "other content"
            self._tally.fault("record-identities", f"{where} of {seq}, which has {same}")
        if stream_id == event.stream_id and seq >= event.seq:
            self._tally.fault("record-identities", f"{where} of {seq}, which comes later")

    def _outcome(self, event: AuditedEvent, where: str) -> None:
        """Role, outcome and reason fit together."""
        self._tally.add("record-outcomes", 1)
        fits = event.reason in REASONS.get(event.outcome, ())
        command = (event.role == Role.COMMAND) == (event.outcome == Outcome.RECORDED)
        compared = event.role == Role.COMPARE and event.outcome not in (
            Outcome.DUPLICATE, Outcome.CONFLICT,
        )  # fmt: skip
        if compared != (event.reason == Reason.COMPARE_FEED.name) or not fits or not command:
            fault = f"{where} of role {event.role} is {event.outcome}/{event.reason}"
            self._tally.fault("record-outcomes", fault)
