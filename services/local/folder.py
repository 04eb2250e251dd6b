"""Where a local stack keeps its data: a folder of its own, gone at the end unless it is kept."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import TextIO

from services.kernel.errors import InvalidInput, Problem
from services.local import room

PREFIX = "milepost-stack-"
LOCK = "in-use.lock"
NAME_BYTES = 4
FREE_BYTES_MIN = 1 << 30
OTHERS_PASS = 0o711  # through it, not into it: PostgreSQL may have to run as another account


class Folder:
    """A folder that one process at a time uses, held by a file lock."""

    def __init__(self, keep: Path | None = None) -> None:
        """Make a temporary folder, or use `keep` and leave it there.

        Raises InvalidInput when the folder cannot be made, is in use, or its disk is nearly full.
        """
        self.kept = keep is not None
        try:
            self.path, lock = _existing(keep) if keep else _temporary()
        except OSError as error:
            raise _refusal(str(keep or tempfile.gettempdir()), f"cannot be used: {error}") from None
        if lock is None:
            raise _refusal(str(self.path), "another milepost uses it; stop that one first")
        self._lock = lock
        self._demand_room()

    def _demand_room(self) -> None:
        free = room.free_bytes(self.path)
        if free < FREE_BYTES_MIN:
            self.remove()
            raise room.refusal(
                self.path,
                f"the disk is nearly full: {free >> 20} MiB free, at least {FREE_BYTES_MIN >> 20} "
                "are needed",
            )

    def remove(self) -> None:
        """Let go of the folder, and delete it unless it is kept."""
        if not self.kept:
            shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def unused(prefix: str) -> Path:
    """The path of a temporary folder that nobody has, for a caller who is ready to remove it before
    it makes it.
    """
    return Path(tempfile.gettempdir()) / f"{prefix}{secrets.token_hex(NAME_BYTES)}"


def remove_leftovers() -> None:
    """Delete the temporary folders of stacks that were killed before they could."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        lock = _take(path) if _is_ours(path) else None
        if lock is not None:
            shutil.rmtree(path, ignore_errors=True)
            lock.close()


def _existing(keep: Path) -> tuple[Path, TextIO | None]:
    path = keep.expanduser().absolute()
    if not path.exists():
        path.mkdir(parents=True)
        path.chmod(OTHERS_PASS)
    return path, _take(path)


def _temporary() -> tuple[Path, TextIO | None]:
    """A new folder, which gets the name that others look for only once it is locked."""
    remove_leftovers()
    unnamed = unused("milepost-new-")
    try:
        unnamed.mkdir(mode=0o700)
        unnamed.chmod(OTHERS_PASS)
        lock = _take(unnamed)
        return unnamed.rename(unnamed.with_name(PREFIX + unnamed.name.rpartition("-")[2])), lock
    except BaseException:  # Ctrl-C as well: nobody would find it under this name
        shutil.rmtree(unnamed, ignore_errors=True)
        raise


def _is_ours(path: Path) -> bool:
    """Anybody may put a folder, or a link, into the system's temporary one."""
    try:
        return not path.is_symlink() and path.stat().st_uid == os.getuid()
    except OSError:  # its owner removed it just now
        return False


def _take(path: Path) -> TextIO | None:
    try:
        lock = (path / LOCK).open("a")
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


def _refusal(folder: str, why: str) -> InvalidInput:
    return InvalidInput([Problem(file=folder, why=why)])
