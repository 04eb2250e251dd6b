"""The feeds file: every problem at once, each with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from services.ingest.feeds.catalog import parse_feeds
from services.ingest.feeds.feed import ID_FIELDS, Feed
from services.ingest.feeds.formats import FORMATS
from services.kernel.errors import InvalidInput
from services.kernel.transaction import EXACT_KEYS, Role

FOLDER = Path("schemas/feeds")
EXAMPLE = (FOLDER / "examples/feeds.yaml").read_text("utf-8")
SCHEMA = json.loads((FOLDER / "feeds.schema.json").read_text("utf-8"))
GOOD = """\
feeds:
  - name: first-bank
    issuer: first-bank
    role: books
    topic: card-feed.first-bank
    format: milepost-json
    numeric_ids: [scheme_reference, arn]
    exact_keys: []
"""


def problems(text: str) -> list[tuple[int | None, str | None]]:
    with pytest.raises(InvalidInput) as caught:
        parse_feeds(text, file="feeds.yaml")
    assert all(problem.file == "feeds.yaml" for problem in caught.value.problems)
    return [(problem.line, problem.field) for problem in caught.value.problems]


def test_a_feed_is_read_as_it_is_written() -> None:
    numeric = frozenset({"scheme_reference", "arn"})
    expected = Feed("first-bank", "first-bank", Role.BOOKS, "card-feed.first-bank",
                    "milepost-json", numeric, frozenset())  # fmt: skip
    assert parse_feeds(GOOD, file="f") == (expected,)


def test_the_lists_may_be_left_out() -> None:
    (feed,) = parse_feeds("\n".join(GOOD.splitlines()[:-2]), file="f")
    assert feed.numeric_ids == feed.exact_keys == frozenset()


def test_the_example_names_every_format_and_role() -> None:
    feeds = parse_feeds(EXAMPLE, file="f")
    assert {feed.format for feed in feeds} == set(FORMATS)
    assert {feed.role for feed in feeds} == {Role.BOOKS, Role.COMPARE}


def test_every_problem_is_reported_with_its_line() -> None:
    text = """\
feeds:
  - name: first bank
    issuer: first-bank
    role: book
    topic: dead-letters
    format: milepost-xml
    numeric_ids: [merchant_id, arn, arn]
    exact_keys: scheme_reference
    color: blue
  - name: b
    name: b
    issuer: [b]
  - just text
extra: 1
"""
    assert problems(text) == [
        (2, "name"), (4, "role"), (5, "topic"), (6, "format"), (7, "numeric_ids"),
        (7, "numeric_ids"), (8, "exact_keys"), (9, "color"),
        (10, "role"), (10, "topic"), (10, "format"), (11, "name"), (12, "issuer"),
        (13, None), (14, "extra"),
    ]  # fmt: skip


def test_two_feeds_with_one_name_or_one_topic_are_refused() -> None:
    again = GOOD + "\n".join(GOOD.splitlines()[1:])
    assert problems(again) == [(9, "name"), (9, "topic")]


@pytest.mark.parametrize(
    "text", ["", "feeds:", "feeds: []", "feeds: {}", "[]", "text", "fed: []", "feeds: [\n",
             "a: b: c", "\tfeeds: []", "feeds: \x00", "feeds:\n  - ? [a]\n    : b"]
)  # fmt: skip
def test_a_file_without_feeds_is_refused(text: str) -> None:
    assert problems(text)


def test_a_topic_name_that_kafka_would_refuse_is_refused() -> None:
    for topic in ("card/feed", "..", "a" * 250, '""'):
        assert problems(GOOD.replace("card-feed.first-bank", topic)) == [(5, "topic")]


def test_values_stay_text() -> None:
    (feed,) = parse_feeds(GOOD.replace("issuer: first-bank", "issuer: 0742"), file="f")
    assert feed.issuer == "0742"


@pytest.mark.parametrize("text", [GOOD, EXAMPLE])
def test_the_schema_for_editors_accepts_what_is_accepted(text: str) -> None:
    jsonschema.validate(yaml.load(text, Loader=yaml.CBaseLoader), SCHEMA)


@pytest.mark.parametrize(
    ("old", "new"),
    [("role: books", "role: book"), ("name: first-bank", "name: first bank"),
     ("milepost-json", "milepost-xml"), ("scheme_reference, arn", "merchant_id"),
     ("card-feed.first-bank", "dead-letters"), ("exact_keys: []", "color: blue")],
)  # fmt: skip
def test_the_schema_for_editors_refuses_what_is_refused(old: str, new: str) -> None:
    text = GOOD.replace(old, new)
    assert problems(text)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.load(text, Loader=yaml.CBaseLoader), SCHEMA)


def test_the_schema_for_editors_lists_what_the_code_knows() -> None:
    entry: dict[str, Any] = SCHEMA["properties"]["feeds"]["items"]["properties"]
    assert entry["format"]["enum"] == list(FORMATS)
    assert entry["role"]["enum"] == ["books", "compare"]
    assert entry["numeric_ids"]["items"]["enum"] == list(ID_FIELDS)
    assert entry["exact_keys"]["items"]["enum"] == list(EXACT_KEYS)


def test_a_feed_says_which_of_its_keys_are_exact() -> None:
    text = GOOD.replace("exact_keys: []", "exact_keys: [arn, scheme_reference]")
    feed = parse_feeds(text, file="feeds.yaml")[0]
    assert feed.exact_keys == {"arn", "scheme_reference"}
