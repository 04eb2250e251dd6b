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
from services.accrual.links import Held, identity_of_command
from services.accrual.peek import peek
from services.kernel.identifiers import identity
from services.kernel.transaction import Role

_REASONS: Mapping[str, frozenset[str | None]] = {
    Outcome.POSTED: frozenset({None}),
    Outcome.NO_REWARD: frozenset({NO_CHANGE, *(reason.name for reason in Reason)}),
    Outcome.WAITING: frozenset({MISSING_ORIGINAL, MISSING_POSTING_DATE}),
    Outcome.DUPLICATE: frozenset({None}),
    Outcome.CONFLICT: frozenset({None}),
    Outcome.FAILED: frozenset({None}),
    Outcome.RECORDED: frozenset({None}),
}
"""The reasons that an outcome may have."""
_REPEATS = (Outcome.DUPLICATE, Outcome.CONFLICT)
_FITTING = frozenset(
    (role, outcome, reason)
    for outcome, reasons in _REASONS.items()
    for reason in reasons
    for role in Role
    if (role == Role.COMMAND) == (outcome == Outcome.RECORDED)
    and (role == Role.COMPARE and outcome not in _REPEATS) == (reason == Reason.COMPARE_FEED.name)
)
"""Role, outcome and reason that an event may have together."""


class RecordAudit:
    """Checks events one after another, in recorded order."""

    def __init__(self, tally: Tally, marks: Marks) -> None:
        self._tally = tally
        self._marks = marks
        self._last = (0, 0)
        self._events = 0
        self.owned = 0
        """How many identities belong to the events so far."""

    def event(self, event: AuditedEvent) -> tuple[bytes, AuditedEvent] | None:
        """Check one event; gives its identity when it says that it repeats another one."""
        where = f"{event.stream} seq {event.seq}"
        self.owned += event.identity is not None
        if (event.stream_id, event.seq) == self._last:
            self._tally.fault("record-identities", f"{where} owns more than one identity")
            return None
        self._last = (event.stream_id, event.seq)
        self._events += 1
        if (event.role, event.outcome, event.reason) not in _FITTING:
            fault = f"{where} of role {event.role} is {event.outcome}/{event.reason}"
            self._tally.fault("record-outcomes", fault)
        repeats = event.outcome in _REPEATS
        enters = event.role == Role.BOOKS and not repeats
        places = self._marks.places(event.stream_id, event.seq)
        if places != (1 if enters else 0):
            fault = f"{where} ({event.outcome}) stands in {places} purchases or waiting places"
            self._tally.fault("record-placed", fault)
        if event.role == Role.COMMAND:
            self._command(event, where)
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

    def _command(self, event: AuditedEvent, where: str) -> None:
        """Of commands only a review's link owns an identity, and it owns that one."""
        try:
            own = identity_of_command(event.body)
        except (ValueError, LookupError) as error:
            self._tally.fault("record-identities", f"{where}: {error!r}")
            return
        if event.identity != own:
            fault = f"{where} is a command with an identity that is not its own, or without its own"
            self._tally.fault("record-identities", fault)

    def repeat(self, event: AuditedEvent, first: Held | None) -> None:
        """A repeat names an earlier event: the same content, or another one."""
        where = f"{event.stream} seq {event.seq} is a {event.outcome}"
        if first is None:
            self._tally.fault("record-identities", f"{where} of nothing that is recorded")
            return
        stream_id, seq, body, _ = first
        if (event.outcome == Outcome.DUPLICATE) != (body == event.body):
            same = "the same content" if body == event.body else "other content"
            self._tally.fault("record-identities", f"{where} of {seq}, which has {same}")
        if stream_id == event.stream_id and seq >= event.seq:
            self._tally.fault("record-identities", f"{where} of {seq}, which comes later")

    def end(self) -> None:
        """All events are seen."""
        for name in ("record-identities", "record-outcomes", "record-placed"):
            self._tally.add(name, self._events)
