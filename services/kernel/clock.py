"""The clock as a port. Only `runtime.system_clock` reads a real one; no decision ever does."""

from __future__ import annotations

from datetime import date
from typing import Protocol


class Clock(Protocol):
    """What time it is, for logs, metrics and the recorded date of a command."""

    def now_micros(self) -> int:
        """Microseconds since the epoch, UTC."""

    def today(self) -> date:
        """The calendar date in UTC."""
