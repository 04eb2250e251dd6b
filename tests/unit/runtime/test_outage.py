"""A database is named without its password, and spoken to safely unless it is this machine."""

from __future__ import annotations

import ssl

import asyncpg
import pytest

from services.kernel.errors import Retryable, Unreachable
from services.runtime.outage import address, certainly_rolled_back, translated, with_verified_tls


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:hunter2@db.bank.example:6432/milepost", "db.bank.example:6432/milepost"),
        ("postgresql://db/milepost?sslmode=require", "db:5432/milepost"),
        (
            "postgresql://ann:hunter2@/milepost?host=/run/postgresql",
            "/run/postgresql:5432/milepost",
        ),
        ("postgres:///milepost", "local socket:5432/milepost"),
    ],
)
def test_an_address_shows_no_user_and_no_password(url: str, shown: str) -> None:
    assert address(url) == shown


@pytest.mark.parametrize(
    ("url", "added"),
    [
        ("postgresql://db.bank.example/milepost", "?sslmode=verify-full"),
        ("postgresql://10.0.0.5/milepost?application_name=x", "&sslmode=verify-full"),
        ("postgresql://db/milepost?sslmode=disable", ""),
        ("postgresql://localhost:5432/milepost", ""),
        ("postgresql://127.0.0.1/milepost", ""),
        ("postgresql://[::1]/milepost", ""),
        ("postgresql:///milepost?host=/run/postgresql", ""),
    ],
)
def test_the_certificate_is_checked_unless_the_url_says_otherwise(
    url: str, added: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGSSLMODE", raising=False)
    assert with_verified_tls(url) == url + added


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (asyncpg.InvalidPasswordError("no"), Unreachable, "correct MILEPOST_DATABASE_URL"),
        (asyncpg.TooManyConnectionsError("full"), Unreachable, "raise max_connections"),
        (asyncpg.CannotConnectNowError("starting up"), Unreachable, "tried again"),
        (ConnectionRefusedError(111, "refused"), Unreachable, "start PostgreSQL"),
        (ssl.SSLCertVerificationError(1, "bad"), Unreachable, "certificate is not trusted"),
        (TimeoutError(), Unreachable, "does not answer in time"),
        (OSError(101, "Network is unreachable"), Unreachable, "Network is unreachable"),
        (asyncpg.InterfaceError("connection is closed"), Unreachable, "tried again"),
        (asyncpg.DeadlockDetectedError("deadlock"), Retryable, "DeadlockDetected: deadlock"),
        (
            asyncpg.DiskFullError("No space left"),
            Retryable,
            "no room: No space left. Free its disk",
        ),
    ],
)
def test_an_error_of_the_world_says_what_to_do(
    error: Exception, kind: type[Exception], said: str
) -> None:
    if isinstance(error, ssl.SSLCertVerificationError):
        error.verify_message = "self-signed certificate"
    known = translated(error, "db:5432/milepost")
    assert type(known) is kind
    assert said in str(known)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UniqueViolationError("twice"),
        asyncpg.InterfaceError("another operation is in progress"),
        asyncpg.DataError("not an int"),
        ValueError("a bug"),
    ],
)
def test_an_error_of_ours_stays_what_it_is(error: Exception) -> None:
    assert translated(error, "db:5432/milepost") is None


@pytest.mark.parametrize(
    ("error", "certain"),
    [
        (asyncpg.UniqueViolationError("deferred"), True),
        (asyncpg.SerializationError("retry"), True),
        (asyncpg.ConnectionDoesNotExistError("gone"), False),
        (asyncpg.AdminShutdownError("shutdown"), False),
        (asyncpg.InterfaceError("closed"), False),
        (OSError(), False),
        (TimeoutError(), False),
    ],
)
def test_only_the_server_can_say_that_it_did_not_commit(error: Exception, certain: bool) -> None:
    assert certainly_rolled_back(error) is certain
