"""How two lists of rows disagree about a key."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Row = tuple[Any, ...]
"""The compared values of a row, and after them what is only told."""


class Kind(StrEnum):
    """Which list has a key more often, or that both have it as often with other values."""

    DOUBLED_LEFT = "doubled_left"
    DOUBLED_RIGHT = "doubled_right"
    ONLY_LEFT = "only_left"
    ONLY_RIGHT = "only_right"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Difference:
    """One key that the lists do not agree about.

    `left` and `right` are the rows that find no equal in the other list, in the order of their
    values; `left_times` and `right_times` say how often each list has the key at all.
    """

    kind: Kind
    key: tuple[Any, ...]
    left: tuple[Row, ...]
    right: tuple[Row, ...]
    left_times: int
    right_times: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many rows each list has, and every difference, in the order of the keys."""

    left_rows: int
    right_rows: int
    differences: tuple[Difference, ...]


def unpaired(
    key: tuple[Any, ...], left: list[Row], right: list[Row], *, values: int
) -> Difference | None:
    """What is left of a key's rows once those with equal values are paired; None if nothing is.

    The first `values` of a row are compared, the rest is told along.
    """
    rest_left, rest_right = _ordered(left), []
    for row in _ordered(right):
        for at, one in enumerate(rest_left):
            if one[:values] == row[:values]:
                del rest_left[at]
                break
        else:
            rest_right.append(row)
    if not rest_left and not rest_right:
        return None
    return Difference(
        kind(len(left), len(right)), key, tuple(rest_left), tuple(rest_right), len(left), len(right)
    )


def kind(left_times: int, right_times: int) -> Kind:
    """What a key is called that stands so often in each list."""
    if left_times == right_times:
        return Kind.DIFFERS
    if max(left_times, right_times) == 1:
        return Kind.ONLY_LEFT if left_times else Kind.ONLY_RIGHT
    return Kind.DOUBLED_LEFT if left_times > right_times else Kind.DOUBLED_RIGHT


def _ordered(rows: list[Row]) -> list[Row]:
    """Most keys have one row or none: a month has thousands that stand twice on one side."""
    return sorted(rows, key=_order) if len(rows) > 1 else list(rows)


def _order(row: Row) -> list[tuple[bool, str]]:
    return [(value is not None, str(value)) for value in row]
