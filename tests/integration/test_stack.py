"""The local stack is a real one, and survives what a real one survives."""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError
from aiokafka.helpers import create_ssl_context

from services.kernel.errors import InvalidInput, Unreachable
from services.local import kafka, ports, postgres
from services.local import stack as local_stack
from services.local.folder import PREFIX
from services.local.jars import find_jars
from services.local.kafka import KafkaListener
from tests.support.certificates import Authority
from tests.support.servers import in_a_thread, needs_local


@needs_local
def test_a_jar_with_a_wrong_hash_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack: local_stack.Stack
) -> None:
    del stack  # it fetched the jars
    pinned = find_jars(print).cache
    mine = tmp_path / "milepost" / pinned.name
    mine.mkdir(parents=True)
    for jar in pinned.glob("*.jar"):
        (mine / jar.name).symlink_to(jar)
    (mine / "snakeyaml-2.5.jar").unlink()
    (mine / "snakeyaml-2.5.jar").write_bytes(b"PK not what was pinned")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(InvalidInput) as refusal:
        local_stack.start()
    (problem,) = refusal.value.problems
    assert problem.file == str(mine / "snakeyaml-2.5.jar")
    assert problem.field == "sha256"


@needs_local
@pytest.mark.parametrize("server", [kafka, postgres])
def test_a_port_that_another_program_took_is_said_plainly(
    server: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as others:

        def taken_meanwhile() -> int:
            port = ports.free_port()
            others.enter_context(socket.create_server((ports.HOST, port)))
            return port

        monkeypatch.setattr(server, "free_port", taken_meanwhile)
        with pytest.raises(Unreachable, match="Another program took its port"):
            local_stack.start()


async def test_acknowledged_records_survive_a_killed_broker(
    fresh_stack: local_stack.Stack,
) -> None:
    bootstrap = fresh_stack.kafka_bootstrap
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("kept", 1, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    for number in range(100):
        await producer.send_and_wait("kept", str(number).encode(), partition=0)
    fresh_stack.kafka.kill()
    fresh_stack.kafka.restart()
    await producer.send_and_wait("kept", b"100", partition=0)
    await producer.stop()
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    consumer.assign([TopicPartition("kept", 0)])
    await consumer.seek_to_beginning()
    seen: list[int] = []
    while len(seen) < 101:
        for records in (await consumer.getmany(timeout_ms=1000)).values():
            seen += [int(record.value) for record in records]
    await consumer.stop()
    assert seen == list(range(101))


async def test_committed_rows_survive_a_crashed_database(fresh_stack: local_stack.Stack) -> None:
    connection = await asyncpg.connect(fresh_stack.database_url)
    assert await connection.fetchval("SHOW fsync") == "on"
    assert await connection.fetchval("SHOW synchronous_commit") == "on"
    assert await connection.fetchval("SHOW full_page_writes") == "on"
    assert await connection.fetchval("SHOW data_checksums") == "on"
    await connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    fresh_stack.postgres.crash()
    await connection.close(timeout=1)
    fresh_stack.postgres.restart()
    connection = await asyncpg.connect(fresh_stack.database_url)
    assert await connection.fetchval("SELECT count(*) FROM kept") == 1000
    await connection.close()


@needs_local
def test_a_kept_folder_is_found_again(tmp_path: Path) -> None:
    # Not below pytest's own folder: nobody but its owner may enter that one.
    kept = Path(f"/var/tmp/{PREFIX}kept-{os.getpid()}")
    try:
        with local_stack.start(keep=kept) as stack:
            in_a_thread(_create_both(stack))
        with local_stack.start(keep=kept) as stack:
            assert in_a_thread(_find_both(stack)) == (True, True)
    finally:
        shutil.rmtree(kept, ignore_errors=True)


async def _create_both(stack: local_stack.Stack) -> None:
    connection = await asyncpg.connect(stack.database_url)
    await connection.execute("CREATE TABLE kept ()")
    await connection.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("kept", 1, 1)])
    await admin.close()


async def _find_both(stack: local_stack.Stack) -> tuple[bool, bool]:
    connection = await asyncpg.connect(stack.database_url)
    table = await connection.fetchval("SELECT to_regclass('kept') IS NOT NULL")
    await connection.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
    await admin.start()
    topics = await admin.list_topics()
    await admin.close()
    return table, "kept" in topics


@needs_local
def test_a_secure_listener_knows_its_users_and_shows_its_certificate(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, name="other")
    secure = KafkaListener(authority.issue("127.0.0.1"), {"ann": "right-word"})
    with local_stack.start(secure=secure) as stack:
        address = stack.kafka.sasl_ssl_bootstrap
        assert address is not None
        for mechanism in ("SCRAM-SHA-512", "PLAIN"):
            in_a_thread(_log_in(address, mechanism, "right-word", authority.ca))
            with pytest.raises(KafkaConnectionError):
                in_a_thread(_log_in(address, mechanism, "wrong-word", authority.ca))
        with pytest.raises(KafkaConnectionError):
            in_a_thread(_log_in(address, "PLAIN", "right-word", other.ca))


async def _log_in(address: str, mechanism: str, password: str, ca: Path) -> None:
    admin = AIOKafkaAdminClient(
        bootstrap_servers=address,
        security_protocol="SASL_SSL",
        sasl_mechanism=mechanism,
        sasl_plain_username="ann",
        sasl_plain_password=password,
        ssl_context=create_ssl_context(cafile=str(ca)),
    )
    try:
        await admin.start()
    finally:
        await admin.close()


async def test_containers_are_the_other_way_where_a_docker_engine_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MILEPOST_STACK", "containers")
    for name in ("MILEPOST_KAFKA_BOOTSTRAP_SERVERS", "MILEPOST_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    try:
        stack = local_stack.start()
    except Unreachable as error:
        assert "Unset MILEPOST_STACK" in error.hint
        pytest.skip(f"the containers way was not tried: {error}")
    with stack:
        assert await _find_both(stack) == (False, False)
        stack.kafka.kill()
        stack.postgres.crash()
        stack.kafka.restart()
        stack.postgres.restart()
        assert await _find_both(stack) == (False, False)
