"""A partner's SFTP server on this machine, which hangs up when told to; keys for both sides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pysequoia

from services.settlement.exchange.destinations import Pgp, Seal, Sftp


class Cutter(asyncssh.SFTPServer):
    """A server that hangs up at its n-th request."""

    left: int | None = None
    root: Path

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes]) -> None:
        super().__init__(channel, chroot=str(self.root).encode())
        self._connection = channel.get_connection()

    def _count(self) -> None:
        kind = type(self)
        if kind.left is not None:
            kind.left -= 1
            if kind.left < 0:
                self._connection.abort()
                raise asyncssh.SFTPFailure("cut")


def _counted(name: str) -> Callable[..., Any]:
    def wrapped(self: Cutter, *args: Any) -> Any:
        self._count()
        return getattr(asyncssh.SFTPServer, name)(self, *args)

    return wrapped


for _name in ("open", "close", "read", "write", "stat", "fstat", "rename", "remove", "fsync"):
    setattr(Cutter, _name, _counted(_name))


class Here(asyncssh.SSHServer):
    """Lets the one key in."""

    def password_auth_supported(self) -> bool:
        return False


def make_keys(folder: Path) -> Path:
    """Keys of the server, of us, and of two who have no business here."""
    folder.mkdir()
    for name in ("host", "other", "user", "stranger"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(folder / name)
        key.write_public_key(folder / f"{name}.pub")
    return folder


@asynccontextmanager
async def serving(
    keys: Path, root: Path, *, cut_at: int | None = None, port: int = 0
) -> AsyncIterator[Sftp]:
    """A server with the partner's folder `in`; it hangs up at a request if `cut_at` says so."""
    (root / "in").mkdir(parents=True, exist_ok=True)
    kind = type("Server", (Cutter,), {"left": cut_at, "root": root})
    server = await asyncssh.create_server(
        Here, "127.0.0.1", port, server_host_keys=[str(keys / "host")],
        authorized_client_keys=str(keys / "user.pub"), sftp_factory=kind,
    )  # fmt: skip
    port = server.sockets[0].getsockname()[1]
    known = keys / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {(keys / 'host.pub').read_text()}")
    try:
        yield Sftp(
            host="127.0.0.1", port=port, user="milepost", key_file=str(keys / "user"),
            host_keys_file=str(known), folder="/in",
        )  # fmt: skip
    finally:
        server.close()
        await server.wait_closed()


def pgp_keys(folder: Path) -> tuple[Seal, pysequoia.Tsk, pysequoia.Tsk]:
    theirs, ours = (pysequoia.Tsk.generate(name) for name in ("Sky Air <a@sky>", "Bank <b@bank>"))
    (folder / "sky-air.asc").write_bytes(bytes(theirs.extract_certificate()))
    (folder / "ours.key").write_bytes(bytes(ours))
    pgp = Pgp(recipient_file=str(folder / "sky-air.asc"), signer_file=str(folder / "ours.key"))
    return Seal(pgp=pgp), theirs, ours
