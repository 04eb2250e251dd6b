"""Kafka's jars are what the two pinned lists say, or nothing starts."""

from __future__ import annotations

import hashlib
import importlib.resources
import tomllib
from pathlib import Path

import pytest

from services.kernel.errors import InvalidInput, Unreachable
from services.local import jars

DATA = importlib.resources.files("deploy") / "kafka"


def _silence(line: str) -> None:
    del line


def test_every_coordinate_has_a_pinned_hash_and_every_hash_a_coordinate() -> None:
    coordinates = tomllib.loads((DATA / "jgo.toml").read_text())["dependencies"]["coordinates"]
    named = [f"{artifact}-{version}.jar" for _, artifact, version in map(_parts, coordinates)]
    hashes = jars.read_hashes((DATA / "jars.sha256").read_text())
    assert sorted(named) == sorted(hashes)
    assert all(len(digest) == 64 for digest in hashes.values())


def _parts(coordinate: str) -> list[str]:
    return coordinate.split(":")


def test_a_jar_with_another_hash_is_refused_and_so_is_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "good.jar").write_bytes(b"good")
    (tmp_path / "evil.jar").write_bytes(b"evil")
    good = hashlib.sha256(b"good").hexdigest()
    with pytest.raises(InvalidInput) as refusal:
        jars.check(tmp_path, {"good.jar": good, "evil.jar": good, "gone.jar": good})
    evil, gone = refusal.value.problems
    assert (evil.file, evil.value) == (
        str(tmp_path / "evil.jar"),
        hashlib.sha256(b"evil").hexdigest(),
    )
    assert good in evil.why
    assert gone.value == "missing"


def test_a_folder_without_a_broker_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILEPOST_KAFKA_LIBS", str(tmp_path))
    with pytest.raises(InvalidInput) as refusal:
        jars.find_jars(_silence)
    (problem,) = refusal.value.problems
    assert (problem.field, problem.value) == ("MILEPOST_KAFKA_LIBS", str(tmp_path))


def test_a_distributions_libs_folder_is_used_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("kafka_2.13-4.1.0.jar", "kafka-clients-4.1.0.jar", "README"):
        (tmp_path / name).touch()
    monkeypatch.setenv("MILEPOST_KAFKA_LIBS", str(tmp_path))
    found = jars.find_jars(_silence)
    assert found.version == "4.1.0"
    assert [path.name for path in found.paths] == [
        "kafka-clients-4.1.0.jar",
        "kafka_2.13-4.1.0.jar",
    ]


def test_without_a_network_the_error_names_both_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MILEPOST_KAFKA_LIBS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for variable in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(Unreachable) as refusal:
        jars.find_jars(_silence)
    assert "MILEPOST_KAFKA_LIBS" in refusal.value.hint
    assert "MILEPOST_KAFKA_BOOTSTRAP_SERVERS" in refusal.value.hint
    assert not list(tmp_path.rglob("*.jar"))
