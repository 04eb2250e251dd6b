"""Clean databases and clean brokers for tests."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from services.runtime import migrations

_numbers = count(1)

needs_local = pytest.mark.skipif(
    any(os.environ.get(name) for name in ("MILEPOST_STACK", "MILEPOST_KAFKA_BOOTSTRAP_SERVERS")),
    reason="another stack than the local one was asked for",
)


def in_a_thread(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end, whether or not this thread runs an event loop."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


def answers(port: int) -> bool:
    """Whether somebody listens on the port of 127.0.0.1."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def database_named(url: str, name: str) -> str:
    """The same server's URL of another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def create_database(url: str, template: str = "template0") -> str:
    """Create a database of its own on the server of `url`; returns its URL."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    in_a_thread(_execute(url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    return database_named(url, name)


def migrate(url: str) -> None:
    """Bring a database to the current schema."""
    in_a_thread(migrations.migrate(url))


def name_of(url: str) -> str:
    """The database's name in its URL."""
    return urlsplit(url).path.lstrip("/")


def drop_database(url: str, server_url: str) -> None:
    """Drop the database of `url`, whoever still uses it."""
    name = name_of(url)
    in_a_thread(_execute(server_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


def delete_topics(bootstrap: str) -> None:
    """Leave the broker without topics of ours, and so without offsets of theirs."""
    in_a_thread(_delete_topics(bootstrap))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _delete_topics(bootstrap: str) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        while ours := [name for name in await client.list_topics() if not name.startswith("__")]:
            # A broker shows what is gone for a moment more: who makes a topic of that name then
            # would take it for there.
            await client.delete_topics(ours)
            await asyncio.sleep(0.05)
    finally:
        await client.close()
