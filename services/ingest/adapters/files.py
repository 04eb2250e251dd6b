"""Reads the records of a file, one after the other; the file may be larger than the memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from services.ingest.feeds.formats import Framing
from services.kernel.errors import InvalidInput, Problem

RECORD_BYTES_MAX = 16_777_216


def read_records(path: Path, framing: Framing) -> Iterator[bytes]:
    """The records as they stand, without the LF or the length that parts them.

    Raises InvalidInput when the file cannot be read, or ends inside a record that has a length.
    """
    try:
        with path.open("rb") as file:
            if framing is Framing.LINES:
                for line in file:
                    yield line.removesuffix(b"\n")
                return
            number = 0
            while head := file.read(4):
                number += 1
                length = int.from_bytes(head, "big")
                record = file.read(length) if length <= RECORD_BYTES_MAX else b""
                if len(head) < 4 or len(record) < length:
                    why = (
                        f"record {number} does not end inside the file: each record must stand "
                        "after its length, four bytes big-endian"
                    )
                    raise InvalidInput([Problem(why, file=str(path), line=number)])
                yield record
    except OSError as error:
        why = f"cannot be read: {error.strerror}"
        raise InvalidInput([Problem(why, file=str(path))]) from error
