"""How long to wait before the next try: longer each time, never in step with others."""

from __future__ import annotations

import asyncio
import random


class Backoff:
    """Doubling waits with jitter, from `first` to `longest` seconds, until `reset`."""

    def __init__(self, *, first: float = 0.1, longest: float = 5.0) -> None:
        self._first = first
        self._longest = longest
        self.tries = 0

    def reset(self) -> None:
        """The next wait is short again."""
        self.tries = 0

    def seconds(self) -> float:
        """The next wait: between half and the whole of the doubled one."""
        whole = min(self._longest, self._first * 2.0 ** min(self.tries, 30))
        self.tries += 1
        return random.uniform(whole / 2, whole)

    async def wait(self, stop: asyncio.Event) -> bool:
        """Waits, or returns at once when `stop` is set; says whether to go on."""
        try:
            await asyncio.wait_for(stop.wait(), self.seconds())
        except TimeoutError:
            return True
        return False
