"""Topic pages, schemas and examples tell the same story as the code."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import fastavro
import pytest
import yaml

from services.ingest.adapters.pages import specifications
from services.ingest.feeds.encoding import encode
from services.ingest.feeds.feed import Feed
from services.ingest.feeds.rules import fault
from services.kernel import topics
from services.kernel.errors import Rejected
from services.kernel.transaction import CardTransaction, Role
from tests.support.feeds import parse_with

SCHEMAS = Path("schemas")
PAGES: dict[str, dict[str, Any]] = {
    file.stem: yaml.load(file.read_text("utf-8"), Loader=yaml.CBaseLoader)
    for file in sorted((SCHEMAS / "topics").glob("*.yaml"))
}
KEYS = ["topic", "description", "producers", "consumers", "key", "partitions", "headers", "config",
        "schema", "examples"]  # fmt: skip
OWN = {topics.CARD_TRANSACTIONS, topics.ACCRUALS, topics.SETTLEMENTS, topics.MEMBER_EVENTS,
       topics.DEAD_LETTERS}  # fmt: skip
EXAMPLES = [(page["topic"], path) for page in PAGES.values() for path in page["examples"]]


def test_every_topic_has_its_page() -> None:
    assert {page["topic"] for page in PAGES.values()} == {*OWN, f"{topics.FEED_PREFIX}<issuer>"}
    assert set(PAGES) == {*OWN, "card-feed"}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_tells_everything_there_is_to_tell(name: str) -> None:
    page = PAGES[name]
    assert list(page) == KEYS
    assert page["producers"] and page["consumers"] and page["key"] and page["description"]
    assert int(page["partitions"]) >= 1
    assert not page["schema"].startswith("avro/") or (SCHEMAS / page["schema"]).is_file()
    assert set(page["config"]) == {"cleanup.policy", "retention.ms", "max.message.bytes"}


def test_no_example_is_an_orphan() -> None:
    folders = [SCHEMAS / "topics/examples", SCHEMAS / "avro/examples"]
    files = {str(file.relative_to(SCHEMAS)) for folder in folders for file in folder.iterdir()}
    assert files == {path for _, path in EXAMPLES}


@pytest.mark.parametrize(("topic", "path"), EXAMPLES)
def test_an_example_is_what_its_page_says(topic: str, path: str) -> None:
    record = (SCHEMAS / path).read_bytes().rstrip(b"\n")
    if path.startswith("topics/"):
        _, format_, _ = Path(path).name.split(".")
        feed = Feed("first-bank", "first-bank", Role.BOOKS, "card-feed.first-bank", format_)
        outcomes = parse_with(feed)(record)
        assert outcomes and not any(isinstance(outcome, Rejected) for outcome in outcomes)
        return
    schema = PAGES[topic]["schema"]
    stream = io.BytesIO()
    fields = json.loads(record)
    fastavro.schemaless_writer(
        stream, json.loads((SCHEMAS / schema).read_text("utf-8")), fields, strict=True
    )
    if topic == topics.CARD_TRANSACTIONS:
        event = CardTransaction(**fields)
        assert fault(event, issuer=event.issuer_id) is None
        assert encode(event) == stream.getvalue()


def test_the_example_of_a_purchase_is_the_canonical_form_of_the_raw_one() -> None:
    raw = (SCHEMAS / "topics/examples/card-feed.milepost-json.json").read_bytes()
    feed = Feed("f", "first-bank", Role.BOOKS, "card-feed.first-bank", "milepost-json")
    (event,) = parse_with(feed)(raw)
    fields = json.loads((SCHEMAS / "avro/examples/card-transaction.purchase.json").read_bytes())
    assert isinstance(event, CardTransaction)
    assert encode(event) == encode(CardTransaction(**fields))


def test_each_feed_gets_a_topic_after_the_page_of_the_raw_feeds() -> None:
    found = {wanted.name: wanted for wanted in specifications(["card-feed.b", "card-feed.a"])}
    assert set(found) == {*OWN, "card-feed.a", "card-feed.b"}
    page = PAGES["card-feed"]
    assert found["card-feed.a"].partitions == int(page["partitions"])
    assert found["card-feed.a"].config == page["config"]
    assert found[topics.CARD_TRANSACTIONS].config["cleanup.policy"] == "delete"
