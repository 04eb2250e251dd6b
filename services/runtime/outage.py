"""What an error of PostgreSQL means for us: try again, or a fault of ours. And how to say it."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from typing import NoReturn
from urllib.parse import parse_qs, urlsplit

import asyncpg

from services.kernel.errors import InvalidInput, Problem, Retryable, Unreachable

_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
_AGAIN = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.InsufficientResourcesError,
)
_LOST = re.compile("is closed|released back to the pool")
_WAITING = "It will be tried again; see that it runs and accepts connections."


def address(url: str) -> str:
    """host:port/database of a URL, without user and password."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    host = parts.hostname or query.get("host", ["local socket"])[0]
    port = _port(url) or query.get("port", ["5432"])[0]
    return f"{host}:{port}{parts.path}"


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine itself."""
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def with_verified_tls(url: str) -> str:
    """The URL, with certificate and host name checked unless it says otherwise.

    The driver's own default is to go on in clear when the server offers no TLS. On this machine
    itself and through a socket nothing is added.
    """
    parts = urlsplit(url)
    silent = "sslmode" not in parse_qs(parts.query) and "PGSSLMODE" not in os.environ
    if silent and not is_loopback(parts.hostname or ""):
        return url + ("&" if parts.query else "?") + "sslmode=verify-full"
    return url


def certainly_rolled_back(error: BaseException) -> bool:
    """Whether the server itself said that it did not commit."""
    return isinstance(error, asyncpg.PostgresError) and not isinstance(error, _GONE)


def reraise(error: BaseException, where: str) -> NoReturn:
    """Raises the error as the rest of milepost knows it, or as it is."""
    if known := translated(error, where):
        raise known from error
    raise error


def translated(error: BaseException, where: str) -> Exception | None:
    """The error as the rest of milepost knows it; None for any that is not about the world."""
    if isinstance(error, asyncpg.ClientConfigurationError):
        return InvalidInput([Problem(str(error), field="MILEPOST_DATABASE_URL")])
    if hint := _hint(error):
        return Unreachable("PostgreSQL", where, hint)
    if isinstance(error, asyncpg.DiskFullError):
        return Retryable(f"PostgreSQL at {where} has no room: {error.args[0]}. Free its disk.")
    if isinstance(error, _AGAIN):
        name = type(error).__name__.removesuffix("Error")
        return Retryable(f"PostgreSQL at {where} refused for now: {name}: {error.args[0]}")
    return None


def _hint(error: BaseException) -> str | None:
    """What to do, when the server is gone or lets us not in; None for other errors."""
    match error:
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return "It refuses the user or password: correct MILEPOST_DATABASE_URL."
        case asyncpg.InvalidCatalogNameError():
            return "The database does not exist: create it or correct MILEPOST_DATABASE_URL."
        case asyncpg.UndefinedTableError():
            return "Its tables are missing: run `milepost migrate`."
        case asyncpg.InvalidParameterValueError() if "role" in str(error):
            return "The role milepost_app is missing: run `milepost migrate`."
        case ssl.SSLCertVerificationError():
            return (
                f"Its certificate is not trusted ({error.verify_message}): name its authority with "
                "sslrootcert=FILE in MILEPOST_DATABASE_URL, and the host as in the certificate."
            )
        case ConnectionRefusedError():
            return "Nothing listens there: start PostgreSQL or correct MILEPOST_DATABASE_URL."
        case asyncpg.TooManyConnectionsError():
            return "It has no connection left: raise max_connections or start fewer workers."
        case asyncpg.InterfaceError() if _LOST.search(str(error)):
            return _WAITING
        case TimeoutError():
            return "It does not answer in time. " + _WAITING
        case OSError():
            return f"{error.strerror or type(error).__name__}. {_WAITING}"
        case _ if isinstance(error, _GONE):
            return _WAITING
        case _:
            return None


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        return None
