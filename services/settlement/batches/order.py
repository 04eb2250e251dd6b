"""The command to seal, and what it came to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.accrual.ledger.transfer import Transfer
from services.settlement.batches.draft import Entry
from services.settlement.batches.line import Line, batch_id
from services.settlement.batches.number import Numbered
from services.settlement.batches.posting import LINES_IN_EVENT_MAX, events, post


@dataclass(frozen=True, slots=True)
class Order:
    """Seal what is due to a partner through a day. `on` is the recorded date of the command."""

    partner: str
    through: date
    by: str
    on: date


@dataclass(frozen=True, slots=True)
class Seal:
    """A batch about to be stored. `seq` is that of the first of its events; `revision` is 0, or how
    many withdrawn batches of the same day it restates.
    """

    order: Order
    sequence: int
    revision: int
    stream_id: int
    seq: int
    vector: Mapping[str, int]
    facts: int
    events: tuple[tuple[Numbered, ...], ...]
    held: tuple[Entry, ...]
    carried: tuple[Entry, ...]

    @property
    def batch(self) -> str:
        """The batch's id."""
        return batch_id(self.order.partner, self.sequence)

    @property
    def lines(self) -> list[Line]:
        """Every line, those of nothing included."""
        return [line for event in self.events for found in event for line in found.lines]

    @property
    def members(self) -> list[tuple[int, int, int, int]]:
        """(stream, seq, leg, line) of every transfer sealed; pieces hang on the first line."""
        return [
            (*member, found.lines[0].line)
            for event in self.events
            for found in event
            for member in found.sum.members
        ]

    @property
    def totals(self) -> dict[str, int]:
        """Unit → signed sum of the lines."""
        sums: dict[str, int] = {}
        for line in self.lines:
            sums[line.unit] = sums.get(line.unit, 0) + line.amount
        return dict(sorted(sums.items()))

    def transfers(self) -> list[Transfer]:
        """What sealing posts, event by event."""
        return [
            transfer
            for nth, event in enumerate(self.events)
            for transfer in post(
                event, stream_id=self.stream_id, seq=self.seq + nth,
                partner=self.order.partner, through=self.order.through,
            )
        ]  # fmt: skip

    def bodies(self) -> list[bytes]:
        """What each event records: the first the command's inputs, the others that they go on."""
        first = {
            "command": COMMAND,
            "batch": self.batch,
            "partner": self.order.partner,
            "through": self.order.through.isoformat(),
            "by": self.order.by,
            "on": self.order.on.isoformat(),
            "vector": dict(self.vector),
            "facts": self.facts,
            "events": len(self.events),
        }
        rest = {"command": COMMAND, "batch": self.batch, "continues": self.seq}
        return [_encode(first), *[_encode(rest)] * (len(self.events) - 1)]


COMMAND = "seal"


def cut(numbered: list[Numbered]) -> tuple[tuple[Numbered, ...], ...]:
    """The events of a batch."""
    return tuple(tuple(event) for event in events(numbered, lines_max=LINES_IN_EVENT_MAX))


def _encode(inputs: Mapping[str, Any]) -> bytes:
    return json.dumps(inputs, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Command:
    """The recorded inputs of a seal."""

    order: Order
    vector: Mapping[str, int]
    facts: int


def read_command(body: bytes) -> Command | None:
    """The inputs from an event's body; None for an event that only goes on with a batch."""
    inputs = json.loads(body)
    if inputs.get("command") != COMMAND or "continues" in inputs:
        return None
    order = Order(
        partner=inputs["partner"],
        through=date.fromisoformat(inputs["through"]),
        by=inputs["by"],
        on=date.fromisoformat(inputs["on"]),
    )
    return Command(order, inputs["vector"], inputs["facts"])
