"""How the text of a setting becomes a value. Nothing is guessed and nothing is passed over."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, SecretStr

_SERVER = re.compile(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})", re.ASCII)


def _text(given: object) -> str:
    """Text as it was given; an empty one is neither set nor unset, so it is refused."""
    if not isinstance(given, str):
        raise ValueError(f"must be text, not {type(given).__name__}")
    if not given.strip():
        raise ValueError("is empty: give it a value or remove it")
    if given != given.strip():
        raise ValueError("starts or ends with white space")
    return given


def _whole(given: object) -> int:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if isinstance(given, str) and re.fullmatch(r"[0-9]{1,18}", given, re.ASCII):
        return int(given)
    raise ValueError("must be a whole number, written in digits only")


def _servers(given: object) -> tuple[str, ...]:
    parts = given if isinstance(given, list) else _text(given).split(",")
    servers = tuple(_text(part).strip() for part in parts)
    for server in servers:
        match = _SERVER.fullmatch(server)
        if match is None or not 1 <= int(match[2]) <= 65535:
            raise ValueError(f"must be host:port, or several with commas; {server!r} is not")
    if not servers:
        raise ValueError("must name at least one server as host:port")
    return servers


def _database_url(given: object) -> SecretStr:
    text = _text(given)
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError("must look like postgresql://user:password@host:port/database")
    if not parts.path.strip("/"):
        raise ValueError("names no database: end it with /database")
    return SecretStr(text)


def _file(given: object) -> Path:
    path = Path(_text(given))
    if not path.exists():
        raise ValueError("does not exist")
    if not path.is_file():
        raise ValueError("is not a file")
    if not os.access(path, os.R_OK):
        raise ValueError("cannot be read by this user")
    if path.stat().st_size == 0:
        raise ValueError("is an empty file")
    return path


def _folder(given: object) -> Path:
    path = Path(_text(given))
    if path.exists() and not path.is_dir():
        raise ValueError("is not a folder")
    return path


def _lower(given: object) -> str:
    return _text(given).lower()


def _upper(given: object) -> str:
    return _text(given).upper()


Text = Annotated[str, BeforeValidator(_text)]
Whole = Annotated[int, BeforeValidator(_whole)]
Servers = Annotated[tuple[str, ...], BeforeValidator(_servers)]
DatabaseUrl = Annotated[SecretStr, BeforeValidator(_database_url)]
ReadableFile = Annotated[Path, BeforeValidator(_file)]
Folder = Annotated[Path, BeforeValidator(_folder)]
"""A folder that is there, or that its user makes."""
LowerCase = BeforeValidator(_lower)
UpperCase = BeforeValidator(_upper)


def contradictions(given: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Pairs of variables that cannot both be meant, whatever else is wrong."""
    protocol = str(given.get("kafka_security_protocol", "")).upper()
    username, password = "kafka_sasl_username" in given, "kafka_sasl_password_file" in given
    if username != password:
        yield (
            "kafka_sasl_username" if username else "kafka_sasl_password_file",
            "needs both MILEPOST_KAFKA_SASL_USERNAME and MILEPOST_KAFKA_SASL_PASSWORD_FILE",
        )
    if protocol.startswith("SASL") and not (username or password):
        yield "kafka_security_protocol", "needs MILEPOST_KAFKA_SASL_USERNAME and …_PASSWORD_FILE"
    if protocol in ("PLAINTEXT", "SSL") and (username or password):
        yield "kafka_security_protocol", "uses no user name, but one is set; SASL_SSL does"
    mechanism = str(given.get("kafka_sasl_mechanism", "")).upper()
    if protocol == "SASL_PLAINTEXT" and mechanism == "PLAIN":
        yield "kafka_sasl_mechanism", "would send the password in clear; use SCRAM-SHA-512"
    for one, other in (("certfile", "keyfile"), ("keyfile", "certfile")):
        if f"kafka_ssl_{one}" in given and f"kafka_ssl_{other}" not in given:
            yield f"kafka_ssl_{one}", f"needs MILEPOST_KAFKA_SSL_{other.upper()} beside it"
    if "database_url" in given and "database_url_file" in given:
        yield "database_url_file", "is set beside MILEPOST_DATABASE_URL; keep one of them"
