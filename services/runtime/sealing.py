"""Seals bytes that may hold a card number to a public key, and makes the keys.

What is sealed can be opened only with the identity file, which no service needs.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pyrage

from services.kernel.errors import InvalidInput, Problem

PUBLIC_KEY = "quarantine.pub"
IDENTITY = "quarantine.key"
TOKEN_KEY = "token.key"
TOKEN_KEY_BYTES = 32


class Sealer:
    """Seals to a public key, such as that of MILEPOST_QUARANTINE_KEY_FILE."""

    def __init__(self, recipient: pyrage.x25519.Recipient) -> None:
        self._recipient = recipient

    @classmethod
    def from_file(cls, path: Path, variable: str = "MILEPOST_QUARANTINE_KEY_FILE") -> Self:
        """Raises InvalidInput when the file holds no public key of age."""
        text = _key_text(path, variable)
        try:
            return cls(pyrage.x25519.Recipient.from_str(text))
        except pyrage.RecipientError as error:
            raise _not_a_key(variable, path, "age1… public key") from error

    def seal(self, plain: bytes) -> bytes:
        """The bytes, readable by the holder of the identity only."""
        sealed: bytes = pyrage.encrypt(plain, [self._recipient])
        return sealed


class Opener:
    """Opens with a private key, such as that of MILEPOST_QUARANTINE_IDENTITY_FILE."""

    def __init__(self, identity: pyrage.x25519.Identity) -> None:
        self._identity = identity

    @classmethod
    def from_file(cls, path: Path, variable: str = "MILEPOST_QUARANTINE_IDENTITY_FILE") -> Self:
        """Raises InvalidInput when the file holds no private key of age."""
        text = _key_text(path, variable)
        try:
            return cls(pyrage.x25519.Identity.from_str(text))
        except pyrage.IdentityError as error:
            raise _not_a_key(variable, path, "AGE-SECRET-KEY-1… private key") from error

    def open(self, sealed: bytes) -> bytes:
        """The bytes as they were. Raises InvalidInput when they were sealed to another key."""
        try:
            plain: bytes = pyrage.decrypt(sealed, [self._identity])
        except pyrage.DecryptError as error:
            raise InvalidInput("this was sealed to another key than the one given") from error
        return plain


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key that card numbers are tokenised with, and its version."""

    version: int
    secret: bytes = field(repr=False)


def load_token_keys(path: Path) -> tuple[TokenKey, ...]:
    """The keys of a file with a line `version:hex` for each, oldest first; the last one is used.

    Raises InvalidInput naming every line that is wrong, without its value.
    """
    keys: list[TokenKey] = []
    problems: list[Problem] = []
    text = path.read_text(encoding="ascii", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        version, _, digits = line.partition(":")
        try:
            secret = bytes.fromhex(digits)
        except ValueError:
            secret = b""
        if not version.isdecimal() or len(secret) != TOKEN_KEY_BYTES:
            why = f"must be a version, a colon and {TOKEN_KEY_BYTES * 2} hex digits"
            problems.append(Problem(why, file=str(path), line=number))
        elif keys and int(version) <= keys[-1].version:
            problems.append(Problem("versions must rise", file=str(path), line=number))
        else:
            keys.append(TokenKey(int(version), secret))
    if not keys and not problems:
        problems.append(Problem("holds no key", file=str(path)))
    if problems:
        raise InvalidInput(problems)
    return tuple(keys)


def create_keys(folder: Path) -> list[Path]:
    """Makes the three key files, the private ones readable by their owner only.

    Raises InvalidInput when any of them is there already: a key that was overwritten is lost
    with all that it sealed.
    """
    paths = [folder / name for name in (PUBLIC_KEY, IDENTITY, TOKEN_KEY)]
    if existing := [path for path in paths if path.exists()]:
        why = "exists already and is not overwritten: choose another folder"
        raise InvalidInput([Problem(why, file=str(path)) for path in existing])
    identity = pyrage.x25519.Identity.generate()
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / PUBLIC_KEY, f"{identity.to_public()}\n", 0o644)
    _write(folder / IDENTITY, f"{identity}\n", 0o600)
    _write(folder / TOKEN_KEY, f"1:{secrets.token_bytes(TOKEN_KEY_BYTES).hex()}\n", 0o600)
    return paths


def _write(path: Path, text: str, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)


def _key_text(path: Path, variable: str) -> str:
    """The key's line; comments as the age tools write them are passed over."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _not_a_key(variable, path, "key") from error
    return next((line.strip() for line in lines if line.strip() and line[0] != "#"), "")


def _not_a_key(variable: str, path: Path, what: str) -> InvalidInput:
    return InvalidInput([Problem(f"holds no {what}", field=variable, value=str(path))])
