"""Kafka's jars: fetched once by coordinate into the user's cache, and checked by hash every time.

`deploy/kafka/jgo.toml` names every coordinate with its version, `deploy/kafka/jars.sha256` every
file with its hash. Nothing is resolved: what these two name is what runs.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib
import importlib.resources
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.kernel.errors import InvalidInput, Problem, Unreachable

LIBS_VARIABLE = "MILEPOST_KAFKA_LIBS"
WAY_OUT = (
    f"Point {LIBS_VARIABLE} at the libs folder of a Kafka distribution, or "
    "MILEPOST_KAFKA_BOOTSTRAP_SERVERS at a running broker."
)
FETCH_TRIES = 3
FETCH_SECONDS_MAX = 20  # without a byte


@dataclass(frozen=True, slots=True)
class KafkaJars:
    """A class path that holds one whole Kafka, and the folder for what is derived from it."""

    version: str
    paths: tuple[Path, ...]
    cache: Path

    @property
    def classpath(self) -> str:
        """The paths as java wants them."""
        return os.pathsep.join(str(path) for path in self.paths)


def find_jars(report: Callable[[str], None]) -> KafkaJars:
    """The jars of MILEPOST_KAFKA_LIBS when it is set, else the pinned ones, fetched if need be.

    Raises Unreachable when they cannot be had, InvalidInput when a file is not what it should be.
    """
    given = os.environ.get(LIBS_VARIABLE)
    if given:
        return from_folder(Path(given))
    data = importlib.resources.files("deploy") / "kafka"
    coordinates = tomllib.loads((data / "jgo.toml").read_text())["dependencies"]["coordinates"]
    hashes = read_hashes((data / "jars.sha256").read_text())
    version = next(c.split(":")[2] for c in coordinates if c.startswith("org.apache.kafka:kafka_"))
    cache = cache_folder() / f"kafka-{version}"
    with locked(cache):
        if not all((cache / name).exists() for name in hashes):
            report(f"Fetching the {len(hashes)} jars of Apache Kafka {version} (44 MB, once)")
            fetch(coordinates, hashes, cache)
        check(cache, hashes)
    return KafkaJars(version, tuple(cache / name for name in sorted(hashes)), cache)


def from_folder(libs: Path) -> KafkaJars:
    """Every jar of a Kafka distribution's `libs` folder, unchecked: its owner vouches for it.

    Raises InvalidInput when it does not hold a broker.
    """
    paths = tuple(sorted(libs.absolute().glob("*.jar")))
    brokers = [path for path in paths if path.name.startswith("kafka_2.")]
    if not brokers:
        problem = Problem(
            field=LIBS_VARIABLE,
            value=str(libs),
            why="holds no kafka_2.*.jar; name the libs folder of a Kafka distribution",
        )
        raise InvalidInput([problem])
    version = brokers[0].stem.split("-", 1)[-1]
    return KafkaJars(version, paths, cache_folder() / f"kafka-{version}-libs")


def cache_folder() -> Path:
    """Where fetched files outlive a run: XDG_CACHE_HOME/milepost, else ~/.cache/milepost."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "milepost"


def read_hashes(text: str) -> dict[str, str]:
    """File name -> sha256 in hex, from lines as sha256sum prints them."""
    pairs = (line.split() for line in text.splitlines() if line.strip())
    return {name: digest for digest, name in pairs}


def check(folder: Path, hashes: Mapping[str, str]) -> None:
    """Raise InvalidInput that lists every file whose hash is not the pinned one."""
    found = {name: _sha256(folder / name) for name in hashes}
    problems = [
        Problem(
            file=str(folder / name),
            field="sha256",
            value=found[name],
            why=f"expected {expected}. Nothing was started. Delete the file and run again to fetch "
            "it anew; if it differs again, do not use it",
        )
        for name, expected in hashes.items()
        if found[name] != expected
    ]
    if problems:
        raise InvalidInput(problems)


def fetch(coordinates: list[str], hashes: Mapping[str, str], cache: Path) -> None:
    """Fetch every jar beside the cache, check it, and only then move it in."""
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=cache) as folder:
        staging = Path(folder)
        try:
            for jar in _fetch_all(coordinates, staging / "repository"):
                shutil.move(jar, staging / jar.name)
        except OSError as error:  # the network's errors are OSErrors too
            raise _cannot_fetch(error) from None
        check(staging, hashes)
        for name in hashes:
            (staging / name).replace(cache / name)


def _fetch_all(coordinates: list[str], repository: Path) -> list[Path]:
    fetch_one = _fetcher(repository)
    pool = ThreadPoolExecutor(max_workers=8)
    try:
        return list(pool.map(fetch_one, coordinates))
    finally:
        pool.shutdown(cancel_futures=True)


def _fetcher(repository: Path) -> Callable[[str], Path]:
    try:
        maven = importlib.import_module("jgo.maven")
        settings = importlib.import_module("jgo.config").GlobalSettings.load()
    except ImportError:
        raise Unreachable(
            "jgo, which fetches Kafka's jars,",
            sys.prefix,
            f'It is not installed: pip install "milepost[local]". {WAY_OUT}',
        ) from None
    context = maven.MavenContext(
        repo_cache=repository,
        remote_repos=settings.repositories or None,  # a firm's own mirror, from ~/.jgorc
        timeout=FETCH_SECONDS_MAX,
    )

    def fetch_one(coordinate: str, tries_left: int = FETCH_TRIES - 1) -> Path:
        group, artifact, version = coordinate.split(":")
        wanted = context.project(group, artifact).at_version(version).artifact()
        try:
            return Path(wanted.resolve())
        except (OSError, RuntimeError) as error:
            wanted.cached_path.unlink(missing_ok=True)
            if not tries_left:
                raise OSError(f"{coordinate}: {error}") from None
        return fetch_one(coordinate, tries_left - 1)

    return fetch_one


def _cannot_fetch(error: OSError) -> Unreachable:
    text = str(error)
    if "No space left" in text:
        return Unreachable(
            "Room for Kafka's jars", str(cache_folder()), f"The disk is full: {text}"
        )
    first_line = text.splitlines()[0][:300] if text else type(error).__name__
    return Unreachable(
        "The registry of Kafka's jars", "the network", f"Try again online. {WAY_OUT} ({first_line})"
    )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time change a cache folder, which is made if it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        problem = Problem(file=str(folder), why=f"cannot be written: {error}. Set XDG_CACHE_HOME")
        raise InvalidInput([problem]) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "missing"
