"""Room on the disk of a local stack. Servers whose disk is full fail in many ways and slowly, so
the disk itself is looked at, and a full one is said as what it is.
"""

from __future__ import annotations

import asyncio
import errno
import shutil
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from services.kernel.errors import InvalidInput, MilepostError, Problem

FREE_BYTES_LOW = 64 << 20
"""Below this, servers soon cannot write."""
LOOK_SECONDS = 0.5
T = TypeVar("T")


def free_bytes(folder: Path) -> int:
    """How much the disk of a folder still takes."""
    return shutil.disk_usage(folder).free


def refusal(folder: Path, how: str) -> InvalidInput:
    """What a person reads who has no room there."""
    why = f"{how}. Make room, or choose a folder on another disk (TMPDIR, or --keep)"
    return InvalidInput([Problem(why, file=str(folder))])


def demand_room(folder: Path) -> None:
    """Raises InvalidInput when the disk of the folder is as good as full."""
    free = free_bytes(folder)
    if free < FREE_BYTES_LOW:
        raise refusal(folder, f"the disk is full: {free >> 20} MiB free")


async def with_room(work: Coroutine[Any, Any, T], folder: Path) -> T:
    """What `work` gives; it is stopped, with InvalidInput, once the folder's disk is full."""
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=LOOK_SECONDS))[0]:
            demand_room(folder)
    except BaseException:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
    return task.result()


@contextmanager
def full_disk_said(folder: Path) -> Iterator[None]:
    """An error inside that comes of a full disk leaves as InvalidInput that says so."""
    try:
        yield
    except (OSError, MilepostError) as error:
        if isinstance(error, InvalidInput):
            raise
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise refusal(folder, "the disk is full") from error
        demand_room(folder)
        raise
