"""A folder of this machine, or one that is mounted here, as a partner's side."""

from __future__ import annotations

from pathlib import Path

from services.kernel.errors import InvariantViolated
from services.settlement.adapters.file_drop import store_whole, told


class Directory:
    """Destination in one folder: a file is there whole, or not at all, and never changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, name: str, content: bytes) -> bool:
        """Write a temporary file, sync it, rename it, sync the folder."""
        if name in ("", ".", "..") or name != Path(name).name:
            raise InvariantViolated(f"{name!r} is no name of a file")
        path = self._folder / name
        with told(path):
            there = path.read_bytes() if path.exists() else None
        if there is None:
            store_whole(path, content)
        elif there != content:
            raise InvariantViolated(f"{path} holds other bytes than are sent: it stays as it is")
        return there is None

    def place(self, name: str) -> str:
        """Where a file lies."""
        return str(self._folder / name)
