"""A file in memory, and what reading one found."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.kernel.errors import InvariantViolated, Problem
from services.settlement.batches.batch import Written

PROBLEMS_MAX = 100


@dataclass(frozen=True, slots=True)
class File:
    """One file of a batch, ready to be stored."""

    name: str
    layout: str
    content: bytes
    records: int
    totals: Mapping[str, int]

    @property
    def written(self) -> Written:
        """What the batch keeps of it."""
        digest = hashlib.sha256(self.content).hexdigest()
        return Written(
            self.name, self.layout, len(self.content), digest, self.records, dict(self.totals)
        )


@dataclass(frozen=True, slots=True)
class Checked:
    """What reading a file found. `totals` are minor units by unit, as in the manifest.

    `batch` is None where the layout does not say which it is.
    """

    layout: str
    records: int = 0
    totals: Mapping[str, int] = field(default_factory=dict)
    problems: Sequence[Problem] = ()
    sequence: int | None = None
    batch: str | None = None

    def demand_sound(self, name: str) -> None:
        """Raise InvariantViolated if what was just written does not read back clean."""
        if self.problems:
            raise InvariantViolated(f"{name} does not read back as written: {self.problems[0]}")


class Findings:
    """Problems of one file, in order, at most PROBLEMS_MAX of them spelled out."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: list[Problem] = []
        self._more = 0

    def add(
        self, why: str, *, line: int | None = None, field: str | None = None,
        value: str | None = None,
    ) -> None:  # fmt: skip
        """Note one. `line` counts records from 1."""
        if len(self._found) < PROBLEMS_MAX:
            self._found.append(Problem(why, file=self._file, line=line, field=field, value=value))
        else:
            self._more += 1

    def __bool__(self) -> bool:
        return bool(self._found)

    def all(self) -> tuple[Problem, ...]:
        """What was noted."""
        if self._more:
            more = Problem(f"and {self._more} more problems", file=self._file)
            return (*self._found, more)
        return tuple(self._found)
