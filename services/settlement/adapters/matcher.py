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
    Row,
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
    # A doubled row is paired too often with the other side's rows, or stands alone more than once.
    sides = [
        side
        for side, other_rows, other, own in (
            (left, right_rows, Kind.ONLY_RIGHT, Kind.ONLY_LEFT),
            (right, left_rows, Kind.ONLY_LEFT, Kind.ONLY_RIGHT),
        )
        if other_rows != pairs + only[other]
        or len({one.key for one in found if one.kind is own}) < only[own]
    ]
    if sides:
        query = _doubled(left, right, sides, key, shown)
        doubled = _by_key(connection.execute(query).fetchall(), keys=len(key))
        again = [unpaired(one, *rows, values=len(values)) for one, rows in doubled.items()]
        found = [one for one in found if one.key not in doubled] + [one for one in again if one]
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


def _doubled(
    left: str, right: str, where: Sequence[str], key: Sequence[str], shown: Sequence[str]
) -> str:
    """The rows of each side for every key that one of the sides `where` has more than once.

    Keys are counted by their hash, which is much faster than by the key; a clash only brings rows
    that are then found to agree, or not, as they would have been without it.
    """
    keys = ", ".join(key)
    counted = " UNION ".join(
        f"SELECT hash({keys}) AS mark FROM {side} GROUP BY mark HAVING count(*) > 1"
        for side in where
    )
    found = " UNION ALL ".join(
        f"SELECT {nth}, {', '.join([*key, *shown])} "
        f"FROM {side} WHERE hash({keys}) IN (SELECT mark FROM doubled)"
        for nth, side in enumerate((left, right))
    )
    return f"WITH doubled AS MATERIALIZED ({counted}) {found}"


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


def _by_key(
    rows: Sequence[Row], *, keys: int
) -> dict[tuple[Any, ...], tuple[list[Row], list[Row]]]:
    """Key → its rows on the left and on the right, without the key."""
    found: dict[tuple[Any, ...], tuple[list[Row], list[Row]]] = {}
    for row in rows:
        sides = found.setdefault(row[1 : keys + 1], ([], []))
        sides[row[0]].append(row[keys + 1 :])
    return found


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {relation}").fetchone()
    return 0 if row is None else int(row[0])
