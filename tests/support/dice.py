"""Choices from a string of bytes: one draw of Hypothesis decides a whole random history.

A thousand draws would cost more than what is tested. The bytes shrink towards zero, and zero is
always the first option, the smallest number, the order as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

Made = TypeVar("Made")
SIZE = 2_000


class Dice:
    """Reads choices from bytes; when they have run out, every choice is the first."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def pick(self, *options: Any) -> Any:
        """One of the options."""
        return options[self._byte() * len(options) // 256]

    def seldom(self, one_in: int) -> bool:
        """True once in so many times, at most once in 256."""
        return self._byte() >= 256 - 256 // one_in

    def upto(self, most: int) -> int:
        """A whole number from 0 to `most`."""
        number = 0
        for _ in range((most.bit_length() + 7) // 8):
            number = number * 256 + self._byte()
        return number % (most + 1)

    def shuffled(self, items: Sequence[Any]) -> list[Any]:
        """The items in some order."""
        left = list(items)
        return [left.pop(self.upto(len(left) - 1)) for _ in items]

    def _byte(self) -> int:
        self._at += 1
        return self._content[self._at - 1] if self._at <= len(self._content) else 0


def made_by(make: Callable[[Dice], Made], *, size: int = SIZE) -> st.SearchStrategy[Made]:
    """The strategy of what `make` makes of some bytes."""
    return st.binary(min_size=size, max_size=size).map(lambda content: make(Dice(content)))
