"""A partner's SFTP server. Its host key is pinned; we come with a key, never with a password."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path, PurePosixPath

import asyncssh

from services.kernel.errors import InvalidInput, InvariantViolated, Problem, Unreachable
from services.settlement.exchange.destinations import Sftp

CONNECT_SECONDS = 20
_LOST = (asyncssh.ConnectionLost, asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection)


class SftpDestination:
    """Destination on a server that speaks SFTP: a temporary name, then a rename."""

    def __init__(self, where: Sftp) -> None:
        self._where = where
        self._folder = PurePosixPath(where.folder)

    def place(self, name: str) -> str:
        """`sftp://user@host:port/folder/name`."""
        where = self._where
        return f"sftp://{where.user}@{where.host}:{where.port}{self._folder / name}"

    async def put(self, name: str, content: bytes) -> bool:
        """Write `.name.part`, sync it, rename it. A file of the partner's is never overwritten."""
        final, part = str(self._folder / name), str(self._folder / f".{name}.part")
        async with self._told(name), self._session() as sftp:
            if await self._is_there(sftp, final, content):
                return False
            with suppress(asyncssh.SFTPNoSuchFile):  # what a lost connection left
                await sftp.remove(part)
            async with sftp.open(part, "wb") as file:
                await file.write(content)
                with suppress(asyncssh.SFTPOpUnsupported):
                    await file.fsync()
            size = (await sftp.stat(part)).size
            if size != len(content):
                raise InvariantViolated(f"{self.place(name)}: {size} bytes of {len(content)} came")
            try:
                await sftp.rename(part, final)
            except asyncssh.SFTPError:
                # Another process may have been quicker with the same file.
                if not await self._is_there(sftp, final, content):
                    raise
                await sftp.remove(part)
                return False
            return True

    async def _is_there(self, sftp: asyncssh.SFTPClient, path: str, content: bytes) -> bool:
        """Whether the file is there; InvariantViolated when it holds other bytes."""
        try:
            async with sftp.open(path, "rb") as file:
                there: bytes | str = await file.read()
        except asyncssh.SFTPNoSuchFile:
            return False
        if there != content:
            raise InvariantViolated(
                f"{self.place(PurePosixPath(path).name)} holds other bytes than were sealed: "
                "nothing is overwritten there; ask the partner what it is"
            )
        return True

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[asyncssh.SFTPClient]:
        where = self._where
        options = asyncssh.SSHClientConnectionOptions(
            username=where.user,
            client_keys=[where.key_file],
            known_hosts=where.host_keys_file,
            preferred_auth="publickey",
            agent_path=None,
            config=[],
            connect_timeout=CONNECT_SECONDS,
            keepalive_interval=15,
        )
        async with (
            asyncssh.connect(where.host, where.port, options=options) as connection,
            connection.start_sftp_client() as sftp,
        ):
            yield sftp

    @asynccontextmanager
    async def _told(self, name: str) -> AsyncIterator[None]:
        """What can go wrong on the way, in plain words."""
        where = self._where
        place = self.place(name)
        try:
            yield
        except asyncssh.HostKeyNotVerifiable as error:
            hint = (
                f"Its host key is none of those in {where.host_keys_file}: somebody may stand in "
                "between. Ask the partner for the new key, on another way than this one."
            )
            raise Unreachable("The partner's SFTP server", place, hint) from error
        except asyncssh.PermissionDenied as error:
            hint = f"It refuses the user {where.user} with the key {where.key_file}."
            raise Unreachable("The partner's SFTP server", place, hint) from error
        except asyncssh.KeyImportError as error:
            field = "to.sftp.key_file"
            raise InvalidInput([Problem(f"is no private key: {error}", field=field)]) from error
        except _LOST as error:
            hint = "The connection broke. Deliver again: it goes on where it stopped."
            raise Unreachable("The partner's SFTP server", place, hint) from error
        except asyncssh.SFTPError as error:
            hint = f"It answers: {error.reason or type(error).__name__}."
            raise Unreachable("The partner's SFTP server", place, hint) from error
        except (OSError, asyncssh.Error, TimeoutError) as error:
            told = str(error) or type(error).__name__
            hint = f"{told}. Deliver again: it goes on where it stopped."
            raise Unreachable("The partner's SFTP server", place, hint) from error


def check_key(where: Sftp) -> None:
    """Raises InvalidInput when our key is none or needs a passphrase."""
    try:
        asyncssh.read_private_key(where.key_file)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        why = f"is no private key without a passphrase: {error}"
        raise InvalidInput(
            [Problem(why, field="to.sftp.key_file", value=str(Path(where.key_file)))]
        ) from error
