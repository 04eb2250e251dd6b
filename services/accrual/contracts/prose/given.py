"""A contract's content as it is asked for, so that what nobody asked for is told as well."""

from __future__ import annotations

from collections.abc import Iterator

from services.accrual.contracts.document import Path, Plain


class Given:
    """A mapping of the document. Every value that is taken counts as told."""

    def __init__(
        self, content: Plain | None, path: Path = (), told: set[Path] | None = None
    ) -> None:
        self._content = content if isinstance(content, dict) else {}
        self._path = path
        self._told = set() if told is None else told

    @property
    def path(self) -> Path:
        """Where it stands in the document."""
        return self._path

    def has(self, key: str) -> bool:
        """Whether the key is given."""
        return key in self._content

    def names(self) -> tuple[str, ...]:
        """The keys that are given."""
        return tuple(self._content)

    def text(self, key: str) -> str:
        """The value of a key; empty when it is not given."""
        found = self._content.get(key)
        self._told.add((*self._path, key))
        return found if isinstance(found, str) else ""

    def texts(self, key: str) -> list[str]:
        """The values of a list; of a single value a list of one."""
        found = self._content.get(key)
        self._told.add((*self._path, key))
        if isinstance(found, list):
            self._told.update((*self._path, key, at) for at in range(len(found)))
            return [one for one in found if isinstance(one, str)]
        return [found] if isinstance(found, str) else []

    def part(self, key: str) -> Given:
        """The mapping under a key; an empty one when it is not given."""
        return Given(self._content.get(key), (*self._path, key), self._told)

    def parts(self, key: str) -> list[Given]:
        """The mappings of a list; of a single mapping a list of one."""
        found = self._content.get(key)
        if isinstance(found, list):
            return [Given(one, (*self._path, key, at), self._told) for at, one in enumerate(found)]
        return [self.part(key)] if isinstance(found, dict) else []

    def untold(self) -> list[tuple[Path, str]]:
        """Every value below that nobody has taken, with its path."""
        return [(path, value) for path, value in _leaves(self._content, self._path)
                if path not in self._told]  # fmt: skip


def _leaves(content: Plain, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(content, str):
        yield path, content
    elif isinstance(content, dict):
        for key, value in content.items():
            yield from _leaves(value, (*path, key))
    else:
        for at, value in enumerate(content):
            yield from _leaves(value, (*path, at))
