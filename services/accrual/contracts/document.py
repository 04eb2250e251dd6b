"""A contract file as plain data: text, lists and mappings, and where each part stands.

Problems are collected here, so that every one of a file is told at once and each part once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from typing import TypeAlias

from services.kernel.card import mask_card_numbers
from services.kernel.errors import Problem

VALUE_SHOWN_MAX = 80

Path: TypeAlias = tuple[str | int, ...]
Plain: TypeAlias = "str | list[Plain] | dict[str, Plain]"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something starts in the file, both 1-based."""

    line: int
    column: int


@dataclass(slots=True)
class Document:
    """One file: its content as plain data, where each part stands, and what is wrong with it."""

    file: str
    content: Plain | None = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unsound: set[Path] = field(default_factory=set)
    """Paths that a problem names; what stands below them is not judged again."""
    whole: bool = True
    """Whether the file could be read to its end."""

    def find(self, *path: str | int) -> Plain | None:
        """What stands at a path; None when nothing does, or when it is known to be wrong."""
        found = self.content
        for depth, step in enumerate(path, 1):
            if path[:depth] in self.unsound:
                return None
            found = _child(found, step)
        return found

    def text(self, *path: str | int) -> str | None:
        """The text at a path; None when there is none, or when it is known to be wrong."""
        found = self.find(*path)
        return found if isinstance(found, str) else None

    def names(self, *path: str | int) -> tuple[str, ...]:
        """The keys of the mapping at a path, those of values known to be wrong included."""
        found = self.find(*path)
        return tuple(found) if isinstance(found, dict) else ()

    def size(self, *path: str | int) -> int:
        """The length of the list at a path, 0 when there is none."""
        found = self.find(*path)
        return len(found) if isinstance(found, list) else 0

    def stop(self, why: str, *, place: Place | None = None, path: Path = ()) -> None:
        """Note a problem that leaves the rest of the file unread."""
        self.problems.append(self.problem(path, why, place=place))
        self.whole = False

    def report(self, path: Path, why: str, *, at_key: bool = False) -> None:
        """Note a problem of the part at `path`, once."""
        place = self.keys.get(path) if at_key else None
        self.problems.append(self.problem(path, why, place=place))
        self.unsound.add(path)

    def problem(self, path: Path, why: str, *, place: Place | None = None) -> Problem:
        """A problem of the part at `path`, or of the nearest part around it that exists."""
        value = reduce(_child, path, self.content)
        known = path
        while place is None and known and known not in self.values:
            known = known[:-1]
        place = place or self.values.get(known) or Place(1, 1)
        return Problem(
            why,
            file=self.file,
            line=place.line,
            column=place.column,
            field=dotted(path) or None,
            value=shown(value) if isinstance(value, str) else None,
        )


def _child(parent: Plain | None, step: str | int) -> Plain | None:
    if isinstance(parent, dict):
        return parent.get(str(step))
    if isinstance(parent, list) and isinstance(step, int) and step < len(parent):
        return parent[step]
    return None


def dotted(path: Path) -> str:
    """A path as people write it: `rules[1].cap.limit`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def shown(value: str) -> str:
    """A value as a problem may print it: no card number, no more than 80 characters."""
    masked = mask_card_numbers(value)
    return masked if len(masked) <= VALUE_SHOWN_MAX else masked[: VALUE_SHOWN_MAX - 1] + "…"
