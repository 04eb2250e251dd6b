"""What a wrong part of a contract is told in plain words.

The shapes of the model are checked by pydantic, which finds every problem with its path; this
turns each into one sentence about the contract.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import ValidationError

from services.accrual.contracts import later
from services.accrual.contracts.clauses import TAG, Clause
from services.accrual.contracts.document import Document, Path, dotted
from services.accrual.contracts.model import Contract


def report_shape(document: Document, error: ValidationError) -> None:
    """Note in the document everything that the model found, each part once."""
    for found in error.errors(include_url=False):
        path = _path(found["loc"])
        if any(path[:depth] in document.unsound for depth in range(len(path) + 1)):
            continue
        if found["type"] == "too_short" and found["input"]:
            continue  # not empty: its entries are wrong, and each is told
        at_key = found["type"] == "extra_forbidden"
        document.report(path, _why(document, path, found), at_key=at_key)


def _path(location: tuple[str | int, ...]) -> Path:
    """The path in the file: names of alternatives and the marks of mapping keys are left out."""
    return tuple(
        step
        for step in location
        if not (isinstance(step, str) and (step.startswith(TAG) or step == "[key]"))
    )


def _why(document: Document, path: Path, found: Any) -> str:
    kind, given = found["type"], found["input"]
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return _unknown_key(path)
    if given == "":
        return "has no value"
    if kind == "value_error":
        return str(found["ctx"]["error"])
    if kind in ("enum", "literal_error"):
        return _other_value(path, given, found["ctx"]["expected"])
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return "must hold keys, each with a value"
    if kind in ("tuple_type", "list_type"):
        return "must be a list, such as [...]"
    if kind == "string_type":
        return "must be a single value"
    if kind == "too_short":
        return f"is {'an empty list' if isinstance(given, list) else 'empty'}: name at least one"
    return str(found["msg"])


def _unknown_key(path: Path) -> str:
    parent, key = _general(path[:-1]), str(path[-1])
    if key in later.KEYS.get(parent, ()):
        return f"`{key}` is not supported yet"
    for place, why in later.MISPLACED.get(key, {}).items():
        if parent == place or parent.endswith(f".{place}"):
            return why
    near = get_close_matches(key, _keys_of(path[:-1]), n=1)
    return f"unknown key; is `{near[0]}` meant?" if near else "unknown key"


def _keys_of(path: Path) -> list[str]:
    """The keys that the mapping at a path may hold."""
    here: set[type[Clause]] = {Contract}
    for step in path:
        if isinstance(step, str):
            here = {
                below
                for clause in here
                for name, field in clause.model_fields.items()
                if (field.alias or name) == step
                for below in _clauses(field.annotation)
            }
    fields = [item for clause in here for item in clause.model_fields.items()]
    return sorted({field.alias or name for name, field in fields})


def _clauses(annotation: Any) -> set[type[Clause]]:
    if isinstance(annotation, type) and issubclass(annotation, Clause):
        return {annotation}
    return {found for part in get_args(annotation) for found in _clauses(part)}


def _other_value(path: Path, given: object, expected: str) -> str:
    words = re.findall("'([^']*)'", expected)
    must = f"must be `{words[0]}`" if len(words) == 1 else f"must be one of: {', '.join(words)}"
    if isinstance(given, str) and given in later.VALUES.get(_general(path), ()):
        return f"`{given}` is not supported yet: {must}"
    return must


def _general(path: Path) -> str:
    return re.sub(r"\[\d+\]", "[]", dotted(path))
