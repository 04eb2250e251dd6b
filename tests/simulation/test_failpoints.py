"""The process ends at every failpoint between poll and commit, one after the other; each time a
new process goes on, and the books come out the same.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.accrual.bootstrap import run_accrual, run_publisher
from services.accrual.intake import FRAME
from services.ingest.feeds.encoding import encode
from services.kernel.topics import ACCRUALS, CARD_TRANSACTIONS
from services.local.stack import Stack
from services.runtime import failpoint
from services.runtime.database import Database
from services.runtime.sealing import create_keys
from services.runtime.service import Service, run_service
from services.runtime.settings import load_settings
from services.runtime.stream_position import create_streams
from tests.simulation import staging
from tests.simulation.crowd import Crowd, crowd
from tests.simulation.world import World
from tests.support import servers

SEED = 7
POINTS_MAX = 80
DIES_SECONDS = 12
TABLES = {
    "card_event": "stream_id, seq, offset_at, outcome, reason, body",
    "event_identity": "identity, stream_id, seq",
    "purchase": "stream_id, purchase, label, body",
    "scope_total": "total_key, total, granted",
    "waiting_event": "stream_id, seq",
    "transfer": "*",
    "balance": "*",
}
Books = dict[str, list[tuple[Any, ...]]]


@pytest.mark.slow
def test_the_books_are_the_same_wherever_accrual_dies(stack: Stack, tmp_path: Path) -> None:
    world, people = _prepare(stack, tmp_path)
    template = _database(stack, people)
    whole = servers.create_database(stack.database_url, template=servers.name_of(template))
    _run_on(world, whole)
    expected = _books(whole)
    assert expected["transfer"] and expected["waiting_event"]
    died = 0
    for point in range(1, POINTS_MAX):
        url = servers.create_database(stack.database_url, template=servers.name_of(template))
        if not _dies(world, url, point):
            break
        died += 1
        _run_on(world, url)
        assert _books(url) == expected, f"after dying at failpoint {point}"
        servers.drop_database(url, stack.database_url)
    assert died >= 12, "the way from poll to commit has more steps than that"


@pytest.mark.slow
def test_every_transfer_is_published_wherever_the_publisher_dies(
    stack: Stack, tmp_path: Path
) -> None:
    world, people = _prepare(stack, tmp_path)
    template = _database(stack, people)
    _run_on(world, template)
    count = len(_books(template)["transfer"])
    for point in range(1, POINTS_MAX):
        url = servers.create_database(stack.database_url, template=servers.name_of(template))
        before = len(world.consumed(ACCRUALS))
        died = _dies(world, url, point, main="publisher")
        _run_on(world, url, main="publisher")
        found = [dict(record.headers)["transfer_id"] for record in world.consumed(ACCRUALS)]
        assert len(set(found[before:])) <= count
        assert len(set(found)) == count
        servers.drop_database(url, stack.database_url)
        if not died:
            break


def _prepare(stack: Stack, folder: Path) -> tuple[World, Crowd]:
    """A topic of one partition with some hundred hostile records."""
    servers.delete_topics(stack.kafka_bootstrap)
    world = World(stack, folder)
    create_keys(folder)
    people = crowd(SEED, groups=12)
    staging.create_topics(stack.kafka_bootstrap, {CARD_TRANSACTIONS: 1, ACCRUALS: 1})
    world.send(
        CARD_TRANSACTIONS,
        [(a.event.account_id, FRAME + encode(a.event)) for a in people.arrivals],
    )
    return world, people


def _database(stack: Stack, people: Crowd) -> str:
    """A database with contracts and members, and the stream at its start."""
    url = servers.create_database(stack.database_url)
    servers.migrate(url)

    async def fill() -> None:
        async with await Database.connect(url) as database, database.transaction() as connection:
            await create_streams(connection, {f"{CARD_TRANSACTIONS}/0": 0})

    asyncio.run(fill())
    for text in people.contracts:
        staging.sign(url, text)
    for rows in people.imports:
        staging.enrol(url, rows)
    return url


def _dies(world: World, url: str, point: int, *, main: str = "accrual") -> bool:
    """Run a service that ends at a failpoint; False when it had finished before."""
    process = _fork(world, url, point, main)
    process.join(DIES_SECONDS)
    if process.is_alive():
        process.terminate()
        process.join(20)
        return False
    return process.exitcode == failpoint.EXIT_CODE


def _run_on(world: World, url: str, *, main: str = "accrual") -> None:
    """Run a service until everything is done."""
    process = _fork(world, url, 0, main)
    try:
        asyncio.run(_settled(url, main))
    finally:
        process.terminate()
        process.join(20)


async def _settled(url: str, main: str) -> None:
    done = {
        "accrual": "SELECT next_offset >= $1 FROM stream_position",
        "publisher": "SELECT coalesce((SELECT seq FROM publisher_cursor), -1) = next_seq - 1"
        "  FROM stream_position WHERE $1 > 0",
    }[main]
    connection = await asyncpg.connect(url)
    try:
        count = len(crowd(SEED, groups=12).arrivals)
        async with asyncio.timeout(30):
            while not await connection.fetchval(done, count):
                await asyncio.sleep(0.05)
    finally:
        await connection.close()


def _fork(world: World, url: str, point: int, main: str) -> multiprocessing.Process:
    environment = {**world.environment, "MILEPOST_DATABASE_URL": url,
                   "MILEPOST_LOG_LEVEL": "error"}  # fmt: skip
    settings = {name: text for name, text in environment.items() if name.startswith("MILEPOST")}
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_serve, args=(settings, point, main), daemon=True)
    process.start()
    return process  # type: ignore[return-value]


def _serve(environment: dict[str, str], point: int, main: str) -> None:
    failpoint._left = point

    async def serve(service: Service) -> None:
        if main == "publisher":
            await run_publisher(service)
        else:
            await run_accrual(service, assign=[(CARD_TRANSACTIONS, 0)])

    raise SystemExit(run_service(main, load_settings(environment), serve))


def _books(url: str) -> Books:
    async def read() -> Books:
        connection = await asyncpg.connect(url)
        try:
            return {
                table: sorted(
                    (
                        tuple(row)
                        for row in await connection.fetch(f"SELECT {columns} FROM {table}")
                    ),
                    key=repr,
                )
                for table, columns in TABLES.items()
            }
        finally:
            await connection.close()

    return asyncio.run(read())
