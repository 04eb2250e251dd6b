"""A local stack leaves no process, no listener and no file behind, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from services.local import stack as local_stack
from services.local.folder import PREFIX, remove_leftovers
from tests.support.servers import answers, needs_local

pytestmark = needs_local


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def _port(address: str) -> int:
    return int(address.rsplit(":", 1)[1].split("/")[0])


def test_a_stopped_stack_leaves_no_process_no_listener_and_no_file() -> None:
    stack = local_stack.start()
    pids = [*stack.kafka.pids, *stack.postgres.pids]
    ports = [_port(stack.kafka_bootstrap), _port(stack.database_url)]
    assert len(pids) == 2
    assert all(answers(port) for port in ports)
    stack.stop()
    assert not any(_alive(pid) for pid in pids)
    assert not any(answers(port) for port in ports)
    assert not stack.folder.exists()


PARENT = """
import sys
from services.local import stack
from tests.support.servers import answers
with stack.start() as s:
    addresses = [s.kafka_bootstrap, s.database_url.rsplit("/", 1)[0]]
    listening = [int(a.rsplit(":", 1)[1]) for a in addresses]
    try:
        print(*s.kafka.pids, *s.postgres.pids, *listening, s.folder, flush=True)
        sys.stdin.read()
    except KeyboardInterrupt:
        print(all(answers(p) for p in listening), flush=True)
"""


def _parent() -> tuple[subprocess.Popen[str], list[int], list[int], Path]:
    """A process of its own that runs a stack: itself, its servers' pids, ports, and folder."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    *numbers, folder = parent.stdout.readline().split()
    values = [int(number) for number in numbers]
    return parent, values[:2], values[2:], Path(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent's life")
def test_kill_9_of_the_process_that_started_it_takes_the_servers_along() -> None:
    parent, pids, ports, folder = _parent()
    with parent:
        parent.kill()
    assert _within(10, lambda: not any(answers(port) for port in ports))
    assert _within(10, lambda: not any(_alive(pid) for pid in pids))
    assert folder.name.startswith(PREFIX)
    remove_leftovers()  # as the next stack does first
    assert not folder.exists()


def test_ctrl_c_reaches_us_and_not_the_servers_which_then_stop_in_order() -> None:
    parent, pids, ports, folder = _parent()
    with parent:
        os.killpg(parent.pid, signal.SIGINT)
        assert parent.stdout is not None
        assert parent.stdout.readline() == "True\n"  # both still answered in the handler
        assert parent.wait(30) == 0
    assert not any(_alive(pid) for pid in pids)
    assert not any(answers(port) for port in ports)
    assert not folder.exists()
