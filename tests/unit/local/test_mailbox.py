"""A simulated partner answers what has come whole, once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from services.local import mailbox


def _reply(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    if name.endswith(".txt"):
        yield f"re-{name}", content[::-1]


def test_a_delivery_is_answered_once_its_manifest_is_there_and_only_once(tmp_path: Path) -> None:
    sent, incoming = tmp_path / "sent", tmp_path / "incoming"
    sent.mkdir()
    (sent / "a.txt").write_bytes(b"abc")
    (sent / "b.csv").write_bytes(b"d")
    done: set[str] = set()
    mailbox.work(sent, incoming, _reply, done)
    assert not incoming.exists()
    files = [{"name": "a.txt"}, {"name": "b.csv"}]
    (sent / "sky-air-000001.manifest.json").write_text(json.dumps({"files": files}))
    mailbox.work(sent, incoming, _reply, done)
    (came,) = incoming.iterdir()
    assert (came.name, came.read_bytes()) == ("re-a.txt", b"cba")
    came.unlink()
    mailbox.work(sent, incoming, _reply, done)
    assert list(incoming.iterdir()) == []
