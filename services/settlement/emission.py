"""Puts a batch's files where they belong, as often as it takes: the bytes are always the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.kernel.errors import InvariantViolated
from services.settlement.batches.batch import (
    ANSWERED,
    APPROVED,
    SEALED,
    SENT,
    WITHDRAWN,
    Header,
)
from services.settlement.files import manifest
from services.settlement.files.file import File
from services.settlement.ports import FileDrop

PENDING, OUTGOING, ARCHIVE = "pending", "outgoing", "archive"
FOLDERS = (PENDING, OUTGOING, ARCHIVE)
AWAY = "sent"
"""Where a partner without another address receives files."""
FOLDER = {
    SEALED: PENDING, APPROVED: OUTGOING, SENT: OUTGOING, ANSWERED: OUTGOING, WITHDRAWN: ARCHIVE,
}  # fmt: skip
"""State → where its files lie. What is sent is a copy of what lies in `outgoing`."""
STATE = {PENDING: SEALED, OUTGOING: APPROVED, ARCHIVE: WITHDRAWN}
"""Folder → the state that its manifest tells: the one that brought the files there."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """A file and where it lies; `fresh` if it was not there before."""

    path: str
    bytes: int
    sha256: str
    fresh: bool


def emit(header: Header, files: Sequence[File], drop: FileDrop) -> list[Emitted]:
    """Write what is missing into the folder of the batch's state; the manifest comes last.

    Raises InvariantViolated when a file there holds other bytes.
    """
    folder = FOLDER[header.state]
    emitted = [
        Emitted(
            path=drop.path(header.partner, folder, file.name),
            bytes=file.written.bytes,
            sha256=file.written.sha256,
            fresh=drop.put(header.partner, folder, file.name, file.content),
        )
        for file in files
    ]
    _put_manifest(header, files, folder, drop)
    return emitted


def release(header: Header, files: Sequence[File], drop: FileDrop) -> list[Emitted]:
    """After the approval: move the files to `outgoing`, the manifest last.

    A move that was interrupted goes on where it stopped. `header` is the approved one.
    """
    for file in files:
        waiting = drop.read(header.partner, PENDING, file.name)
        if waiting is None:
            continue
        if waiting != file.content:
            path = drop.path(header.partner, PENDING, file.name)
            raise InvariantViolated(f"{path} holds other bytes than were sealed")
        if drop.read(header.partner, OUTGOING, file.name) is None:
            drop.move(header.partner, file.name, source=PENDING, target=OUTGOING)
        else:
            drop.remove(header.partner, PENDING, file.name)
    emitted = emit(header, files, drop)
    drop.remove(header.partner, PENDING, manifest.name(header))
    return emitted


def retire(header: Header, files: Sequence[File], drop: FileDrop) -> list[Emitted]:
    """After a withdrawal: everything goes to `archive`, so that nobody sends it by mistake.

    The manifest leaves its folder first: who sees files without one leaves them alone.
    """
    for folder in (OUTGOING, PENDING):
        drop.remove(header.partner, folder, manifest.name(header))
        for file in files:
            if drop.read(header.partner, folder, file.name) is None:
                continue
            if drop.read(header.partner, ARCHIVE, file.name) is None:
                drop.move(header.partner, file.name, source=folder, target=ARCHIVE)
            else:
                drop.remove(header.partner, folder, file.name)
    return emit(header, files, drop)


def lies_in(header: Header, folder: str, drop: FileDrop) -> bool:
    """Whether a folder has the batch's manifest."""
    return drop.read(header.partner, folder, manifest.name(header)) is not None


def is_waiting(header: Header, drop: FileDrop) -> bool:
    """Whether anything of a batch lies in `pending`: the manifest leaves it last."""
    return drop.read(header.partner, PENDING, manifest.name(header)) is not None


def _put_manifest(header: Header, files: Sequence[File], folder: str, drop: FileDrop) -> None:
    written = [file.written for file in files]
    content = manifest.write(header, written, state=STATE[folder])
    drop.put(header.partner, folder, manifest.name(header), content)
