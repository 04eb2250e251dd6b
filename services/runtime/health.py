"""/metrics, /livez and /readyz over a few lines of HTTP. They show no personal data."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from services.kernel.errors import InvalidInput, Problem
from services.runtime.metrics import CONTENT_TYPE, Metrics

REQUEST_SECONDS = 5
REQUEST_BYTES_MAX = 8192


@dataclass(slots=True)
class Health:
    """Whether the process lives, and what it still waits for before it can work."""

    alive: bool = True
    waiting_for: set[str] = field(default_factory=lambda: {"start"})

    @property
    def ready(self) -> bool:
        """Whether it works."""
        return self.alive and not self.waiting_for


async def serve(metrics: Metrics, health: Health, *, host: str, port: int) -> asyncio.Server:
    """Starts to answer; port 0 lets the system choose. Close the server at the end.

    Raises InvalidInput when the port cannot be had.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                request = await reader.readuntil(b"\r\n\r\n")
                writer.write(_response(request, metrics, health))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # Whoever asked has gone or asks nonsense; there is nobody to tell.
        finally:
            writer.close()

    try:
        return await asyncio.start_server(answer, host, port, limit=REQUEST_BYTES_MAX)
    except OSError as error:
        why = f"cannot be used ({error.strerror}): choose another, or 0 for any free one"
        problem = Problem(why, field="MILEPOST_METRICS_PORT", value=f"{host}:{port}")
        raise InvalidInput([problem]) from error


def _response(request: bytes, metrics: Metrics, health: Health) -> bytes:
    method, _, rest = request.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")
    path = rest.partition(" ")[0].partition("?")[0]
    if method not in ("GET", "HEAD"):
        return _message("405 Method Not Allowed", b"only GET\n", method)
    match path:
        case "/metrics":
            return _message("200 OK", metrics.exposition(), method, CONTENT_TYPE)
        case "/livez":
            status = "200 OK" if health.alive else "503 Service Unavailable"
            return _message(status, b"ok\n" if health.alive else b"stopping\n", method)
        case "/readyz":
            if health.ready:
                return _message("200 OK", b"ok\n", method)
            waiting = ", ".join(sorted(health.waiting_for)) or "stop"
            return _message("503 Service Unavailable", f"waits for {waiting}\n".encode(), method)
        case _:
            return _message("404 Not Found", b"/metrics, /livez, /readyz\n", method)


def _message(
    status: str, body: bytes, method: str, content_type: str = "text/plain; charset=utf-8"
) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + (b"" if method == "HEAD" else body)
