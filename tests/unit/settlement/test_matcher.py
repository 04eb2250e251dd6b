"""Two lists laid beside each other: nothing is missed, whatever is wrong with either."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.settlement.adapters.matcher import compare
from services.settlement.reconcile.difference import Comparison, Kind

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


def test_a_key_that_both_have_as_often_with_the_same_values_agrees(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    left = [*ROWS, ("a", 1, 7)]
    assert beside(connection, left, left[::-1]) == Comparison(4, 4, ())


def test_each_kind_of_disagreement_is_named(connection: duckdb.DuckDBPyConnection) -> None:
    left = [*ROWS, ("c", 1, 5), ("d", 1, 6), ("d", 1, 6), ("e", 1, 8), ("h", 1, 1), ("h", 1, 2)]
    right = [*ROWS, ("e", 1, 9), ("f", 1, 1), ("g", 1, 2), ("g", 1, 2), ("h", 1, 2), ("h", 1, 4)]
    found = beside(connection, left, right)
    assert (found.left_rows, found.right_rows) == (9, 9)
    assert [
        (one.kind, *one.key, one.left, one.right, one.left_times, one.right_times)
        for one in found.differences
    ] == [
        (Kind.ONLY_LEFT, "c", 1, ((5,),), (), 1, 0),
        (Kind.DOUBLED_LEFT, "d", 1, ((6,), (6,)), (), 2, 0),
        (Kind.DIFFERS, "e", 1, ((8,),), ((9,),), 1, 1),
        (Kind.ONLY_RIGHT, "f", 1, (), ((1,),), 0, 1),
        (Kind.DOUBLED_RIGHT, "g", 1, (), ((2,), (2,)), 0, 2),
        (Kind.DIFFERS, "h", 1, ((1,),), ((4,),), 2, 2),
    ]


rows = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.integers(-1, 1)), max_size=8
)


@settings(deadline=None, max_examples=60)
@given(left=rows, right=rows)
def test_the_lists_agree_on_every_key_that_is_not_told(
    connection: duckdb.DuckDBPyConnection, left: list[Row], right: list[Row]
) -> None:
    told = {one.key: one for one in beside(connection, left, right).differences}
    for key in {row[:2] for row in left + right}:
        sides = [Counter(row[2] for row in side if row[:2] == key) for side in (left, right)]
        assert (key in told) == (sides[0] != sides[1])
        if key in told:
            found = told[key]
            assert [(row,) for row in sorted((sides[0] - sides[1]).elements())] == sorted(
                found.left
            )
            assert sum(row[0] for row in found.right) == sum((sides[1] - sides[0]).elements())
            assert (found.left_times, found.right_times) == tuple(map(sum, map(dict.values, sides)))
