"""What was checked, which faults were found, and in how many places each event stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.kernel.finding import Finding

FAULTS_MAX = 10
"""Faults that a finding names; the first ones are enough to go and look."""


@dataclass(slots=True)
class Tally:
    """Counts what was checked of each invariant, and keeps the first faults."""

    checked: dict[str, int] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)

    def add(self, identifier: str, checked: int, faults: Sequence[str] = ()) -> None:
        """Some more was checked."""
        self.checked[identifier] = self.checked.get(identifier, 0) + checked
        for fault in faults:
            self.fault(identifier, fault)

    def fault(self, identifier: str, fault: str) -> None:
        """Something does not hold."""
        found = self.faults.setdefault(identifier, [])
        if len(found) < FAULTS_MAX:
            found.append(fault)

    def findings(self) -> list[Finding]:
        """Every invariant, in the order of their names."""
        return [
            Finding(
                identifier, identifier not in self.faults, checked,
                "; ".join(self.faults.get(identifier, ())),
            )
            for identifier, checked in sorted(self.checked.items())
        ]  # fmt: skip


class Marks:
    """In how many places each event stands: purchases and what waits. One byte an event."""

    def __init__(self, ends: Mapping[int, int]) -> None:
        self._marks = {stream_id: bytearray(end + 1) for stream_id, end in ends.items()}

    def mark(self, stream_id: int, seq: int) -> bool:
        """Count one place; False when the stream has no such event."""
        marks = self._marks.get(stream_id)
        if marks is None or not 1 <= seq < len(marks):
            return False
        marks[seq] = min(255, marks[seq] + 1)
        return True

    def places(self, stream_id: int, seq: int) -> int:
        """In how many places the event stands."""
        marks = self._marks.get(stream_id)
        return marks[seq] if marks is not None and seq < len(marks) else 0
