"""The partners' folders: a file is there whole, or not at all, and never changes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from services.kernel.errors import InvariantViolated, Unreachable
from services.runtime.failpoint import failpoint

PART = ".part"


class FolderDrop:
    """FileDrop under one folder of the local file system: `<root>/<partner>/<folder>/<name>`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, partner: str, folder: str, name: str) -> bytes | None:
        """A file's bytes; None if it is not there."""
        path = self._path(partner, folder, name)
        with told(path):
            return path.read_bytes() if path.exists() else None

    def put(self, partner: str, folder: str, name: str, content: bytes) -> bool:
        """Write a temporary file, sync it, rename it, sync the folder."""
        path = self._path(partner, folder, name)
        there = self.read(partner, folder, name)
        if there is not None:
            if there != content:
                raise InvariantViolated(
                    f"{path} holds other bytes than were sealed; move it away and say "
                    "`milepost batch reproduce`"
                )
            return False
        store_whole(path, content)
        return True

    def move(self, partner: str, name: str, *, source: str, target: str) -> None:
        """Move a file to another folder, unless another process has done so just now."""
        here, there = self._path(partner, source, name), self._path(partner, target, name)
        with told(there):
            there.parent.mkdir(parents=True, exist_ok=True)
            try:
                here.rename(there)
            except FileNotFoundError:
                if not there.exists():
                    raise
            failpoint("file: moved")
            _sync(there.parent)
            _sync(here.parent)

    def remove(self, partner: str, folder: str, name: str) -> None:
        """Remove a file that has moved on."""
        path = self._path(partner, folder, name)
        with told(path):
            path.unlink(missing_ok=True)

    def path(self, partner: str, folder: str, name: str) -> str:
        """Where a file lies."""
        return str(self._path(partner, folder, name))

    def _path(self, partner: str, folder: str, name: str) -> Path:
        for part in (partner, folder, name):
            if part in ("", ".", "..") or part != Path(part).name:
                raise InvariantViolated(f"{part!r} is no name of a file")
        return self._root / partner / folder / name


def store_whole(path: Path, content: bytes) -> None:
    """Write a file that is not there yet: whole, or not at all."""
    # Two processes that write the same file do not share a temporary one.
    part = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(part, content)
            failpoint("file: written")
            part.rename(path)
            failpoint("file: renamed")
        finally:
            _remove_parts(path)
        _sync(path.parent)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _remove_parts(path: Path) -> None:
    """Our own, and what processes that died here have left; never that of one that still writes."""
    for part in path.parent.glob(f".{path.name}.*{PART}"):
        process = part.name.removesuffix(PART).rpartition(".")[2]
        if process == str(os.getpid()) or not _runs(process):
            with suppress(OSError):
                part.unlink()


def _runs(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:  # it is somebody else's
        pass
    return True


def _sync(folder: Path) -> None:
    """Make renames in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """A full disk or a closed folder, in plain words."""
    try:
        yield
    except OSError as error:
        hint = (
            f"{error.strerror or type(error).__name__}. Make room or open the folder, then run "
            "`milepost batch reproduce` with the batch's id: it writes the same bytes."
        )
        raise Unreachable("The folder of the partners' files", str(path), hint) from error
