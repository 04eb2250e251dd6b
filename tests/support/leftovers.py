"""What a stopped demo must not leave: processes that know its folder."""

from __future__ import annotations

import os
import time
from pathlib import Path

SECONDS = 3


def left(folder: Path) -> list[str]:
    """Processes that were told of the folder by their environment or command, and do not end."""
    found = []
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = [name for name in os.listdir("/proc") if name.isdigit() and _knows(name, folder)]
        if not found:
            break
        time.sleep(0.1)
    return found


def _knows(process: str, folder: Path) -> bool:
    try:
        told = [Path("/proc", process, name).read_bytes() for name in ("environ", "cmdline")]
    except OSError:
        return False
    return any(str(folder).encode() in text for text in told)
