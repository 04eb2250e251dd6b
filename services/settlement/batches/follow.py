"""What follows on a sealed batch in the ledger: a withdrawal, a partner's answer, a payment.

Each is recorded as events of the partner's stream with all their inputs, so that a rebuild folds
them again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from services.accrual.ledger import chart
from services.accrual.ledger.transfer import Transfer, audited
from services.settlement.batches.batch import Header
from services.settlement.batches.line import Line
from services.settlement.batches.outcome import GIVEN_BACK, PAID, REJECTED, Latest, Told
from services.settlement.batches.posting import LINES_IN_EVENT_MAX, payable
from services.settlement.batches.share import Shares
from services.settlement.batches.terms import TermsBook

WITHDRAW, ACKNOWLEDGE, PAY = "withdraw", "acknowledge", "pay"
RETURNED = "RETURNED"


class Move(NamedTuple):
    """One row of `settlement_move`: a transfer, the line it is about, and what it does to it."""

    stream_id: int
    seq: int
    leg: int
    line: int
    kind: str


@dataclass(frozen=True, slots=True)
class FollowUp:
    """One command on a batch. `on` is its recorded date; `facts` the revision it saw or made.

    `because` is what the command was given beside the lines: a reason, a reference, or a file.
    """

    command: str
    batch: str
    partner: str
    by: str
    on: date
    facts: int
    because: Mapping[str, str]
    told: tuple[Told, ...]

    def events(self) -> list[FollowUp]:
        """The same in pieces, one event each."""
        starts = range(0, len(self.told), LINES_IN_EVENT_MAX) or range(1)
        return [
            FollowUp(self.command, self.batch, self.partner, self.by, self.on, self.facts,
                     self.because, self.told[start : start + LINES_IN_EVENT_MAX])
            for start in starts
        ]  # fmt: skip

    def body(self) -> bytes:
        """What its event records."""
        inputs = {
            "command": self.command,
            "batch": self.batch,
            "partner": self.partner,
            "by": self.by,
            "on": self.on.isoformat(),
            "facts": self.facts,
            "because": dict(self.because),
            "told": [list(told if told.came_back else told[:-1]) for told in self.told],
        }
        text = json.dumps(inputs, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return text.encode()


def read_follow_up(body: bytes) -> FollowUp | None:
    """The command from an event's body; None if it is none of these."""
    inputs: dict[str, Any] = json.loads(body)
    if inputs.get("command") not in (WITHDRAW, ACKNOWLEDGE, PAY):
        return None
    return FollowUp(
        command=inputs["command"],
        batch=inputs["batch"],
        partner=inputs["partner"],
        by=inputs["by"],
        on=date.fromisoformat(inputs["on"]),
        facts=inputs["facts"],
        because=inputs["because"],
        told=tuple(Told(*told) for told in inputs["told"]),
    )


class Place(NamedTuple):
    """Where an event stands."""

    stream_id: int
    seq: int


@dataclass(frozen=True, slots=True)
class Following:
    """The batch as it stands: every line, its parts, and what was last recorded of it.

    `said` is what the partner last said of a line, also when it was paid since; `heard` every
    outcome that was ever recorded of it.
    """

    header: Header
    lines: Mapping[int, Line]
    shares: Shares
    latest: Mapping[int, Latest]
    said: Mapping[int, Latest]
    terms: TermsBook
    heard: Mapping[int, frozenset[str]] = field(default_factory=dict)

    def layout_of(self, line: Line) -> str:
        """The layout that the line goes out in."""
        return self.terms[line.contract, line.version].layout


def post(event: FollowUp, standing: Following, place: Place) -> tuple[list[Transfer], list[Move]]:
    """What one event moves, line by line: nothing for an outcome that moves nothing.

    A line given back or rejected goes payable → member and is due at once; a paid one payable →
    bank. One that comes back after it was paid takes both ways back. All as far as it is above
    zero, and the other way round below.
    """
    transfers: list[Transfer] = []
    moves: list[Move] = []
    for told in event.told:
        line = standing.lines[told.line]
        was = standing.latest.get(told.line)
        for kind in _kinds(told.outcome, was.outcome if was else None):
            entry = len(transfers) + 1
            for transfer in _transfers(kind, line, standing, event.on):
                leg = len(transfers) + 1
                placed = transfer._replace(
                    stream_id=place.stream_id, seq=place.seq, leg=leg, entry=entry
                )
                transfers.append(audited(placed))
                moves.append(Move(place.stream_id, place.seq, leg, line.line, kind))
    return transfers, moves


def _kinds(outcome: str, before: str | None) -> Sequence[str]:
    if outcome in (GIVEN_BACK, PAID):
        return (outcome,)
    if outcome == REJECTED:
        return (RETURNED, REJECTED) if before == PAID else (REJECTED,)
    return ()


def _transfers(kind: str, line: Line, standing: Following, on: date) -> Iterator[Transfer]:
    header = standing.header
    owed = payable(header.partner, line.unit)
    source, target, due = {
        PAID: (owed, chart.BANK, on),
        RETURNED: (chart.BANK, owed, on),
    }.get(kind, (owed, chart.member(line.account_id), header.through))
    for part, amount in sorted(standing.shares[line.line].items()):
        debit, credit = (source, target) if amount > 0 else (target, source)
        yield Transfer(
            0, 0, 0, 0, line.account_id, line.of_stream_id, line.of_purchase, line.contract,
            part.version, line.rule, part.funder, line.unit, debit, credit, abs(amount),
            line.activity_on, on, due,
        )  # fmt: skip
