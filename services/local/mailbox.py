"""How a simulated partner works: it answers each delivery once its manifest has come."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

LOOK_SECONDS = 0.05
MANIFESTS = "*.manifest.json"

Reply = Callable[[str, bytes], Iterator[tuple[str, bytes]]]
"""A file's name and content → the names and contents of its answers, none for what is not ours."""


def work(sent: Path, incoming: Path, reply: Reply, done: set[str]) -> None:
    """Answer every delivery that is complete and was not answered yet."""
    for manifest in sorted(sent.glob(MANIFESTS)):
        if manifest.name in done:
            continue
        for file in json.loads(manifest.read_text(encoding="utf-8"))["files"]:
            name = file["name"]
            for answer, content in reply(name, (sent / name).read_bytes()):
                _store(incoming / answer, content)
        done.add(manifest.name)


def _store(path: Path, content: bytes) -> None:
    """There whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)


def serve(reply: Reply) -> None:
    """Until it is stopped; the folders come as arguments."""
    sent, incoming = map(Path, sys.argv[1:])
    done: set[str] = set()
    while True:
        work(sent, incoming, reply, done)
        time.sleep(LOOK_SECONDS)
