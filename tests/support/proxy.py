"""Stands between a client and PostgreSQL, and loses answers to COMMIT: they were heard, and done,
and nobody is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
"""A simple query, as it goes over the wire."""


class CommitProxy:
    """Runs in a thread of its own. `loses` is told the number of a COMMIT, from 1."""

    def __init__(self, url: str, loses: Callable[[int], bool]) -> None:
        self._parts = urlsplit(url)
        self._loses = loses
        self._commits = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self.lost = 0
        """How many answers were lost."""

    def __enter__(self) -> Self:
        self._thread.start()
        listening = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """The server's URL, through the proxy."""
        port = self._server.sockets[0].getsockname()[1]
        netloc = self._parts.netloc.replace(f":{self._parts.port}", f":{port}")
        return self._parts._replace(netloc=netloc).geturl()

    async def _close(self) -> None:
        self._server.close()
        mine = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        deaf = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ask(client, to_server, deaf))
                group.create_task(self._answer(server, to_client, deaf))
        except* OSError:
            pass
        finally:
            to_server.close()
            to_client.close()

    async def _ask(
        self, client: asyncio.StreamReader, to_server: asyncio.StreamWriter, deaf: asyncio.Event
    ) -> None:
        while data := await client.read(65_536):
            if data.endswith(COMMIT):
                self._commits += 1
                if self._loses(self._commits):
                    deaf.set()
            to_server.write(data)
            await to_server.drain()
        to_server.close()

    async def _answer(
        self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter, deaf: asyncio.Event
    ) -> None:
        while data := await server.read(65_536):
            if deaf.is_set():  # the server has done it, or this would not have come
                self.lost += 1
                break
            to_client.write(data)
            await to_client.drain()
        to_client.close()
