"""Keeps every batch's files in the folder that its state says, and announces batches.

A batch is announced once per state on `settlements`; after a crash between the broker's answer
and the database's, once more: readers know it by batch and state.
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Sequence
from datetime import date
from importlib import resources
from typing import NamedTuple

import fastavro

from services.kernel.errors import InvalidInput
from services.settlement.batches.batch import SEALED, WITHDRAWN, Header, Written
from services.settlement.emission import (
    ARCHIVE,
    emit,
    is_waiting,
    lies_in,
    release,
    retire,
)
from services.settlement.ports import BatchStore, FileDrop
from services.settlement.seal import recompute

FRAME = b"\x00\x00\x00\x00\x03"
"""Confluent framing: magic byte and the id of `settlement.avsc`."""

_EPOCH = date(1970, 1, 1).toordinal()
_SCHEMA = fastavro.parse_schema(
    json.loads(resources.files("schemas").joinpath("avro/settlement.avsc").read_text("utf-8"))
)


class Tidied(NamedTuple):
    """The batches touched, and those whose files cannot be written here, each with why."""

    touched: list[str]
    left: dict[str, str]


async def tidy(store: BatchStore, drop: FileDrop, *, skip: Collection[str] = ()) -> Tidied:
    """Write what is missing of sealed batches, move on what is approved; `skip` are left alone.

    Raises InvariantViolated when a file holds other bytes than were sealed.
    """
    tidied = Tidied([], {})
    for header in await store.headers():
        if header.batch in skip:
            continue
        waiting = is_waiting(header, drop)
        if header.state == SEALED:
            done, work = waiting, emit
        elif header.state == WITHDRAWN:
            done, work = not waiting and lies_in(header, ARCHIVE, drop), retire
        else:
            done, work = not waiting, release
        if not done:
            try:
                files = await recompute(header.batch, store)
            except InvalidInput as error:  # one partner's: the others' batches go on
                tidied.left[header.batch] = str(error)
                continue
            work(header, files, drop)
            tidied.touched.append(header.batch)
    return tidied


def announcement(header: Header, files: Sequence[Written]) -> bytes:
    """The record of a batch in its present state, framed."""
    body = io.BytesIO()
    body.write(FRAME)
    fastavro.schemaless_writer(
        body,
        _SCHEMA,
        {
            "batch": header.batch,
            "partner": header.partner,
            "sequence": header.sequence,
            "revision": header.revision,
            "state": header.state,
            "through": header.through.toordinal() - _EPOCH,
            "totals": dict(header.totals),
            "files": [
                {
                    "name": file.name,
                    "layout": file.layout,
                    "bytes": file.bytes,
                    "sha256": file.sha256,
                    "records": file.records,
                }
                for file in files
            ],
        },
        strict=True,
    )
    return body.getvalue()
