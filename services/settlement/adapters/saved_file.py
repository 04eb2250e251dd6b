"""A file that a person asked for, at the path that the person named."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from services.kernel.errors import InvalidInput, Problem

BYTES_MAX = 1 << 20
"""Of a file of settings that a person names."""


def save(path: Path, content: bytes) -> None:
    """Write the whole file or nothing; one that is there is replaced."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        why = error.strerror or "cannot be written"
        raise InvalidInput([Problem(why, field="--to", value=str(path))]) from error


def content_of(path: Path, field: str, bytes_max: int = BYTES_MAX) -> bytes:
    """What a file holds that is not larger than it may be."""
    try:
        with path.open("rb") as file:
            content = file.read(bytes_max + 1)
    except OSError as error:
        why = error.strerror or "cannot be read"
        raise InvalidInput([Problem(why, field=field, value=str(path))]) from error
    if len(content) > bytes_max:
        raise InvalidInput([Problem("is too large", field=field, value=str(path))])
    return content
