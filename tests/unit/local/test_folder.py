"""A stack's folder belongs to one process, and goes with it unless it is kept."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from services.kernel.errors import InvalidInput
from services.local import demo, folder
from services.local.folder import Folder
from services.local.narrator import Narrator


def test_a_temporary_folder_is_gone_at_the_end() -> None:
    mine = Folder()
    (mine.path / "data").write_text("x")
    mine.remove()
    assert not mine.path.exists()


def test_a_kept_folder_stays_and_can_be_used_again(tmp_path: Path) -> None:
    for _ in range(2):
        mine = Folder(tmp_path / "kept")
        (mine.path / "data").write_text("x")
        mine.remove()
    assert (tmp_path / "kept" / "data").exists()


def test_two_cannot_use_one_folder(tmp_path: Path) -> None:
    mine = Folder(tmp_path)
    with pytest.raises(InvalidInput, match="another milepost uses it"):
        Folder(tmp_path)
    mine.remove()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match="cannot be used"):
        Folder(tmp_path / "file" / "below")


def test_a_nearly_full_disk_is_said_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "FREE_BYTES_MIN", 1 << 60)
    with pytest.raises(InvalidInput, match="the disk is nearly full"):
        Folder(tmp_path)


def test_what_a_killed_process_left_is_removed_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    script = (
        "import os, signal, tempfile\n"
        f"tempfile.tempdir = {str(tmp_path)!r}\n"
        "from services.local.folder import Folder\n"
        "folder = Folder()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    (left,) = tmp_path.iterdir()
    mine = Folder()
    assert list(tmp_path.iterdir()) == [mine.path]
    assert mine.path != left
    mine.remove()


def test_a_folder_whose_making_is_interrupted_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    _interrupt_after_making(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        Folder()
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_is_stopped_while_its_folder_is_made_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    options = demo.Options(transactions=1_000, seed=1, keep=None, once=True)
    _interrupt_after_making(monkeypatch)
    with pytest.raises(KeyboardInterrupt), demo._premises(None, options, Narrator(io.StringIO())):
        pytest.fail("it went on")
    assert list(tmp_path.iterdir()) == []


def _interrupt_after_making(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C at the moment the system has made a folder and nobody has been told its name."""
    make = os.mkdir

    def interrupted(*path: object, **options: object) -> None:
        make(*path, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "mkdir", interrupted)
