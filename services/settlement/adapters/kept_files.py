"""What was sent to a partner, kept as it went."""

from __future__ import annotations

from services.settlement.adapters.file_drop import FolderDrop

ARCHIVE = "archive"


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
