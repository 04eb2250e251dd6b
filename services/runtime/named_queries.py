"""Loads the SQL that lives in `.sql` files beside its adapter.

A file is a row of blocks, each headed by its name and described by a comment:

    -- name: find_purchase
    -- The purchases of an account, oldest first.
    SELECT … ;
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import resources

_HEADER = re.compile(r"^-- name: *(.*?) *$", re.MULTILINE)
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


class Queries(Mapping[str, str]):
    """The named queries of one file: `queries.find_purchase` or `queries["find_purchase"]`."""

    def __init__(self, source: str, queries: dict[str, str]) -> None:
        self._source = source
        self._queries = queries

    def __getitem__(self, name: str) -> str:
        try:
            return self._queries[name]
        except KeyError:
            known = ", ".join(self._queries)
            raise KeyError(f"{self._source} has no query {name!r}; it has {known}") from None

    def __getattr__(self, name: str) -> str:
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._queries)

    def __len__(self) -> int:
        return len(self._queries)


def load_queries(package: str, file: str) -> Queries:
    """The queries of `file`, a `.sql` file inside `package` (a dotted name).

    Raises ValueError when the file is not made of named blocks, or a name comes twice.
    """
    text = resources.files(package).joinpath(file).read_text(encoding="utf-8")
    return parse_queries(text, source=f"{package}/{file}")


def parse_queries(text: str, *, source: str) -> Queries:
    """The queries in `text`; `source` names it in errors."""
    before, *blocks = _HEADER.split(text)
    if _statement(before):
        raise ValueError(f"{source} has SQL before the first `-- name:` header")
    queries: dict[str, str] = {}
    for name, block in zip(blocks[::2], blocks[1::2], strict=True):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{source}: {name!r} is not a name (snake_case)")
        if name in queries:
            raise ValueError(f"{source} has two queries named {name}")
        if not block.lstrip().startswith("--"):
            raise ValueError(f"{source}: {name} has no comment that says what it does")
        if not _statement(block):
            raise ValueError(f"{source}: {name} has no SQL")
        queries[name] = block.strip().rstrip(";").rstrip()
    if not queries:
        raise ValueError(f"{source} has no `-- name:` header")
    return Queries(source, queries)


def _statement(block: str) -> str:
    """What is left of a block without its comment lines."""
    lines = (line for line in block.splitlines() if not line.lstrip().startswith("--"))
    return "\n".join(lines).strip()
