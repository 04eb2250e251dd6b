"""The other way to a real Kafka and PostgreSQL: containers, where a Docker engine answers."""

from __future__ import annotations

import importlib
import importlib.resources
import secrets
import time
from abc import ABC, abstractmethod
from typing import Any

from services.kernel.errors import Unreachable
from services.local.kafka import STARTED
from services.local.ports import HOST, free_port

KAFKA_IMAGE = "apache/kafka:4.3.1"
POSTGRES_IMAGE = "postgres:18.6"
CONTROLLER = "127.0.0.1:9093"
START_SECONDS_MAX = 120


class Container(ABC):
    """A container with one published port that keeps its address over a restart."""

    what = "A container"

    def __init__(self, image: str, inner_port: int) -> None:
        """Prepare it. Raises Unreachable when no Docker engine answers."""
        self._image = image
        self._port = free_port()
        try:
            module: Any = importlib.import_module("testcontainers.core.container")
            self._container = module.DockerContainer(image)
        except ImportError:
            raise self._unreachable('Install it: pip install "milepost[containers]".') from None
        except Exception as error:  # docker's errors cannot be imported where it is not installed
            raise self._unreachable(f"No Docker engine answers ({error}).") from None
        # Its with_bind_ports would open the port to the whole network.
        self._container.ports[str(inner_port)] = (HOST, self._port)

    @property
    def description(self) -> str:
        """One line for a banner."""
        return f"{self.what} (container {self._image}, {HOST}:{self._port})"

    @property
    def pids(self) -> tuple[int, ...]:
        """None that this machine's account may measure."""
        return ()

    def start(self) -> None:
        """Start and wait until it answers."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start without waiting; the image is fetched when it is missing."""
        try:
            self._container.start()
        except Exception as error:  # see above
            raise self._unreachable(f"The container did not start ({error}).") from None

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._ready():
            if time.monotonic() > deadline:
                raise self._unreachable("The container runs but does not answer.")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop and remove it."""
        self._container.stop()

    def restart(self) -> None:
        """Start the same container again, with its data and address."""
        self._container.get_wrapped_container().restart()
        self.wait()

    def _signal(self, name: str) -> None:
        self._container.get_wrapped_container().kill(signal=name)
        self._container.get_wrapped_container().wait()

    @abstractmethod
    def _ready(self) -> bool:
        """Whether it answers by now."""

    def _unreachable(self, hint: str) -> Unreachable:
        way_out = "Unset MILEPOST_STACK to run the local stack without Docker."
        return Unreachable(self.what, f"{self._image}", f"{hint} {way_out}")


class ContainerKafka(Container):
    """Apache Kafka's own image, with the settings of the local broker."""

    what = "Apache Kafka"
    sasl_ssl_bootstrap = None

    def __init__(self) -> None:
        super().__init__(KAFKA_IMAGE, 9092)
        self._starts = 1
        text = (importlib.resources.files("deploy") / "kafka" / "server.properties").read_text()
        pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] != "#")
        settings = dict(pairs) | {
            "listeners": f"PLAINTEXT://0.0.0.0:9092,CONTROLLER://{CONTROLLER}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": f"1@{CONTROLLER}",
        }
        for key, value in settings.items():
            self._container.with_env("KAFKA_" + key.upper().replace(".", "_"), value)

    @property
    def bootstrap(self) -> str:
        """host:port of the plain listener."""
        return f"{HOST}:{self._port}"

    def restart(self) -> None:
        """Start the same broker again, with its data and address."""
        self._starts += 1
        super().restart()

    def kill(self) -> None:
        """kill -9 of the broker; `restart` brings it back."""
        self._signal("SIGKILL")

    def _ready(self) -> bool:
        # By its own word: Docker opens the port before the broker does.
        output, _ = self._container.get_logs()
        return bool(output.count(STARTED) >= self._starts)


class ContainerPostgres(Container):
    """PostgreSQL's image."""

    what = "PostgreSQL"

    def __init__(self) -> None:
        super().__init__(POSTGRES_IMAGE, 5432)
        self._password = secrets.token_urlsafe(24)
        self._container.with_envs(POSTGRES_PASSWORD=self._password, POSTGRES_DB="milepost")

    @property
    def url(self) -> str:
        """postgresql://… of the database `milepost`, as its superuser, with the password."""
        return f"postgresql://postgres:{self._password}@{HOST}:{self._port}/milepost"

    def crash(self) -> None:
        """Stop at once without a checkpoint; `restart` recovers from the log."""
        self._signal("SIGQUIT")

    def _ready(self) -> bool:
        # The image starts a server without TCP first, to initialise: only TCP counts.
        code, _ = self._container.exec(["pg_isready", "-h", HOST, "-U", "postgres"])
        return bool(code == 0)
