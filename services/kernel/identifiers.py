"""Identifiers are derived from business keys: the same input gives the same id, always."""

from __future__ import annotations

import hashlib
import uuid

_NAMESPACE = uuid.UUID("5b1b6f8e-2f0a-5a83-9e1d-6d6c65706f73")
_NAMESPACE_BYTES = _NAMESPACE.bytes
_VARIANTS = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def derive(*parts: str | int) -> uuid.UUID:
    """The uuid5 of some business keys, separated so that no two lists of parts look alike."""
    return uuid.uuid5(_NAMESPACE, "\x1f".join(str(part) for part in parts))


def derived_text(*parts: str | int) -> str:
    """The text of `derive(*parts)`, without the detour over an object: for every transfer."""
    text = "\x1f".join(map(str, parts))
    digest = hashlib.sha1(_NAMESPACE_BYTES + text.encode(), usedforsecurity=False).hexdigest()
    version, variant = "5", _VARIANTS[digest[16]]
    return (
        f"{digest[:8]}-{digest[8:12]}-{version}{digest[13:16]}-{variant}{digest[17:20]}-"
        f"{digest[20:32]}"
    )


def transfer_id(stream: str, seq: int, leg: int) -> uuid.UUID:
    """A transfer's id: its place in the one order of its stream."""
    return derive("transfer", stream, seq, leg)


def identity(role: str, issuer_id: str, event_id: str) -> bytes:
    """The 16 bytes that key an event's identity; a collision of two ids is out of reach."""
    text = f"{role}\x1f{issuer_id}\x1f{event_id}"
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def key64(*parts: str) -> int:
    """A signed 64-bit lookup key. A hit is a suspicion: compare the text before trusting it."""
    text = "\x1f".join(parts)
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
