"""A service that ends by itself is said with its last words, its exit code and the way out."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from services.local import crew, ports
from services.local.crew import Crew, ServiceEnded


def test_a_port_that_another_program_took_ends_a_service_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server((ports.HOST, 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr(crew, "free_port", lambda: port)
        nowhere = {"MILEPOST_DATABASE_URL": "postgresql://127.0.0.1:9/x"}
        with Crew({**os.environ, **nowhere}, tmp_path) as services:
            services.start("publisher")
            with pytest.raises(ServiceEnded, match="run again, another one is chosen") as told:
                for _ in range(600):
                    services.demand_running()
                    time.sleep(0.05)
    assert told.value.exit_code == 2
    assert f"MILEPOST_METRICS_PORT: '127.0.0.1:{port}'" in str(told.value)
