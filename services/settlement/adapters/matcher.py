"""Two lists of rows laid beside each other in DuckDB: what only one of them has, and what differs.

One full outer join tells it all while no key stands in a list twice, and its counts tell whether
one does: the join pairs a row of a doubled key more than once. Only then are the keys grouped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import duckdb


class Kind(StrEnum):
    """How two lists disagree about a key; a list that has it more than once is told first."""

    DOUBLED_LEFT = "doubled_left"
    DOUBLED_RIGHT = "doubled_right"
    ONLY_LEFT = "only_left"
    ONLY_RIGHT = "only_right"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Difference:
    """One key that the lists do not agree about. `left` and `right` hold the compared values, None
    where the list does not have the key; `times` says how often a list has a doubled one.
    """

    kind: Kind
    key: tuple[Any, ...]
    left: tuple[Any, ...] | None
    right: tuple[Any, ...] | None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many rows each list has, and every difference, in the order of the keys."""

    left_rows: int
    right_rows: int
    differences: tuple[Difference, ...]


def compare(
    connection: duckdb.DuckDBPyConnection,
    left: str,
    right: str,
    *,
    key: Sequence[str],
    values: Sequence[str],
) -> Comparison:
    """Compare two relations, given as SQL (a table's name, `read_parquet('a')`), by their key.

    `values` are the columns that must be equal; a null equals a null. Relations and columns are
    names that the caller chose, never input.
    """
    left_rows, right_rows = _count(connection, left), _count(connection, right)
    pairs, joined = connection.execute(_joined(left, right, key, values)).fetchall()[0]
    found = [_difference(tuple(row.values()), len(key), len(values)) for row in joined or ()]
    only = Counter(one.kind for one in found)
    whole = (
        left_rows == pairs + only[Kind.ONLY_LEFT]
        and right_rows == pairs + only[Kind.ONLY_RIGHT]
        and len({one.key for one in found}) == len(found)
    )
    if not whole:
        rows = connection.execute(_grouped(left, right, key, values)).fetchall()
        found = [_difference(row, len(key), len(values)) for row in rows]
    return Comparison(left_rows, right_rows, tuple(sorted(found, key=lambda one: one.key)))


def _joined(left: str, right: str, key: Sequence[str], values: Sequence[str]) -> str:
    """How many pairs the join makes, and the rows that do not agree, as `_grouped` gives them."""
    on = " AND ".join(f"l.{name} = r.{name}" for name in key)
    differs = "".join(f" OR l.{name} IS DISTINCT FROM r.{name}" for name in values)
    columns = ", ".join(
        [f"k_{name} := coalesce(l.{name}, r.{name})" for name in key]
        + [f"{side}_{name} := {side}.{name}" for side in "lr" for name in values]
    )
    return (
        "SELECT count(*) FILTER (l.there = 1 AND r.there = 1), list(struct_pack("
        f"in_left := coalesce(l.there, 0), in_right := coalesce(r.there, 0), {columns})) "
        f"FILTER (l.there IS NULL OR r.there IS NULL{differs}) "
        f"FROM (SELECT *, 1 AS there FROM {left}) AS l "
        f"FULL JOIN (SELECT *, 1 AS there FROM {right}) AS r ON {on}"
    )


def _grouped(left: str, right: str, key: Sequence[str], values: Sequence[str]) -> str:
    """One row for each key on which the lists do not agree."""
    keys = ", ".join(key)
    sides = " UNION ALL ".join(
        f"SELECT {keys}, {here} AS l, {1 - here} AS r"
        + "".join(
            f", {name if here else 'NULL'} AS l_{name}, {'NULL' if here else name} AS r_{name}"
            for name in values
        )
        + f" FROM {relation}"
        for relation, here in ((left, 1), (right, 0))
    )
    told = "".join(f", any_value({side}_{name})" for side in "lr" for name in values)
    differs = "".join(
        f" OR any_value(l_{name}) IS DISTINCT FROM any_value(r_{name})" for name in values
    )
    return (
        f"SELECT sum(l)::BIGINT, sum(r)::BIGINT, {keys}{told} FROM ({sides}) "
        f"GROUP BY {keys} HAVING sum(l) <> 1 OR sum(r) <> 1{differs}"
    )


def _difference(row: Sequence[Any], keys: int, values: int) -> Difference:
    (in_left, in_right), key, rest = row[:2], tuple(row[2 : 2 + keys]), row[2 + keys :]
    return Difference(
        _kind(in_left, in_right),
        key,
        tuple(rest[:values]) if in_left else None,
        tuple(rest[values:]) if in_right else None,
        max(in_left, in_right),
    )


def _kind(in_left: int, in_right: int) -> Kind:
    if in_left > 1:
        return Kind.DOUBLED_LEFT
    if in_right > 1:
        return Kind.DOUBLED_RIGHT
    if not in_right:
        return Kind.ONLY_LEFT
    return Kind.DIFFERS if in_left else Kind.ONLY_RIGHT


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {relation}").fetchone()
    return 0 if row is None else int(row[0])
