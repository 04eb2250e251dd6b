"""Two lists laid beside each other: nothing is missed, whatever is wrong with either."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement.adapters.matcher import Comparison, Kind, compare

Row = tuple[str, int, int]


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def beside(
    connection: duckdb.DuckDBPyConnection, left: Sequence[Row], right: Sequence[Row]
) -> Comparison:
    for name, rows in (("one", left), ("other", right)):
        connection.execute(f"CREATE OR REPLACE TABLE {name} (id text, line int, amount bigint)")
        if rows:
            connection.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", rows)
    return compare(connection, "one", "other", key=("id", "line"), values=("amount",))


ROWS: list[Row] = [("a", 1, 100), ("a", 2, 50), ("b", 1, -7)]


def test_equal_lists_in_any_order_agree(connection: duckdb.DuckDBPyConnection) -> None:
    assert beside(connection, ROWS, ROWS[::-1]) == Comparison(3, 3, ())


def test_each_kind_of_disagreement_is_named(connection: duckdb.DuckDBPyConnection) -> None:
    left = [*ROWS, ("c", 1, 5), ("d", 1, 6), ("d", 1, 6), ("e", 1, 8)]
    right = [*ROWS, ("e", 1, 9), ("f", 1, 1), ("g", 1, 2), ("g", 1, 2)]
    found = beside(connection, left, right)
    assert (found.left_rows, found.right_rows) == (7, 7)
    assert [(one.kind, one.key, one.left, one.right, one.times) for one in found.differences] == [
        (Kind.ONLY_LEFT, ("c", 1), (5,), None, 1),
        (Kind.DOUBLED_LEFT, ("d", 1), (6,), None, 2),
        (Kind.DIFFERS, ("e", 1), (8,), (9,), 1),
        (Kind.ONLY_RIGHT, ("f", 1), None, (1,), 1),
        (Kind.DOUBLED_RIGHT, ("g", 1), None, (2,), 2),
    ]


rows = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.integers(-1, 1)), max_size=8
)


@given(left=rows, right=rows)
def test_the_lists_agree_on_every_key_that_is_not_told(left: list[Row], right: list[Row]) -> None:
    with duckdb.connect() as connection:
        told = {one.key for one in beside(connection, left, right).differences}
    sides = [Counter(row[:2] for row in side) for side in (left, right)]
    once = {key for key in sides[0] if sides[0][key] == sides[1][key] == 1}
    amounts = [{row[:2]: row[2] for row in side} for side in (left, right)]
    agree = {key for key in once if amounts[0][key] == amounts[1][key]}
    assert told == (set(sides[0]) | set(sides[1])) - agree
