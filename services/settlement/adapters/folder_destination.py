"""A folder of this machine, or a mounted one, as a partner's side; and what was sent, kept."""

from __future__ import annotations

from pathlib import Path

from services.settlement.adapters.file_drop import FolderDrop
from services.settlement.exchange.destinations import Folder

ARCHIVE = "archive"


class FolderDestination:
    """Destination in a folder: a temporary file, synced, renamed."""

    def __init__(self, where: Folder) -> None:
        path = Path(where.path).absolute()
        self._drop = FolderDrop(path.parent.parent)
        self._names = path.parent.name, path.name

    def place(self, name: str) -> str:
        """The path of a file."""
        return self._drop.path(*self._names, name)

    async def put(self, name: str, content: bytes) -> bool:
        """Store the file; the same bytes again change nothing."""
        return self._drop.put(*self._names, name, content)


class KeptFiles:
    """What was sent to one partner, sealed as it went: `<partner>/archive/`."""

    def __init__(self, drop: FolderDrop, partner: str) -> None:
        self._drop = drop
        self._partner = partner

    def read(self, name: str) -> bytes | None:
        """The bytes as they were sent."""
        return self._drop.read(self._partner, ARCHIVE, name)

    def keep(self, name: str, content: bytes) -> None:
        """Keep them for good."""
        self._drop.put(self._partner, ARCHIVE, name, content)
