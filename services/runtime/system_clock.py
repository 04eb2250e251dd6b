"""The real clock. The only place that reads it; no decision does."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime


class SystemClock:
    """The Clock port, for logs, metrics and the recorded date of a command."""

    def now_micros(self) -> int:
        """Microseconds since the epoch, UTC."""
        return time.time_ns() // 1000

    def today(self) -> date:
        """The calendar date in UTC."""
        return datetime.now(UTC).date()

    def monotonic_seconds(self) -> float:
        """A clock that never jumps, for durations only."""
        return time.monotonic()
