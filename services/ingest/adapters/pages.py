"""The topic pages of `schemas/topics`, as far as Kafka needs to know them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from typing import Any

import yaml

from services.kernel.topics import FEED_PREFIX
from services.runtime.topics import TopicSpecification


def specifications(feed_topics: Iterable[str]) -> list[TopicSpecification]:
    """Every topic of milepost, and each feed's topic after the page of the raw feeds."""
    found: list[TopicSpecification] = []
    for file in sorted((resources.files("schemas") / "topics").iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".yaml"):
            continue
        page: dict[str, Any] = yaml.load(file.read_text("utf-8"), Loader=yaml.CBaseLoader)
        raw = page["topic"].startswith(FEED_PREFIX)
        for name in sorted(set(feed_topics)) if raw else [page["topic"]]:
            found.append(TopicSpecification(name, int(page["partitions"]), page["config"]))
    return found
