"""What a bench has measured, and what follows from it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from services.local.probe import percentile

PERCENTS = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Drain:
    """One part of the backlog, drained, and its rows copied bare right after. CPU in seconds."""

    transactions: int
    seconds: float
    cpu: Mapping[str, float]
    """By process, of those that run on this machine."""
    floor_cpu: float | None
    elsewhere: float = 0.0
    """CPU seconds that programs that are not ours took meanwhile."""

    @property
    def ratio(self) -> float | None:
        """The whole way's CPU time over that of the bare copy."""
        return sum(self.cpu.values()) / self.floor_cpu if self.floor_cpu else None


@dataclass(frozen=True, slots=True)
class Paced:
    """Latencies from produce to commit at a steady rate, in milliseconds, in order."""

    rate: int
    latencies_ms: list[int]

    def at(self, percent: int) -> int:
        """A percentile."""
        return percentile(self.latencies_ms, percent)


@dataclass(frozen=True, slots=True)
class Figures:
    """All of it."""

    drains: tuple[Drain, ...]
    paced: Paced
    outcomes: Mapping[str, int]
    invariants: int

    @property
    def transactions(self) -> int:
        """How many were drained."""
        return sum(drain.transactions for drain in self.drains)

    @property
    def seconds(self) -> float:
        """How long that took, from the first byte read to the last transfer published."""
        return sum(drain.seconds for drain in self.drains)

    @property
    def per_second(self) -> int:
        """Transactions a second."""
        return round(self.transactions / self.seconds)

    @property
    def cpu_us(self) -> dict[str, float]:
        """CPU microseconds for each transaction, by process."""
        return {
            name: sum(drain.cpu[name] for drain in self.drains) / self.transactions * 1e6
            for name in self.drains[0].cpu
        }

    @property
    def elsewhere_percent(self) -> int:
        """How much of this machine's time others took while the backlog was drained."""
        there_was = self.seconds * (os.cpu_count() or 1)
        return max(0, round(100 * sum(drain.elsewhere for drain in self.drains) / there_was))

    @property
    def floor_us(self) -> float | None:
        """CPU microseconds of the bare copy for each transaction; the median drain's."""
        found = [d.floor_cpu / d.transactions * 1e6 for d in self.drains if d.floor_cpu]
        return median(found) if found else None

    @property
    def floor_ratio(self) -> float | None:
        """The median over the drains, None when the server is on another machine."""
        found = [drain.ratio for drain in self.drains if drain.ratio is not None]
        return median(found) if found else None

    @property
    def posted_percent(self) -> int:
        """How many of a hundred events moved something."""
        return 100 * self.outcomes.get("POSTED", 0) // sum(self.outcomes.values())

    def document(self) -> dict[str, Any]:
        """The form that programs read."""
        ratio = self.floor_ratio
        return {
            "transactions": self.transactions,
            "seconds": round(self.seconds, 3),
            "transactions_per_second": self.per_second,
            "cpu_us_per_transaction": {k: round(v, 1) for k, v in self.cpu_us.items()},
            "paced": {
                "rate": self.paced.rate,
                **{f"p{percent}_ms": self.paced.at(percent) for percent in PERCENTS},
            },
            "floor_ratio": None if ratio is None else round(ratio, 2),
        }
