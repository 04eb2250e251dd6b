"""SQL files are rows of named, described blocks, and nothing else passes."""

from __future__ import annotations

import pytest

from services.runtime.named_queries import load_queries, parse_queries

TWO = """
-- name: first
-- Finds it.
SELECT 1;

-- name: second
-- Finds
-- the other one.
SELECT 2
  FROM t; -- a remark
"""


def test_queries_are_found_by_name_in_both_ways() -> None:
    queries = parse_queries(TWO, source="t.sql")
    assert list(queries) == ["first", "second"]
    assert queries.first == queries["first"] == "-- Finds it.\nSELECT 1"
    assert queries.second.endswith("SELECT 2\n  FROM t; -- a remark")


def test_an_unknown_name_says_which_there_are() -> None:
    queries = parse_queries(TWO, source="t.sql")
    with pytest.raises(KeyError, match=r"t\.sql has no query 'third'; it has first, second"):
        queries["third"]
    with pytest.raises(AttributeError, match="no query 'third'"):
        _ = queries.third


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("-- name: a\n-- x\nSELECT 1;\n-- name: a\n-- x\nSELECT 2;", "two queries named a"),
        ("-- name: a\nSELECT 1;", "no comment"),
        ("-- name: a\n-- only words\n", "no SQL"),
        ("-- name: Not-a-name\n-- x\nSELECT 1;", "not a name"),
        ("SELECT 0;\n-- name: a\n-- x\nSELECT 1;", "before the first"),
        ("-- nothing here\n", "no `-- name:` header"),
        ("", "no `-- name:` header"),
    ],
)
def test_a_file_that_is_not_made_of_named_blocks_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_queries(text, source="t.sql")


def test_queries_come_out_of_the_package() -> None:
    queries = load_queries("services.runtime", "stream_position.sql")
    assert "epoch + 1" in queries.claim
