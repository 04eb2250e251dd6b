"""The built wheel is whole: from an empty folder it has its data and can make its tables."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("milepost-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def _run(unpacked: Path, *arguments: str, **environment: str) -> str:
    """Python with the wheel and the locked dependencies, and nothing of the clone (-S)."""
    paths = [str(unpacked), sysconfig.get_path("purelib")]
    done = subprocess.run(
        [sys.executable, "-S", *arguments],
        cwd=unpacked.parent,
        env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_wheel_carries_its_schemas_and_the_brokers_pinned_list(unpacked: Path) -> None:
    script = (
        "from importlib.resources import files\n"
        "print(files('services'))\n"
        "print(len((files('deploy') / 'kafka' / 'jars.sha256').read_text().splitlines()))\n"
        "print((files('schemas') / 'avro' / 'card-transaction.avsc').is_file())"
    )
    assert _run(unpacked, "-c", script).splitlines() == [f"{unpacked / 'services'}", "46", "True"]


def test_the_wheel_carries_nothing_else(unpacked: Path) -> None:
    names = {path.name.split("-")[0] for path in unpacked.iterdir()}
    assert names == {"services", "schemas", "deploy", "milepost"}
    assert [path.name for path in (unpacked / "deploy").iterdir()] == ["kafka"]


def test_the_wheel_migrates_an_empty_database(unpacked: Path, database_url: str) -> None:
    _run(unpacked, "-m", "services.cli", "migrate", MILEPOST_DATABASE_URL=database_url)


@pytest.mark.slow
def test_the_wheel_plays_the_demo(unpacked: Path) -> None:
    told = _run(unpacked, "-m", "services.cli", "demo", "--once", "--transactions", "600")
    assert "line with a card number" in told
    assert "transactions per second" in told
