"""An archive of Kafka's loaded classes, made once, that more than halves each later start.

A broker is started and stopped to see which classes it loads, and the Java runtime writes them
down in the form that it maps into memory (application class-data sharing). Without an archive, or
with one that no longer fits, Java starts as ever; so nothing here may fail a start.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from services.kernel.errors import InvalidInput, Unreachable
from services.local.jars import KafkaJars, locked
from services.local.java import Java
from services.local.kafka import HEAP_MIB, LocalKafka

DUMP_SECONDS_MAX = 120


def class_archive(java: Java, jars: KafkaJars, report: Callable[[str], None]) -> tuple[str, ...]:
    """The Java options that use the archive, made now if it is missing; none if it cannot be."""
    archive = jars.cache / f"classes-{_fingerprint(java, jars)}.jsa"
    with suppress(InvalidInput), locked(jars.cache):
        if not archive.exists():
            report("Preparing Apache Kafka for quick starts (ten seconds, once)")
            _make(archive, java, jars)
    return (f"-XX:SharedArchiveFile={archive}",) if archive.exists() else ()


def _fingerprint(java: Java, jars: KafkaJars) -> str:
    """Changes with whatever Java compares before it trusts an archive."""
    files = [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in jars.paths]
    return hashlib.sha256(repr((java.build, files)).encode()).hexdigest()[:16]


def _make(archive: Path, java: Java, jars: KafkaJars) -> None:
    with tempfile.TemporaryDirectory(prefix="milepost-classes-") as scratch:
        folder = Path(scratch)
        classes, made = folder / "classes.txt", folder / "classes.jsa"
        options = (f"-XX:DumpLoadedClassList={classes}",)
        kafka = LocalKafka(folder / "kafka", java=java, jars=jars, jvm_options=options)
        try:
            kafka.start()
        except Unreachable:
            return  # the start that follows says why
        finally:
            kafka.stop()
        command = [
            str(java.executable),
            *java.options(heap_mib=HEAP_MIB),
            *("-Xshare:dump", f"-XX:SharedClassListFile={classes}"),
            *(f"-XX:SharedArchiveFile={made}", "-cp", jars.classpath),
        ]
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=DUMP_SECONDS_MAX)
            beside = archive.with_suffix(".new")
            shutil.copyfile(made, beside)
            beside.replace(archive)
        except (OSError, subprocess.SubprocessError):
            archive.with_suffix(".new").unlink(missing_ok=True)
