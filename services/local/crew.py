"""The services of a demo, each a process of its own that cannot outlive this one."""

from __future__ import annotations

import http.client
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from services.kernel.errors import MilepostError
from services.local.child import Child
from services.local.ports import HOST, free_port

STOP_SECONDS_MAX = 12


class ServiceEnded(MilepostError):
    """A service ended though nobody told it to; `exit_code` is its own, 1 for a signal."""

    def __init__(self, name: str, child: Child) -> None:
        code = child.exit_code
        self.exit_code = code if code is not None and code > 0 else 1
        words = child.last_words()
        said = "\n".join(words.splitlines()[-6:])
        text = (
            f"the service {name} has ended with exit code {code}; its last words "
            f"(all of them in {child.log}):\n{said}"
        )
        if "MILEPOST_METRICS_PORT" in words:
            text += "\nAnother program took its port meanwhile: run again, another one is chosen."
        super().__init__(text)


class Crew:
    """Running services; a context manager that stops them in order."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = environment
        self._logs = logs
        self._children: dict[str, Child] = {}
        self.metrics: dict[str, int] = {}
        """The port of each service's metrics, on 127.0.0.1."""

    def start(self, service: str, *, name: str = "") -> None:
        """Start a service of `milepost run`; `name` tells a second one from the first."""
        name = name or service
        self.metrics[name] = free_port()
        self._children[name] = Child(
            [sys.executable, "-m", "services.cli", "run", service],
            log=self._logs / f"{name}.log",
            environment={**self._environment, "MILEPOST_METRICS_PORT": str(self.metrics[name])},
        )

    def hire(self, name: str, command: Sequence[str | Path]) -> None:
        """Start a program that is none of our services: it has no metrics and is never asked
        whether it is ready.
        """
        self._children[name] = Child(
            command, log=self._logs / f"{name}.log", environment=self._environment
        )

    def pid(self, name: str) -> int:
        """The process id of a service that was started."""
        return self._children[name].pid

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """A service stands still inside, as if the machine had forgotten it."""
        child = self._children[name]
        child.send(signal.SIGSTOP)
        try:
            yield
        finally:
            child.send(signal.SIGCONT)

    def demand_running(self) -> None:
        """Raises ServiceEnded when one of them has ended."""
        for name, child in self._children.items():
            if not child.running:
                raise ServiceEnded(name, child)

    def is_ready(self) -> bool:
        """Whether every service says that it can work. Raises ServiceEnded."""
        self.demand_running()
        return all(_answers(port) for port in self.metrics.values())

    def stop(self) -> None:
        """SIGTERM to all at once, and wait until they have drained."""
        for child in self._children.values():
            child.send(signal.SIGTERM)
        for child in self._children.values():
            child.stop(seconds=STOP_SECONDS_MAX)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=1)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
