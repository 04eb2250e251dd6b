"""`milepost bench` measures what it says, small, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.servers import needs_local

pytestmark = [pytest.mark.slow, needs_local]

COMMAND = [sys.executable, "-m", "services.cli", "--output", "json", "bench"]
SMALL = ["--transactions", "2000", "--paced-seconds", "1", "--rate", "500"]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("MILEPOST_")}


def test_a_small_bench_prints_one_document_with_every_figure() -> None:
    done = subprocess.run(
        [*COMMAND, *SMALL], env=_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["transactions"] == 2_000
    assert found["transactions_per_second"] > 0
    cpu = found["cpu_us_per_transaction"]
    assert list(cpu) == ["ingest", "accrual", "publisher", "postgres", "kafka"]
    assert all(used > 0 for used in cpu.values())
    paced = found["paced"]
    assert paced["rate"] == 500
    assert 0 < paced["p50_ms"] <= paced["p95_ms"] <= paced["p99_ms"]
    assert found["floor_ratio"] > 1
    assert "invariants hold" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="descendants are read from /proc")
def test_ctrl_c_leaves_no_process_behind() -> None:
    bench = subprocess.Popen(
        [*COMMAND, "--transactions", "5000000"],
        env=_environment(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert bench.stderr is not None
    for told in bench.stderr:
        if "started" in told:
            break
    children = _children(bench.pid)
    assert len(children) >= 6  # the broker, the database, and four services
    bench.send_signal(signal.SIGINT)
    with bench:
        assert "no process is left" in bench.stderr.read()
    assert bench.returncode == 130
    assert not any(_alive(pid) for pid in children)


def _children(parent: int) -> list[int]:
    return [
        int(stat.parent.name)
        for stat in Path("/proc").glob("[0-9]*/stat")
        if int(stat.read_text().rpartition(")")[2].split()[1]) == parent
    ]


def _alive(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True
