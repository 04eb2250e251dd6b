"""Runs a service: settings, logs, health, signals, and an exit code for how it ended."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from services.kernel.errors import InvalidInput, InvariantViolated, Unreachable
from services.runtime.backoff import Backoff
from services.runtime.health import Health, serve
from services.runtime.metrics import Metrics
from services.runtime.settings import Settings
from services.runtime.telemetry import configure_logs, get_logger

STOP_SECONDS = 9.0
COLLECT_AFTER_OBJECTS = 500_000
"""More than a full batch makes."""
T = TypeVar("T")
_log = get_logger("milepost.service")


class Stopped(Exception):
    """The service was told to stop while it waited."""


@dataclass(slots=True)
class Service:
    """What a running service is given: its settings and its ties to the world."""

    name: str
    settings: Settings
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    metrics: Metrics = field(default_factory=Metrics)
    health: Health = field(default_factory=Health)
    alone: bool = False
    """Whether the process is this service's own, to tune as it likes."""

    @property
    def owner(self) -> str:
        """This process, as `stream_position` names it."""
        return f"{self.name}@{socket.gethostname()}/{os.getpid()}"

    async def reach(self, connect: Callable[[], Awaitable[T]]) -> T:
        """What `connect` gives, tried again while the other side cannot be reached.

        Raises Stopped when the service is told to stop meanwhile.
        """
        backoff = Backoff(longest=10)
        while not self.stop.is_set():
            try:
                connected = await connect()
            except Unreachable as error:
                self.health.waiting_for.add(error.what)
                self.metrics.count("milepost_retries_total", what=error.what)
                _log.warning("waiting, will try again", error=str(error), tries=backoff.tries + 1)
                await backoff.wait(self.stop)
            else:
                self.health.waiting_for -= {"PostgreSQL", "Kafka"}
                return connected
        raise Stopped

    def started(self) -> None:
        """Everything long-lived is built: the collector need not look at it again.

        Nor at what a batch makes, which lives as long as the batch and dies by its reference
        counts: looked at every few hundred objects, it would cost a quarter of the time.
        """
        if self.alone:
            gc.collect()
            gc.freeze()
            gc.set_threshold(COLLECT_AFTER_OBJECTS, 10, 10)
        self.health.waiting_for.discard("start")
        _log.info("started", owner=self.owner)


def run_service(name: str, settings: Settings, main: Callable[[Service], Awaitable[None]]) -> int:
    """Runs `main` until it ends or SIGTERM or SIGINT comes; gives the exit code.

    0 stopped or done, 1 an unexpected error, 2 invalid input, 3 a service cannot be reached,
    4 an invariant is violated. `main` has to return soon after `service.stop` is set; after
    nine seconds it is cancelled, which is safe: what was not committed is done again.
    """
    configure_logs(settings.log_level, service=name)
    threshold = gc.get_threshold()
    try:
        return asyncio.run(_run(Service(name, settings, alone=True), main))
    finally:
        gc.unfreeze()  # What stays frozen, extension modules miss when the interpreter ends.
        gc.set_threshold(*threshold)


def exit_code(error: BaseException) -> int:
    """The exit code of interfaces.md for an error."""
    match error:
        case InvalidInput():
            return 2
        case Unreachable():
            return 3
        case InvariantViolated():
            return 4
        case _:
            return 1


async def _run(service: Service, main: Callable[[Service], Awaitable[None]]) -> int:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _told_to_stop, service, number)
    server = None
    try:
        settings = service.settings
        if settings.fail_at is not None:
            _log.warning("a failpoint will end this process", setting="MILEPOST_FAIL_AT")
        if settings.metrics_port is not None:
            host, port = settings.metrics_host, settings.metrics_port
            server = await serve(service.metrics, service.health, host=host, port=port)
            _log.info("serving metrics", port=server.sockets[0].getsockname()[1])
        await _until_stopped(service, main)
        _log.info("stopped")
        return 0
    except Exception as raised:
        error = _first(raised)
        if isinstance(error, Stopped):
            _log.info("stopped")
            return 0
        service.health.alive = False
        code = exit_code(error)
        _log.error("ended", error=str(error), exc_info=error if code == 1 else None)
        if code == 2:
            sys.stderr.write(f"{error}\n")
        return code
    finally:
        if server is not None:
            server.close()


async def _until_stopped(service: Service, main: Callable[[Service], Awaitable[None]]) -> None:
    work = asyncio.ensure_future(main(service))
    stopping = asyncio.ensure_future(service.stop.wait())
    await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not work.done():
        service.health.waiting_for.add("stop")
        await asyncio.wait({work}, timeout=STOP_SECONDS)
    if not work.done():
        _log.warning("did not drain in time; cancelled, nothing is lost", seconds=STOP_SECONDS)
        work.cancel()
        await asyncio.wait({work}, timeout=1)
        return
    await work


def _first(error: BaseException) -> BaseException:
    """The error itself, or of several at once the first that is more than a stop."""
    if isinstance(error, BaseExceptionGroup):
        found = [_first(one) for one in error.exceptions]
        return next((one for one in found if not isinstance(one, Stopped)), found[0])
    return error


def _told_to_stop(service: Service, number: signal.Signals) -> None:
    _log.info("stopping", reason=number.name)
    service.stop.set()
