"""A real Kafka and a real PostgreSQL for the demo, the tests and the bench.

    with stack.start() as servers:
        servers.kafka_bootstrap, servers.database_url

What the environment names is used (MILEPOST_KAFKA_BOOTSTRAP_SERVERS, MILEPOST_DATABASE_URL). What
it does not name is started: as containers with MILEPOST_STACK=containers, else on this machine from
the wheels of the `local` extra. Nothing that was started outlives the process that started it.

Every call here blocks, some for seconds, and may be made from any thread: in a coroutine,
`await asyncio.to_thread(servers.kafka.restart)`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from services.kernel.errors import InvalidInput, Problem
from services.local.archive import class_archive
from services.local.containers import KAFKA_IMAGE, POSTGRES_IMAGE, ContainerKafka, ContainerPostgres
from services.local.folder import Folder
from services.local.given import GivenKafka, GivenPostgres
from services.local.jars import find_jars
from services.local.java import find_java
from services.local.kafka import HEAP_MIB, KafkaListener, LocalKafka
from services.local.postgres import LocalPostgres
from services.local.room import full_disk_said

BOOTSTRAP_VARIABLE = "MILEPOST_KAFKA_BOOTSTRAP_SERVERS"
DATABASE_VARIABLE = "MILEPOST_DATABASE_URL"
DATABASE_FILE_VARIABLE = "MILEPOST_DATABASE_URL_FILE"
STACK_VARIABLE = "MILEPOST_STACK"
STACKS = ("local", "containers")

Report = Callable[[str], None]


class Server(Protocol):
    """What the stack asks of a server, wherever it runs."""

    @property
    def description(self) -> str:
        """One line for a banner, without a password."""

    @property
    def pids(self) -> tuple[int, ...]:
        """Its first process, for those who measure; empty where it is not on this machine."""

    def start(self) -> None:
        """Start and wait until it answers; Unreachable says why not."""

    def stop(self) -> None:
        """Stop in order, if it runs."""

    def restart(self) -> None:
        """Stop it if it runs, and start it again: same data, same address."""


class Kafka(Server, Protocol):
    """A broker."""

    @property
    def bootstrap(self) -> str:
        """host:port of the plain listener."""

    @property
    def sasl_ssl_bootstrap(self) -> str | None:
        """host:port of the SASL_SSL listener, where one was asked for."""

    def kill(self) -> None:
        """kill -9."""


class Postgres(Server, Protocol):
    """A database server."""

    @property
    def url(self) -> str:
        """postgresql://…, with the password."""

    def crash(self) -> None:
        """Stop at once without a checkpoint, as a power cut would."""


class Stack:
    """A running pair; a context manager that stops it."""

    def __init__(self, kafka: Kafka, postgres: Postgres, folder: Folder) -> None:
        self.kafka = kafka
        self.postgres = postgres
        self._folder = folder

    @property
    def kafka_bootstrap(self) -> str:
        """host:port of the broker's plain listener."""
        return self.kafka.bootstrap

    @property
    def database_url(self) -> str:
        """postgresql://…, with the password."""
        return self.postgres.url

    @property
    def folder(self) -> Path:
        """Where its data lies; gone after `stop` unless it is kept."""
        return self._folder.path

    @property
    def lines(self) -> tuple[str, ...]:
        """What runs, for a banner, one server a line."""
        return self.kafka.description, self.postgres.description

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead a process of ours to this stack."""
        return {BOOTSTRAP_VARIABLE: self.kafka_bootstrap, DATABASE_VARIABLE: self.database_url}

    def stop(self) -> None:
        """Stop both servers and remove their data unless it is kept."""
        try:
            self.kafka.stop()
        finally:
            self.postgres.stop()
            self._folder.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start(
    *,
    keep: Path | None = None,
    secure: KafkaListener | None = None,
    heap_mib: int = HEAP_MIB,
    report: Report = lambda line: None,
) -> Stack:
    """Start, or find, a Kafka and a PostgreSQL, and wait until both answer.

    `keep` names a folder whose data stays, and is found again by a later start. `secure` adds a
    SASL_SSL listener to a local broker. `report` is told what takes long.
    Raises Unreachable or InvalidInput, with the way out; then nothing runs and nothing is left.
    """
    way = _way()
    folder = Folder(keep)
    servers: list[Server] = []
    try:
        with full_disk_said(folder.path):
            kafka = _kafka(way, folder.path, secure, heap_mib, report)
            servers.append(kafka)
            postgres = _postgres(way, folder.path)
            servers.append(postgres)
            with ThreadPoolExecutor(max_workers=2) as pool:
                for started in [pool.submit(server.start) for server in servers]:
                    started.result()
    except BaseException:
        for server in servers:
            server.stop()
        folder.remove()
        raise
    return Stack(kafka, postgres, folder)


def planned() -> tuple[str, ...]:
    """What `start` would run, for a banner before it does."""
    way = _way()
    local = {
        "local": ("Apache Kafka (local, KRaft, one broker)", "PostgreSQL 18 (local)"),
        "containers": (f"container {KAFKA_IMAGE}", f"container {POSTGRES_IMAGE}"),
    }[way]
    given_kafka, given_database = _given()
    return (
        given_kafka.description if given_kafka else local[0],
        given_database.description if given_database else local[1],
    )


def _way() -> str:
    way = (os.environ.get(STACK_VARIABLE) or "local").lower()
    if way not in STACKS:
        why = f"must be one of: {', '.join(STACKS)}"
        raise InvalidInput([Problem(field=STACK_VARIABLE, value=way, why=why)])
    return way


def _given() -> tuple[GivenKafka | None, GivenPostgres | None]:
    bootstrap = os.environ.get(BOOTSTRAP_VARIABLE)
    url = os.environ.get(DATABASE_VARIABLE) or _read(os.environ.get(DATABASE_FILE_VARIABLE))
    return (
        GivenKafka(bootstrap, BOOTSTRAP_VARIABLE) if bootstrap else None,
        GivenPostgres(url, DATABASE_VARIABLE) if url else None,
    )


def _read(secret_file: str | None) -> str | None:
    try:
        return Path(secret_file).read_text().strip() if secret_file else None
    except OSError as error:
        problem = Problem(field=DATABASE_FILE_VARIABLE, value=secret_file, why=str(error))
        raise InvalidInput([problem]) from None


def _kafka(
    way: str, folder: Path, secure: KafkaListener | None, heap_mib: int, report: Report
) -> Kafka:
    given, _ = _given()
    if given:
        return given
    if way == "containers":
        return ContainerKafka()
    java = find_java()
    jars = find_jars(report)
    return LocalKafka(
        folder / "kafka",
        java=java,
        jars=jars,
        jvm_options=class_archive(java, jars, report),
        heap_mib=heap_mib,
        secure=secure,
    )


def _postgres(way: str, folder: Path) -> Postgres:
    _, given = _given()
    if given:
        return given
    return ContainerPostgres() if way == "containers" else LocalPostgres(folder / "postgres")
