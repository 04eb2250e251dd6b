"""The partners' folders: whole or not at all, and never overwritten."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.kernel.errors import InvariantViolated, Unreachable
from services.settlement.adapters.file_drop import FolderDrop


@pytest.fixture
def drop(tmp_path: Path) -> FolderDrop:
    return FolderDrop(tmp_path)


def test_a_file_is_stored_once(drop: FolderDrop, tmp_path: Path) -> None:
    assert drop.put("sky-air", "pending", "a.txt", b"one")
    assert not drop.put("sky-air", "pending", "a.txt", b"one")
    assert os.listdir(tmp_path / "sky-air/pending") == ["a.txt"]
    assert drop.read("sky-air", "pending", "a.txt") == b"one"


def test_other_bytes_never_replace_a_file(drop: FolderDrop) -> None:
    drop.put("sky-air", "pending", "a.txt", b"one")
    with pytest.raises(InvariantViolated, match="other bytes"):
        drop.put("sky-air", "pending", "a.txt", b"two")
    assert drop.read("sky-air", "pending", "a.txt") == b"one"


def test_a_write_that_fails_leaves_nothing(
    drop: FolderDrop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unreachable, match="No space left on device"):
        drop.put("sky-air", "pending", "a.txt", b"one")
    assert os.listdir(tmp_path / "sky-air/pending") == []


def test_what_a_dead_process_left_is_cleared(drop: FolderDrop, tmp_path: Path) -> None:
    folder = tmp_path / "sky-air/pending"
    folder.mkdir(parents=True)
    (folder / ".a.txt.123.part").write_bytes(b"hal")
    drop.put("sky-air", "pending", "a.txt", b"half")
    assert os.listdir(folder) == ["a.txt"]


def test_a_moved_file_is_in_its_new_folder_only(drop: FolderDrop) -> None:
    drop.put("sky-air", "pending", "a.txt", b"one")
    drop.move("sky-air", "a.txt", source="pending", target="outgoing")
    assert drop.read("sky-air", "pending", "a.txt") is None
    assert drop.read("sky-air", "outgoing", "a.txt") == b"one"
    drop.remove("sky-air", "pending", "a.txt")


@pytest.mark.parametrize("name", ["../a", "a/b", "..", ".", "", "/etc/passwd"])
def test_a_name_with_a_path_in_it_is_refused(drop: FolderDrop, name: str) -> None:
    with pytest.raises(InvariantViolated, match="no name of a file"):
        drop.put(name, "pending", "a.txt", b"")
    with pytest.raises(InvariantViolated, match="no name of a file"):
        drop.read("sky-air", "pending", name)
