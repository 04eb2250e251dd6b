"""Reads the feeds file; every problem of it is reported, each with its line."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

import yaml

from services.ingest.feeds.feed import ID_FIELDS, Feed
from services.ingest.feeds.formats import FORMATS
from services.ingest.feeds.strictjson import shown
from services.kernel import topics
from services.kernel.errors import InvalidInput, Problem
from services.kernel.transaction import EXACT_KEYS, Role

_REQUIRED = ("name", "issuer", "role", "topic", "format")
_LISTS = {"numeric_ids": ID_FIELDS, "exact_keys": EXACT_KEYS}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_CHOICES: dict[str, Collection[str]] = {
    "role": [Role.BOOKS.value, Role.COMPARE.value],
    "format": list(FORMATS),
}
_OWN_TOPICS = (topics.CARD_TRANSACTIONS, topics.ACCRUALS, topics.SETTLEMENTS,
               topics.MEMBER_EVENTS, topics.DEAD_LETTERS)  # fmt: skip


def parse_feeds(text: str, *, file: str) -> tuple[Feed, ...]:
    """The feeds of a file in its order. `file` names it in problems.

    Raises InvalidInput with every problem: keys that are unknown, missing or there twice, values
    that are not allowed, and two feeds with one name or one topic.
    """
    reading = _Reading(file)
    feeds = reading.feeds(text)
    if reading.problems:
        raise InvalidInput(sorted(reading.problems, key=lambda problem: problem.line or 0))
    return feeds


@dataclass(slots=True)
class _Reading:
    file: str
    problems: list[Problem] = field(default_factory=list)

    def feeds(self, text: str) -> tuple[Feed, ...]:
        try:
            document = yaml.compose(text, Loader=yaml.CBaseLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            line = None if mark is None else mark.line + 1
            self.problems.append(Problem(f"is not YAML: {error.problem}", self.file, line))
            return ()
        except yaml.YAMLError as error:
            self.problems.append(Problem(f"is not YAML: {error}", self.file))
            return ()
        entries = self._entries(document)
        feeds = [(feed, node) for node in entries if (feed := self._feed(node)) is not None]
        self._unique(feeds)
        return tuple(feed for feed, _ in feeds)

    def _entries(self, document: yaml.Node | None) -> list[yaml.Node]:
        if document is None:
            self._wrong(None, "feeds", "is missing: a list of feeds")
            return []
        members = self._members(document, "the file", ("feeds",))
        listed = members.get("feeds")
        if listed is None:
            if isinstance(document, yaml.MappingNode):
                self._wrong(document, "feeds", "is missing: a list of feeds")
            return []
        if not isinstance(listed, yaml.SequenceNode) or not listed.value:
            self._wrong(listed, "feeds", "must be a list of at least one feed")
            return []
        return list(listed.value)

    def _feed(self, node: yaml.Node) -> Feed | None:
        before = len(self.problems)
        members = self._members(node, "a feed", (*_REQUIRED, *_LISTS))
        if isinstance(node, yaml.MappingNode):
            for name in _REQUIRED:
                if name not in members:
                    self._wrong(node, name, "is missing")
        texts = {name: self._text(members[name], name) for name in _REQUIRED if name in members}
        lists = {name: self._names(members[name], name) for name in _LISTS if name in members}
        if len(self.problems) > before:
            return None
        return Feed(
            name=texts["name"], issuer=texts["issuer"], role=Role(texts["role"]),
            topic=texts["topic"], format=texts["format"],
            numeric_ids=frozenset(lists.get("numeric_ids", ())),
            exact_keys=frozenset(lists.get("exact_keys", ())),
        )  # fmt: skip

    def _members(self, node: yaml.Node, what: str, known: Collection[str]) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self._wrong(node, None, f"{what} must be a mapping with {', '.join(known)}")
            return {}
        members: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name in members:
                self._wrong(key, name, "comes twice")
            elif name in known:
                members[name] = value
            else:
                self._wrong(key, shown(name), f"is not a key of {what}: {', '.join(known)}")
        return members

    def _text(self, node: yaml.Node, name: str) -> str:
        text = node.value if isinstance(node, yaml.ScalarNode) else None
        if text is None:
            self._wrong(node, name, "must be a text")
        elif name in _CHOICES:
            if text not in _CHOICES[name]:
                self._wrong(node, name, f"must be one of {', '.join(_CHOICES[name])}", text)
        elif name == "topic":
            if not _TOPIC.fullmatch(text) or text in (".", ".."):
                self._wrong(node, name, "must be a topic's name: letters, digits, . _ -", text)
            elif text in _OWN_TOPICS:
                self._wrong(node, name, "is a topic of milepost itself", text)
        elif not _NAME.fullmatch(text):
            self._wrong(node, name, "must be letters, digits, . _ - (at most 100)", text)
        return text or ""

    def _names(self, node: yaml.Node, name: str) -> list[str]:
        known = _LISTS[name]
        if not isinstance(node, yaml.SequenceNode):
            self._wrong(node, name, f"must be a list of {', '.join(known)}")
            return []
        names: list[str] = []
        for item in node.value:
            text = item.value if isinstance(item, yaml.ScalarNode) else ""
            if text not in known:
                self._wrong(item, name, f"may name only {', '.join(known)}", text)
            elif text in names:
                self._wrong(item, name, "names it twice", text)
            names.append(text)
        return names

    def _unique(self, feeds: list[tuple[Feed, yaml.Node]]) -> None:
        """One name and one topic for each feed.

        A topic with two feeds would give each record two outcomes; so there are no two books of
        one issuer in one topic either.
        """
        for name in ("name", "topic"):
            first: dict[str, yaml.Node] = {}
            for feed, node in feeds:
                text = getattr(feed, name)
                if text in first:
                    line = first[text].start_mark.line + 1
                    self._wrong(node, name, f"is that of the feed in line {line} already", text)
                first.setdefault(text, node)

    def _wrong(
        self, node: yaml.Node | None, name: str | None, why: str, value: str | None = None
    ) -> None:
        line = None if node is None else node.start_mark.line + 1
        shown_value = None if value is None else shown(value)
        self.problems.append(Problem(why, self.file, line, name or None, shown_value))
