"""Free ports on 127.0.0.1.

They are taken from below the range that the system hands to outgoing connections. A port from that
range can be taken, while its server is down for a restart, by a client that tries to reconnect.
"""

from __future__ import annotations

import secrets
import socket

from services.kernel.errors import Unreachable

HOST = "127.0.0.1"
FIRST, LAST = 20_000, 29_999

_given: set[int] = set()


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on and that this process has not given out yet.

    Raises Unreachable when none is left.
    """
    count = LAST - FIRST + 1
    start = secrets.randbelow(count)  # whoever else looks now looks elsewhere
    for step in range(count):
        port = FIRST + (start + step) % count
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise Unreachable(
        "A free port",
        f"{HOST}:{FIRST}-{LAST}",
        "Every one of them is in use: stop some programs that listen there, or name your own "
        "servers in MILEPOST_KAFKA_BOOTSTRAP_SERVERS and MILEPOST_DATABASE_URL.",
    )


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: a port whose last connections still wind down counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
