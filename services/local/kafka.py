"""A real Apache Kafka on this machine: KRaft, one broker, on 127.0.0.1, without Docker."""

from __future__ import annotations

import base64
import importlib.resources
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.kernel.errors import Unreachable
from services.local.child import Child
from services.local.jars import KafkaJars
from services.local.java import Java
from services.local.ports import HOST, free_port

START_SECONDS_MAX = 60
HEAP_MIB = 256
STARTED = b"Kafka Server started"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the authority that clients trust, the broker's certificate, its PKCS#8 key."""

    ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class KafkaListener:
    """A second listener, SASL_SSL, that takes SCRAM-SHA-512 and PLAIN from these users.

    Names and passwords are letters, digits, hyphens and underscores.
    """

    tls: TlsFiles
    users: Mapping[str, str] = field(repr=False)  # name -> password


class LocalKafka:
    """One broker in one folder. Stopped or killed, it starts again with the same data and ports."""

    def __init__(
        self,
        folder: Path,
        *,
        java: Java,
        jars: KafkaJars,
        jvm_options: tuple[str, ...] = (),
        heap_mib: int = HEAP_MIB,
        secure: KafkaListener | None = None,
    ) -> None:
        """Choose the ports; nothing runs before `start`."""
        self._folder = folder
        self._java = java
        self._jars = jars
        self._jvm_options = [*java.options(heap_mib=heap_mib), *jvm_options]
        self._secure = secure
        self._port = free_port()
        self._controller_port = free_port()
        self._secure_port = free_port() if secure else None
        self._child: Child | None = None
        self._log_read = 0  # bytes of the log that belong to earlier starts

    @property
    def bootstrap(self) -> str:
        """host:port of the plain listener."""
        return f"{HOST}:{self._port}"

    @property
    def sasl_ssl_bootstrap(self) -> str | None:
        """host:port of the SASL_SSL listener, None without one."""
        return f"{HOST}:{self._secure_port}" if self._secure_port else None

    @property
    def description(self) -> str:
        """One line for a banner."""
        return f"Apache Kafka {self._jars.version} (KRaft, one broker, {self.bootstrap})"

    @property
    def pids(self) -> tuple[int, ...]:
        """The broker's process, for those who measure."""
        return (self._child.pid,) if self._child and self._child.running else ()

    @property
    def log(self) -> Path:
        """The broker's own log."""
        return self._folder / "kafka.log"

    def start(self) -> None:
        """Start and wait until it answers. Raises Unreachable, with its last words, if it dies."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start without waiting."""
        self._folder.mkdir(parents=True, exist_ok=True)
        properties = self._write_properties()
        if not (self._folder / "data" / "meta.properties").exists():
            self._format(properties)
        self._log_read = self.log.stat().st_size if self.log.exists() else 0
        self._child = Child(self._java_command("kafka.Kafka", str(properties)), log=self.log)

    def wait(self) -> None:
        """Wait until it answers."""
        child = self._child
        if child is None:
            raise RuntimeError("launch() comes before wait()")
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._has_started():
            if not child.running or time.monotonic() > deadline:
                child.kill()
                raise self._failure(child.last_words())
            time.sleep(0.02)

    def _has_started(self) -> bool:
        """By its own word: an open port may be somebody else's."""
        with self.log.open("rb") as log:
            log.seek(self._log_read)
            return STARTED in log.read()

    def stop(self) -> None:
        """Stop in order; nothing happens when it does not run."""
        if self._child:
            self._child.stop(signal.SIGTERM, seconds=20)

    def kill(self) -> None:
        """kill -9, as a power cut would; `restart` brings it back."""
        if self._child:
            self._child.kill()

    def restart(self) -> None:
        """Stop if it runs, and start with the same data and ports."""
        self.stop()
        self.start()

    def _java_command(self, main: str, *arguments: str) -> list[str]:
        log4j = importlib.resources.files("deploy") / "kafka" / "log4j2.properties"
        settings = self._folder / "log4j2.properties"
        settings.write_text(log4j.read_text())
        return [
            str(self._java.executable),
            *self._jvm_options,
            f"-Dlog4j2.configurationFile={settings}",
            *("-cp", self._jars.classpath),
            main,
            *arguments,
        ]

    def _format(self, properties: Path) -> None:
        cluster_id = base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")
        # One word: one id in 64 begins with a hyphen and would be taken for an option.
        arguments = ["format", f"--cluster-id={cluster_id}", "-c", str(properties)]
        for name, password in (self._secure.users if self._secure else {}).items():
            arguments += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
        done = subprocess.run(
            self._java_command("kafka.tools.StorageTool", *arguments),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise self._failure(done.stdout + done.stderr)

    def _write_properties(self) -> Path:
        base = (importlib.resources.files("deploy") / "kafka" / "server.properties").read_text()
        controller = f"{HOST}:{self._controller_port}"
        listeners = {"PLAINTEXT": self.bootstrap}
        if self.sasl_ssl_bootstrap:
            listeners["SASL_SSL"] = self.sasl_ssl_bootstrap
        advertised = ",".join(f"{name}://{address}" for name, address in listeners.items())
        lines = {
            "listeners": f"{advertised},CONTROLLER://{controller}",
            "advertised.listeners": advertised,
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,"
            "CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": str(self._folder / "data"),
            **self._secure_lines(),
        }
        path = self._folder / "server.properties"
        path.touch(mode=0o600)
        path.write_text(base + "".join(f"{key}={value}\n" for key, value in lines.items()))
        return path

    def _secure_lines(self) -> dict[str, str]:
        if self._secure is None:
            return {}
        tls = self._secure.tls
        keystore = self._folder / "broker.pem"
        keystore.touch(mode=0o600)
        keystore.write_text(tls.key.read_text() + tls.certificate.read_text())
        users = " ".join(f'user_{name}="{word}"' for name, word in self._secure.users.items())
        listener = "listener.name.sasl_ssl."
        return {
            f"{listener}ssl.keystore.type": "PEM",
            f"{listener}ssl.keystore.location": str(keystore),
            f"{listener}ssl.truststore.type": "PEM",
            f"{listener}ssl.truststore.location": str(tls.ca),
            f"{listener}sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            f"{listener}scram-sha-512.sasl.jaas.config": f"{SCRAM} required;",
            f"{listener}plain.sasl.jaas.config": f"{PLAIN} required {users};",
        }

    def _failure(self, last_words: str) -> Unreachable:
        if "No space left on device" in last_words:
            why = f"The disk of {self._folder} is full: make room, or set TMPDIR to another disk."
        elif "Address already in use" in last_words or "BindException" in last_words:
            why = "Another program took its port meanwhile: run again, other ports are chosen."
        else:
            last_lines = "\n".join(last_words.splitlines()[-12:])
            why = f"It did not start. Its last words:\n{last_lines}"
        return Unreachable("Apache Kafka", self.bootstrap, why)
