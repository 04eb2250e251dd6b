"""A full disk is said as one, with the way out, and leaves no process behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.kernel.errors import InvalidInput, Unreachable
from services.local import folder
from services.local import stack as local_stack
from tests.support.leftovers import left
from tests.support.servers import needs_local

MIB = 1 << 20
pytestmark = needs_local


@pytest.fixture
def disk() -> Iterator[Callable[[int], Path]]:
    """Makes one small disk of so many MiB, for this test."""
    with tempfile.TemporaryDirectory(prefix="test-disk-") as place:
        Path(place).chmod(0o711)

        def mounted(mib: int) -> Path:
            mount = ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=1777", "tmpfs", place]
            done = subprocess.run(mount, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
            return Path(place)

        try:
            yield mounted
        finally:
            subprocess.run(["umount", "-l", place], capture_output=True, check=False)


def _fill(place: Path) -> None:
    with (place / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * MIB)
        except OSError:
            pass


@pytest.mark.parametrize("mib", [1, 30])
def test_servers_that_find_no_room_to_start_are_no_riddle(
    mib: int, disk: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = disk(mib)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setattr(folder, "FREE_BYTES_MIN", 0)
    with pytest.raises((InvalidInput, Unreachable), match=r"disk .*full.*[Mm]ake room") as told:
        local_stack.start()
    assert str(place) in str(told.value)
    assert list(place.iterdir()) == []
    assert left(place) == []


@pytest.mark.slow
@pytest.mark.parametrize("word", ["running", "sending"])
def test_a_disk_that_fills_during_a_demo_ends_it_plainly(
    word: str, disk: Callable[[int], Path]
) -> None:
    place = disk(folder.FREE_BYTES_MIN // MIB + 40)
    command = [sys.executable, "-m", "services.cli", "demo", "--once"]
    environment = {**os.environ, "TMPDIR": str(place), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        assert demo.stdout is not None
        assert any(word in line for line in demo.stdout), "it ended before"
        _fill(place)
        told = demo.stdout.read()
        assert demo.wait(timeout=60) == 2, told
    assert "Traceback" not in told
    assert f"{place}/" in told
    assert "the disk is full" in told
    assert "Make room" in told
    assert left(place) == []
