"""A service starts, answers for its health, stops when told and says how it ended."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import pytest

from services.kernel.errors import InvalidInput, InvariantViolated, Retryable, Unreachable
from services.runtime import service as runtime_service
from services.runtime.health import Health, serve
from services.runtime.metrics import Metrics
from services.runtime.service import Service, Stopped, run_service
from services.runtime.settings import load_settings

SETTINGS = load_settings({"MILEPOST_METRICS_PORT": "0", "MILEPOST_LOG_LEVEL": "info"})
Main = Callable[[Service], Awaitable[None]]


@pytest.fixture(autouse=True)
def _logs_as_before() -> None:
    logging.getLogger().handlers.clear()


def run(main: Main, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, object]]]:
    code = run_service("test", SETTINGS, main)
    lines = capsys.readouterr().err.splitlines()
    return code, [json.loads(line) for line in lines if line.startswith("{")]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("a bug"), 1),
        (Retryable("later"), 1),
        (InvalidInput("wrong"), 2),
        (Unreachable("Kafka", "localhost:1", "Start it."), 3),
        (InvariantViolated("does not balance"), 4),
    ],
)
def test_the_exit_code_says_how_it_ended(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    async def main(_: Service) -> None:
        raise error

    ended, lines = run(main, capsys)
    assert ended == code
    assert (lines[-1]["event"], lines[-1]["error"]) == ("ended", str(error))
    assert ("exception" in lines[-1]) == (code == 1)


def test_several_errors_at_once_end_as_the_first_that_matters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def main(_: Service) -> None:
        raise ExceptionGroup("", [Stopped(), ExceptionGroup("", [InvariantViolated("rounded")])])

    ended, lines = run(main, capsys)
    assert (ended, lines[-1]["error"]) == (4, "rounded")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_work_drain_and_exits_with_0(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    drained = []

    async def main(service: Service) -> None:
        service.started()
        os.kill(os.getpid(), number)
        await service.stop.wait()
        await asyncio.sleep(0.05)
        drained.append(True)

    code, lines = run(main, capsys)
    assert (code, drained) == (0, [True])
    assert [line["event"] for line in lines][-2:] == ["stopping", "stopped"]


def test_the_collector_rests_while_a_service_runs_and_only_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = gc.get_threshold()
    seen = []

    async def main(service: Service) -> None:
        service.started()
        seen.append((gc.get_freeze_count() > 0, gc.get_threshold() > before))

    assert run(main, capsys)[0] == 0
    Service("guest", SETTINGS).started()
    assert seen == [(True, True)]
    assert (gc.get_freeze_count(), gc.get_threshold()) == (0, before)


def test_work_that_does_not_drain_is_cancelled(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_service, "STOP_SECONDS", 0.1)

    async def main(service: Service) -> None:
        service.stop.set()
        await asyncio.sleep(60)

    code, lines = run(main, capsys)
    assert code == 0
    assert "did not drain in time" in str(lines[-2]["event"])


def test_a_service_waits_for_what_is_away(capsys: pytest.CaptureFixture[str]) -> None:
    tries = []

    async def connect() -> str:
        tries.append(True)
        if len(tries) < 3:
            raise Unreachable("PostgreSQL", "db:5432/milepost", "Start it.")
        return "connected"

    async def main(service: Service) -> None:
        assert await service.reach(connect) == "connected"
        assert "PostgreSQL" not in service.health.waiting_for

    code, lines = run(main, capsys)
    assert code == 0
    waited = [line for line in lines if line["event"] == "waiting, will try again"]
    assert [line["tries"] for line in waited] == [1, 2]
    assert "db:5432/milepost" in str(waited[0]["error"])


def test_a_service_that_waits_can_be_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    async def connect() -> str:
        raise Unreachable("Kafka", "localhost:1", "Start it.")

    async def main(service: Service) -> None:
        asyncio.get_running_loop().call_later(0.2, os.kill, os.getpid(), signal.SIGTERM)
        await service.reach(connect)

    assert run(main, capsys)[0] == 0


async def ask(port: int, request: str) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.encode())
    answer = (await reader.read()).decode()
    writer.close()
    return int(answer.split()[1]), answer.partition("\r\n\r\n")[2]


async def test_health_and_metrics_are_served() -> None:
    metrics, health = Metrics(), Health()
    metrics.count("milepost_records_total", 7, outcome="POSTED", reason="")
    metrics.set("milepost_stream_position", 42, stream="card-transactions/3")
    server = await serve(metrics, health, host="127.0.0.1", port=0)
    port = server.sockets[0].getsockname()[1]
    try:
        health.waiting_for = {"Kafka", "PostgreSQL"}
        assert await ask(port, "GET /livez HTTP/1.1\r\n\r\n") == (200, "ok\n")
        waits = (503, "waits for Kafka, PostgreSQL\n")
        assert await ask(port, "GET /readyz HTTP/1.1\r\n\r\n") == waits
        health.waiting_for.clear()
        assert await ask(port, "GET /readyz?verbose HTTP/1.1\r\n\r\n") == (200, "ok\n")
        status, text = await ask(port, "GET /metrics HTTP/1.1\r\n\r\n")
        assert status == 200
        assert 'milepost_records_total{outcome="POSTED",reason=""} 7.0' in text
        assert 'milepost_stream_position{stream="card-transactions/3"} 42.0' in text
        assert await ask(port, "HEAD /livez HTTP/1.1\r\n\r\n") == (200, "")
        assert (await ask(port, "POST /livez HTTP/1.1\r\n\r\n"))[0] == 405
        assert (await ask(port, "GET /secrets HTTP/1.1\r\n\r\n"))[0] == 404
        health.alive = False
        assert (await ask(port, "GET /livez HTTP/1.1\r\n\r\n"))[0] == 503
    finally:
        server.close()


async def test_a_port_in_use_is_said_plainly() -> None:
    server = await serve(Metrics(), Health(), host="127.0.0.1", port=0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(InvalidInput, match=f"127.0.0.1:{port}.*choose another"):
        await serve(Metrics(), Health(), host="127.0.0.1", port=port)
    server.close()


def test_a_misspelt_metric_or_label_is_an_error() -> None:
    metrics = Metrics()
    with pytest.raises(KeyError):
        metrics.count("milepost_record_total")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="label"):
        metrics.count("milepost_records_total", account="a-1")


FAILING = """
from services.runtime.failpoint import failpoint
for n in range(1, 4):
    failpoint(f"step {n}")
    print(n, flush=True)
"""


@pytest.mark.parametrize(("fail_at", "printed", "code"), [("2", "1", 137), ("9", "1 2 3", 0)])
def test_the_process_ends_at_the_failpoint_that_is_counted_to(
    fail_at: str, printed: str, code: int
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FAILING],
        env={**os.environ, "MILEPOST_FAIL_AT": fail_at},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.stdout.split(), ended.returncode) == (printed.split(), code)
    assert ended.stderr == ("failpoint: step 2\n" if code else "")


def test_a_failpoint_costs_next_to_nothing_when_it_is_off() -> None:
    from services.runtime.failpoint import failpoint  # noqa: PLC0415 - measured as imported

    started = time.perf_counter()
    for _ in range(10_000):
        failpoint("off")
    assert time.perf_counter() - started < 0.1
