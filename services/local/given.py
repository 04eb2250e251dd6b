"""Servers that somebody else runs, named by the environment: used as they are, never stopped."""

from __future__ import annotations

from typing import NoReturn
from urllib.parse import urlsplit

from services.kernel.errors import InvalidInput


class Given:
    """A server that is not ours to start or stop."""

    pids: tuple[int, ...] = ()

    def __init__(self, what: str, address: str, variable: str) -> None:
        """`variable` is the environment variable that names it; `address` holds no password."""
        self.description = f"{what} at {address} (from {variable})"

    def start(self) -> None:
        """It runs already."""

    def stop(self) -> None:
        """It goes on running."""

    def kill(self) -> NoReturn:
        """Raise InvalidInput."""
        self._refuse()

    def crash(self) -> NoReturn:
        """Raise InvalidInput."""
        self._refuse()

    def restart(self) -> NoReturn:
        """Raise InvalidInput."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise InvalidInput(f"{self.description} is not ours to stop: run a local stack for this")


class GivenKafka(Given):
    """A broker from MILEPOST_KAFKA_BOOTSTRAP_SERVERS; its security comes from the settings."""

    sasl_ssl_bootstrap = None

    def __init__(self, bootstrap: str, variable: str) -> None:
        super().__init__("Kafka", bootstrap, variable)
        self.bootstrap = bootstrap


class GivenPostgres(Given):
    """A database from MILEPOST_DATABASE_URL."""

    def __init__(self, url: str, variable: str) -> None:
        place = urlsplit(url)
        host, _, _ = place.netloc.rpartition("@")[2].partition("?")
        super().__init__("PostgreSQL", f"{host or 'a socket'}{place.path}", variable)
        self.url = url
