"""How a file reaches a partner: whole, or not at all, and always with the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Destination(Protocol):
    """A partner's side."""

    async def put(self, name: str, content: bytes) -> bool:
        """Store a file whole or not at all; False if the same bytes are there already.

        Raises InvariantViolated when other bytes are there: nothing is ever overwritten.
        Raises Unreachable when it does not answer; the same call may be made again.
        """

    def place(self, name: str) -> str:
        """Where a file lies, for people."""


class Envelope(Protocol):
    """Seals a file for the way."""

    suffix: str
    """What the sealed file's name ends with."""

    def close(self, content: bytes) -> bytes:
        """The sealed bytes. No two are alike, so whoever sends them again must have kept them."""


class Kept(Protocol):
    """The bytes that were sent, kept so that they can be sent again."""

    def read(self, name: str) -> bytes | None:
        """What was kept under a name; None if nothing was."""

    def keep(self, name: str, content: bytes) -> None:
        """Keep bytes, whole and for good."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file at the partner's, as it was sent. `fresh` if it was not there before."""

    path: str
    bytes: int
    sha256: str
    fresh: bool


async def send(
    files: Sequence[tuple[str, bytes]],
    destination: Destination,
    *,
    envelope: Envelope | None,
    kept: Kept,
) -> list[Parcel]:
    """Send files in their order (the manifest is the last), each sealed once and for all.

    Interrupted anywhere, the same call goes on where it stopped and sends the same bytes.
    """
    parcels: list[Parcel] = []
    for name, content in files:
        sent_name, sent = name, content
        if envelope is not None:
            sent_name = name + envelope.suffix
            before = kept.read(sent_name)
            sent = envelope.close(content) if before is None else before
            if before is None:
                kept.keep(sent_name, sent)
        fresh = await destination.put(sent_name, sent)
        digest = hashlib.sha256(sent).hexdigest()
        parcels.append(Parcel(destination.place(sent_name), len(sent), digest, fresh))
    return parcels
