"""A child runs apart from our terminal, and dies with us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from services.local.child import Child

SLEEP = "/bin/sleep"


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return condition()


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"


def test_it_has_a_session_of_its_own_so_that_a_terminals_ctrl_c_passes_it_by(
    tmp_path: Path,
) -> None:
    child = Child([SLEEP, "60"], log=tmp_path / "log")
    assert os.getsid(child.pid) == child.pid != os.getsid(0)
    assert child.stop() == -signal.SIGTERM
    assert not child.running


def test_one_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True)"
    child = Child([sys.executable, "-c", f"{deaf}; time.sleep(60)"], log=tmp_path / "log")
    assert _within(10, lambda: child.last_words() == "1")
    assert child.stop(seconds=0.1) == -signal.SIGKILL


def test_its_last_words_are_kept_for_the_error(tmp_path: Path) -> None:
    child = Child([sys.executable, "-c", "for n in range(30): print(n)"], log=tmp_path / "log")
    assert child.wait(10) == 0
    assert child.last_words(6) == "28\n29"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent's life")
def test_kill_9_of_the_parent_takes_it_along(tmp_path: Path) -> None:
    script = (
        "import os, signal, threading\n"
        "from pathlib import Path\n"
        "from services.local.child import Child\n"
        "def start():\n"
        f"    child = Child([{SLEEP!r}, '60'], log=Path({str(tmp_path / 'log')!r}))\n"
        "    print(child.pid, flush=True)\n"
        "thread = threading.Thread(target=start)\n"
        "thread.start()\n"
        "thread.join()\n"  # that thread has ended, the child must not have
        "input()\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.2)
        assert not _is_gone(pid)
        parent.kill()
    assert _within(5, lambda: _is_gone(pid))
