"""A process of ours that cannot outlive us: started on a leash, in a session of its own.

The session keeps a terminal's Ctrl-C away from it: we get the SIGINT, and stop what we started in
the order that it needs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from services.local import leash

# The kernel ties a leash to the *thread* that pulled it on: one thread, as long-lived as we are,
# starts every child, so that anybody may call from a thread that ends.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")


@dataclass(frozen=True, slots=True)
class Account:
    """The system account that a child runs as, when we are root and it must not be."""

    uid: int
    gid: int


class Child:
    """One running program whose output goes to a log file."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        account: Account | None = None,
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        """Start `command`; `death_signal` reaches it when we end without stopping it."""
        self.name = Path(command[0]).name
        self.log = log
        words = [
            *(sys.executable, "-I", "-S", str(Path(leash.__file__))),
            str(os.getpid()),
            str(int(death_signal)),
            f"{account.uid}:{account.gid}" if account else "-",
            *(str(word) for word in command),
        ]
        self._process = _STARTER.submit(self._start, words, environment).result()

    def _start(
        self, words: list[str], environment: Mapping[str, str] | None
    ) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            return subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment) if environment is not None else None,
                cwd="/",
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, also of one that has ended."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number when a signal ended it."""
        return self._process.poll()

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self.exit_code is None

    def wait(self, seconds: float | None = None) -> int:
        """Its exit code, once it ends; subprocess.TimeoutExpired after `seconds`."""
        return self._process.wait(seconds)

    def send(self, signal_number: signal.Signals) -> None:
        """Send a signal; nothing happens when it has ended."""
        if self.running:
            self._process.send_signal(signal_number)

    def stop(self, signal_number: signal.Signals = signal.SIGTERM, seconds: float = 10) -> int:
        """Ask it to end with `signal_number`, wait, and kill it when `seconds` were not enough."""
        self.send(signal_number)
        try:
            return self.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """kill -9, and wait until it is gone."""
        self.send(signal.SIGKILL)
        return self.wait()

    def last_words(self, bytes_max: int = 20_000) -> str:
        """The end of its log, to find out why it ended."""
        try:
            return self.log.read_bytes()[-bytes_max:].decode(errors="replace").strip()
        except OSError:
            return ""
