"""The ids of a canonical event without decoding all of it: they stand first."""

from __future__ import annotations


def peek(body: bytes) -> tuple[str, str]:
    """(event_id, issuer_id) of an event's Avro bytes.

    Raises ValueError when the bytes do not begin with two strings.
    """
    event_id, at = _text(body, 0)
    issuer_id, _ = _text(body, at)
    return event_id, issuer_id


def _text(body: bytes, at: int) -> tuple[str, int]:
    """An Avro string and where it ends: a zigzag length, then UTF-8."""
    length = shift = 0
    while True:
        if at >= len(body) or shift > 63:
            raise ValueError("the bytes are no canonical event")
        byte = body[at]
        at += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    end = at + (length >> 1)
    if length & 1 or end > len(body):
        raise ValueError("the bytes are no canonical event")
    return body[at:end].decode(), end
