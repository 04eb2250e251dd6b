"""Two lists of rows laid beside each other in DuckDB: what only one of them has, and what differs.

One full outer join tells it all while no key stands in a list twice, and its counts tell whether
one does: the join pairs a row of a doubled key more than once. Only then are the doubled keys
looked for, and their rows paired by their values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import duckdb

from services.settlement.reconcile.difference import (
    Comparison,
    Difference,
    Kind,
    kind,
    unpaired,
)


def compare(
    connection: duckdb.DuckDBPyConnection,
    left: str,
    right: str,
    *,
    key: Sequence[str],
    values: Sequence[str],
    told: Sequence[str] = (),
) -> Comparison:
    """Compare two relations, given as SQL (a table's name, `read_parquet('a')`), by their key.

    `values` are the columns that must be equal; a null equals a null. `told` are shown with a
    difference and not compared. No column of a key may be null. Relations and columns are names
    that the caller chose, never input.
    """
    left_rows, right_rows = _count(connection, left), _count(connection, right)
    shown = (*values, *told)
    row = connection.execute(_joined(left, right, key, values, shown)).fetchall()[0]
    pairs, joined = row[0], [tuple(one.values()) for one in row[1] or ()]
    found = [_single(one, keys=len(key), columns=len(shown)) for one in joined]
    only = Counter(one.kind for one in found)
    whole = (
        left_rows == pairs + only[Kind.ONLY_LEFT]
        and right_rows == pairs + only[Kind.ONLY_RIGHT]
        and len({one.key for one in found}) == len(found)
    )
    if not whole:
        doubled = connection.execute(_doubled(left, right, key, shown)).fetchall()
        again = [_several(one, keys=len(key), values=len(values)) for one in doubled]
        keys = {tuple(one[2:]) for one in doubled}
        found = [one for one in found if one.key not in keys] + [one for one in again if one]
    return Comparison(left_rows, right_rows, tuple(sorted(found, key=lambda one: one.key)))


def _joined(
    left: str, right: str, key: Sequence[str], values: Sequence[str], shown: Sequence[str]
) -> str:
    """How many pairs the join makes, and the rows that do not agree."""
    on = " AND ".join(f"l.{name} = r.{name}" for name in key)
    differs = "".join(f" OR l.{name} IS DISTINCT FROM r.{name}" for name in values)
    columns = ", ".join(
        [f"k_{name} := coalesce(l.{name}, r.{name})" for name in key]
        + [f"{side}_{name} := {side}.{name}" for side in "lr" for name in shown]
    )
    return (
        "SELECT count(*) FILTER (l.there = 1 AND r.there = 1), list(struct_pack("
        f"in_left := coalesce(l.there, 0), in_right := coalesce(r.there, 0), {columns})) "
        f"FILTER (l.there IS NULL OR r.there IS NULL{differs}) "
        f"FROM (SELECT *, 1 AS there FROM {left}) AS l "
        f"FULL JOIN (SELECT *, 1 AS there FROM {right}) AS r ON {on}"
    )


def _doubled(left: str, right: str, key: Sequence[str], shown: Sequence[str]) -> str:
    """The rows of each side for every key that one of the sides has more than once.

    Keys are counted by their hash, which is much faster than by the key; a clash only brings rows
    that are then found to agree, or not, as they would have been without it.
    """
    keys = ", ".join(key)
    counted = " UNION ".join(
        f"SELECT hash({keys}) AS mark FROM {side} GROUP BY mark HAVING count(*) > 1"
        for side in (left, right)
    )
    packed = ", ".join(f"v_{name} := {name}" for name in shown)
    sides = " UNION ALL ".join(
        f"SELECT {keys}, {nth} AS side, struct_pack({packed}) AS found "
        f"FROM {side} WHERE hash({keys}) IN (SELECT mark FROM doubled)"
        for nth, side in enumerate((left, right))
    )
    return (
        f"WITH doubled AS MATERIALIZED ({counted}) "
        "SELECT list(found) FILTER (side = 0), list(found) FILTER (side = 1), "
        f"{keys} FROM ({sides}) GROUP BY {keys}"
    )


def _single(row: Sequence[Any], *, keys: int, columns: int) -> Difference:
    """A key that each list has at most once."""
    (in_left, in_right), key, rest = row[:2], tuple(row[2 : 2 + keys]), tuple(row[2 + keys :])
    return Difference(
        kind(in_left, in_right),
        key,
        (rest[:columns],) if in_left else (),
        (rest[columns:],) if in_right else (),
        in_left,
        in_right,
    )


def _several(row: Sequence[Any], *, keys: int, values: int) -> Difference | None:
    left, right = ([tuple(one.values()) for one in side or ()] for side in row[:2])
    return unpaired(tuple(row[2 : 2 + keys]), left, right, values=values)


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {relation}").fetchone()
    return 0 if row is None else int(row[0])
