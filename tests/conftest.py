"""Servers for tests: started once a session, only when a test asks for them.

stack          the session's Kafka and PostgreSQL (services.local.stack.Stack)
database_url   an empty database of this test's own on that server
migrated_url   the same, with today's tables
broker         that Kafka, without any topic; `kafka_bootstrap` is its address
fresh_stack    a Kafka and a PostgreSQL of this test's own, to be killed and crashed
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from services.local import stack as local_stack
from services.runtime.migrations import migrate
from tests.support import servers

# What fails in these modules is explained as if it stood in the test itself.
pytest.register_assert_rewrite("tests.simulation.checks", "tests.simulation.proof")

# Whoever starts us in the background may have Ctrl-C ignored, and every child would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> list[str]:
    kafka, postgres = local_stack.planned()
    return [f"stack: {kafka}; {postgres}"]


@pytest.fixture(scope="session")
def stack(pytestconfig: pytest.Config) -> Iterator[local_stack.Stack]:
    with local_stack.start(report=_reporter(pytestconfig)) as running:
        yield running


@pytest.fixture
def fresh_stack(pytestconfig: pytest.Config) -> Iterator[local_stack.Stack]:
    with local_stack.start(report=_reporter(pytestconfig)) as running:
        yield running


@pytest.fixture
def database_url(stack: local_stack.Stack) -> Iterator[str]:
    url = servers.create_database(stack.database_url)
    yield url
    servers.drop_database(url, stack.database_url)


@pytest.fixture(scope="session")
def _template(stack: local_stack.Stack) -> str:
    """A migrated database that others are copied from: faster than migrating each."""
    url = servers.create_database(stack.database_url)
    servers.in_a_thread(migrate(url))
    return url


@pytest.fixture
def migrated_url(stack: local_stack.Stack, _template: str) -> Iterator[str]:
    url = servers.create_database(stack.database_url, template=servers.name_of(_template))
    yield url
    servers.drop_database(url, stack.database_url)


@pytest.fixture
def broker(stack: local_stack.Stack) -> local_stack.Kafka:
    servers.delete_topics(stack.kafka_bootstrap)
    return stack.kafka


@pytest.fixture
def kafka_bootstrap(broker: local_stack.Kafka) -> str:
    return broker.bootstrap


def _reporter(config: pytest.Config) -> local_stack.Report:
    """Say on the terminal what takes long, past pytest's capture."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")

    def report(line: str) -> None:
        if terminal is None or capture is None:
            return
        with capture.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write_line(line)

    return report
