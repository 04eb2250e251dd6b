"""YAML text as a `Document`: nothing is interpreted, and nothing may mean two things.

`NO`, `0742` and `1.10` stay the text that they are. Keys given twice, anchors and aliases, tags,
merge keys and a second document are refused, each where it stands.
"""

from __future__ import annotations

import re

import yaml

from services.accrual.contracts.document import Document, Path, Place, Plain, dotted, shown
from services.kernel.errors import Problem

CHARACTERS_MAX = 262_144
DEPTH_MAX = 12

_UNPRINTABLE = re.compile(
    "[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]"
)


def read(text: str, *, file: str) -> Document:
    """Read one file. What is wrong with it as YAML stands in `problems`; nothing is raised."""
    document = Document(file)
    if len(text) > CHARACTERS_MAX:
        document.stop(f"is longer than {CHARACTERS_MAX} characters")
        return document
    builder = _Builder(document)
    try:
        for event in yaml.parse(text, Loader=yaml.CBaseLoader):
            builder.take(event)
            if not document.whole:
                return document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else None
        document.stop(f"is not YAML: {error.problem or error.context}", place=place)
    except (yaml.YAMLError, UnicodeEncodeError):
        why = "is not YAML: a character that text does not have"
        document.stop(why, place=_unprintable(text))
    if builder.documents == 0 and document.whole:
        document.stop("is empty: a contract is expected")
    return document


class _Builder:
    """Puts a document together from the parser's events, without recursion."""

    def __init__(self, document: Document) -> None:
        self.documents = 0
        self._document = document
        self._open: list[tuple[dict[str, Plain] | list[Plain], Path]] = []
        self._key: str | None = None
        self._first: Place | None = None
        """Where the key that is given again stood first."""
        self._skipping = 0

    def take(self, event: yaml.Event) -> None:
        """Take the parser's next event."""
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self._stop(event, "a second document: one contract version a file")
        elif isinstance(event, yaml.CollectionEndEvent):
            if self._skipping:
                self._skipping -= 1
            else:
                self._open.pop()
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.NodeEvent) and not self._skipping:
            self._leaf(event)

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        if self._skipping:
            self._skipping += 1
        elif self._expects_key():
            self._stop(event, "a key must be text")
        elif len(self._open) >= DEPTH_MAX:
            self._stop(event, f"is nested deeper than {DEPTH_MAX} levels")
        else:
            content: dict[str, Plain] | list[Plain] = (
                {} if isinstance(event, yaml.MappingStartEvent) else []
            )
            path = self._put(content, event)
            if path is None:
                self._skipping = 1
            else:
                self._open.append((content, path))

    def _leaf(self, event: yaml.NodeEvent) -> None:
        if self._expects_key():
            self._take_key(event)
        else:
            self._put(event.value if isinstance(event, yaml.ScalarEvent) else "", event)

    def _expects_key(self) -> bool:
        return self._key is None and bool(self._open) and isinstance(self._open[-1][0], dict)

    def _take_key(self, event: yaml.NodeEvent) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            self._stop(event, "a key must be text, not an alias")
            return
        self._key = str(event.value)
        path = (*self._open[-1][1], self._key)
        self._first = self._document.keys.get(path)
        if self._first is not None:
            return
        self._document.keys[path] = _place(event)
        if self._key == "<<":
            self._complain(event, path, "merge keys are not used here: write the keys out")
            self._document.unsound.add(path)
        elif event.anchor is not None or event.tag is not None:
            self._complain(event, path, "anchors and tags are not used here")

    def _put(self, content: Plain, event: yaml.NodeEvent) -> Path | None:
        """Hang a value on what is open; its path, or None when it hangs on a repeated key."""
        path: Path = ()
        if not self._open:
            self._document.content = content
        else:
            parent, above = self._open[-1]
            if isinstance(parent, list):
                path = (*above, len(parent))
                parent.append(content)
            else:
                path = (*above, self._key or "")
                self._key = None
                if self._first is not None:
                    self._repeated(content, path, event)
                    return None
                parent[str(path[-1])] = content
        self._document.values[path] = _place(event)
        if isinstance(event, yaml.AliasEvent):
            self._complain(event, path, "aliases are not used here: write the value out")
            self._document.unsound.add(path)
        elif event.anchor is not None:
            self._complain(event, path, "anchors are not used here")
        elif getattr(event, "tag", None) is not None:
            self._complain(event, path, "tags are not used here: values are read by their key")
        return path

    def _repeated(self, content: Plain, path: Path, event: yaml.Event) -> None:
        first, self._first = self._first, None
        place, value = _place(event), shown(content) if isinstance(content, str) else None
        why = f"this key is given twice, first in line {first.line if first else 1}"
        self._document.problems.append(
            Problem(why, self._document.file, place.line, dotted(path), value, place.column)
        )

    def _complain(self, event: yaml.Event, path: Path, why: str) -> None:
        problem = self._document.problem(path, why, place=_place(event))
        self._document.problems.append(problem)

    def _stop(self, event: yaml.Event, why: str) -> None:
        path = self._open[-1][1] if self._open else ()
        self._document.stop(why, place=_place(event), path=path)


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1) if mark is not None else Place(1, 1)


def _unprintable(text: str) -> Place | None:
    """Where the first character stands that YAML does not allow."""
    found = _UNPRINTABLE.search(text)
    if found is None:
        return None
    before = text[: found.start()]
    return Place(before.count("\n") + 1, found.start() - before.rfind("\n"))
