"""What the environment names is used; what it names wrongly is refused."""

from __future__ import annotations

import pytest

from services.kernel.errors import InvalidInput
from services.local import stack

VARIABLES = ("MILEPOST_KAFKA_BOOTSTRAP_SERVERS", "MILEPOST_DATABASE_URL", "MILEPOST_STACK")


@pytest.fixture(autouse=True)
def _no_stack_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def test_servers_that_the_environment_names_are_used_and_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = "postgresql://app:s3cret@db.bank.example:5432/ledger?sslmode=require"
    monkeypatch.setenv("MILEPOST_KAFKA_BOOTSTRAP_SERVERS", "kafka.bank.example:9093")
    monkeypatch.setenv("MILEPOST_DATABASE_URL", url)
    with stack.start() as given:
        assert given.kafka_bootstrap == "kafka.bank.example:9093"
        assert given.database_url == url
        assert given.lines == stack.planned()
        assert "s3cret" not in " ".join(given.lines)
        assert "db.bank.example:5432/ledger" in given.lines[1]
        with pytest.raises(InvalidInput, match="not ours to stop"):
            given.kafka.kill()
        with pytest.raises(InvalidInput, match="not ours to stop"):
            given.postgres.crash()


def test_an_unknown_kind_of_stack_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILEPOST_STACK", "podman")
    with pytest.raises(InvalidInput) as refusal:
        stack.start()
    (problem,) = refusal.value.problems
    assert (problem.field, problem.value) == ("MILEPOST_STACK", "podman")
    assert "local, containers" in problem.why


def test_the_banner_before_the_start_says_which_servers_will_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert [line.split(" (")[0] for line in stack.planned()] == ["Apache Kafka", "PostgreSQL 18"]
    monkeypatch.setenv("MILEPOST_STACK", "containers")
    assert all(line.startswith("container ") for line in stack.planned())
