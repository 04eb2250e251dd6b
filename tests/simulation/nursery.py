"""Processes of milepost forked off a warm one: begun in milliseconds, killed like any other.

A `Halt` names a failpoint at which a process ends as `kill -9` would end it, or freezes as
SIGSTOP would; every failpoint that a halting process passes is written to its log.
"""

from __future__ import annotations

import atexit
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path

from services.accrual.bootstrap import run_accrual
from services.cli.__main__ import app
from services.runtime import failpoint
from services.runtime.service import Service, run_service
from services.runtime.settings import load_settings

PR_SET_PDEATHSIG = 1
MARK = "failpoint: "
_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload([__name__])
_LOCK = threading.Lock()
"""An exit code comes once through a pipe, and whoever starts a process asks for all of them."""
_LIVING: weakref.WeakSet[Process] = weakref.WeakSet()


@dataclass(frozen=True)
class Halt:
    """A signal to oneself when a failpoint is passed for the `turn`-th time; "" is none."""

    point: str = ""
    turn: int = 1
    signal: signal.Signals = signal.SIGKILL


class Process:
    """One process, whose output goes to `log`."""

    def __init__(
        self,
        work: Callable[..., None],
        *arguments: object,
        environment: Mapping[str, str],
        log: Path,
        halt: Halt | None = None,
    ) -> None:
        self.log = log
        self._made = _fork.Process(
            target=_begin, args=(work, arguments, dict(environment), log, halt), daemon=True
        )
        with _LOCK:
            self._made.start()
        _LIVING.add(self)

    @property
    def pid(self) -> int:
        assert self._made.pid is not None
        return self._made.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number when a signal ended it."""
        with _LOCK:
            return self._made.exitcode

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when it has ended."""
        if self.exit_code is None:
            with suppress(ProcessLookupError):  # it has ended, and nobody has heard of it yet
                os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.send(signal.SIGKILL)
        self.wait(10)

    def wait(self, seconds: float) -> int:
        """Its exit code, once it ends."""
        until(lambda: self.exit_code is not None, seconds=seconds, what=f"the end of {self.log}")
        code = self.exit_code
        assert code is not None
        return code

    def is_frozen(self) -> bool:
        """Whether SIGSTOP has stopped it."""
        stat = Path(f"/proc/{self.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "T"

    def passed(self) -> list[str]:
        """The failpoints that it has passed so far, in order."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.removeprefix(MARK) for line in lines if line.startswith(MARK)]


@atexit.register
def _end_all() -> None:
    """A frozen one would never hear that it should end."""
    for process in list(_LIVING):
        process.send(signal.SIGKILL)


def until(done: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Waits until `done`."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def command(*arguments: str) -> None:
    """The work of a process: `milepost ARGUMENTS`."""
    app(list(arguments), prog_name="milepost")


def accrual(partitions: list[tuple[str, int]]) -> None:
    """The work of a process: accrual of these partitions, whoever else holds them."""

    async def serve(service: Service) -> None:
        await run_accrual(service, assign=partitions)

    raise SystemExit(run_service("accrual", load_settings(os.environ), serve))


class _Points:
    """Stands in for `os` in the failpoint module, which then calls here at every failpoint."""

    def __init__(self, halt: Halt) -> None:
        self._halt = halt
        self._passed: Counter[str] = Counter()
        self._name = ""

    def write(self, _: int, text: bytes) -> None:
        self._name = text.decode().strip().removeprefix(MARK)
        os.write(2, text)

    def _exit(self, _: int) -> None:
        failpoint._left = 1  # the next one ends the process too: it comes here
        self._passed[self._name] += 1
        if (self._name, self._passed[self._name]) == (self._halt.point, self._halt.turn):
            os.kill(os.getpid(), self._halt.signal)


def _begin(
    work: Callable[..., None],
    arguments: tuple[object, ...],
    environment: dict[str, str],
    log: Path,
    halt: Halt | None,
) -> None:
    # Not to outlive the run that started it: the warm process ends when that run is gone, for no
    # child of its own keeps it up, and takes us along.
    if (alive := forkserver._forkserver._forkserver_alive_fd) is not None:  # type: ignore[attr-defined]
        os.close(alive)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.environ.clear()
    os.environ.update(environment)
    if halt is not None:
        failpoint.os = _Points(halt)  # type: ignore[assignment]
        failpoint._left = 1
    work(*arguments)
