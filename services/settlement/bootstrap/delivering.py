"""Deliver: where a partner receives files, in which envelope, and the way there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from services.kernel.errors import InvalidInput, Problem
from services.runtime.settings import Settings
from services.settlement.adapters.batch_store import PostgresBatchStore
from services.settlement.adapters.bucket_destination import BucketDestination
from services.settlement.adapters.directory import Directory
from services.settlement.adapters.envelopes import envelope
from services.settlement.adapters.file_drop import FolderDrop
from services.settlement.adapters.kept_files import KeptFiles
from services.settlement.adapters.life_store import PostgresLifeStore
from services.settlement.adapters.sftp_destination import SftpDestination, check_key
from services.settlement.approve import find
from services.settlement.batches.batch import Header
from services.settlement.bootstrap.parts import content_of, open_database
from services.settlement.bootstrap.payouts import opener_of
from services.settlement.emission import AWAY
from services.settlement.exchange.deliver import begin, send
from services.settlement.exchange.destinations import Delivery, Where, parse_deliveries
from services.settlement.exchange.outbox import Destination, Envelope, Parcel
from services.settlement.seal import recompute


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of `batch deliver`. `run` is None when it was delivered before."""

    header: Header
    run: int | None
    files: tuple[Parcel, ...]


async def deliver_batch(
    settings: Settings, batch: str, *, by: str, on: date, to: Path | None, resend: bool
) -> Sent:
    """Send an approved batch's files to its partner, the manifest last.

    `to` is a folder of this machine, and then nothing is sealed. What was interrupted is gone on
    with.
    """
    deliveries = _deliveries(settings)
    async with open_database(settings) as database:
        async with database.connection() as connection:
            batches = PostgresBatchStore(connection, opener_of(settings))
            header = await find(batch, batches)
            files = await recompute(batch, batches)
        destination, closed = _way(settings, deliveries.get(header.partner), header.partner, to)
        async with database.transaction() as connection:
            run = await begin(
                header, PostgresLifeStore(connection), by=by, on=on,
                place=destination.place("").rstrip("/"), resend=resend,
            )  # fmt: skip
        kept = KeptFiles(FolderDrop(settings.require_files_dir()), header.partner)
        sent = (
            await send(header, files, run, destination, envelope=closed, kept=kept) if run else []
        )
        async with database.transaction() as connection:
            if run is not None:
                await PostgresLifeStore(connection).finish(batch, run.run)
            header = await find(batch, PostgresBatchStore(connection, opener_of(settings)))
    return Sent(header, run.run if run else None, tuple(sent))


def check_deliveries(settings: Settings) -> None:
    """Raise InvalidInput with every problem of the deliveries file and of the keys in it."""
    problems: list[Problem] = []
    for delivery in _deliveries(settings).values():
        try:
            _open(delivery, settings)
        except InvalidInput as error:
            problems += error.problems
    if problems:
        raise InvalidInput(problems)


def _way(
    settings: Settings, delivery: Delivery | None, partner: str, to: Path | None
) -> tuple[Destination, Envelope | None]:
    if to is not None or delivery is None:
        return Directory(to or settings.require_files_dir() / partner / AWAY), None
    return _open(delivery, settings)


def _deliveries(settings: Settings) -> Mapping[str, Delivery]:
    path = settings.deliveries_file
    if path is None:
        return {}
    try:
        text = content_of(path).decode()
    except UnicodeDecodeError as error:
        raise InvalidInput([Problem("is not UTF-8", file=str(path))]) from error
    return parse_deliveries(
        text, file=str(path), folder=path.absolute().parent,
        is_there=lambda named: Path(named).is_file(),
    )  # fmt: skip


def _open(delivery: Delivery, settings: Settings) -> tuple[Destination, Envelope | None]:
    """The partner's side, and what seals files for it; InvalidInput when a key is none."""
    problems: list[Problem] = []
    if delivery.to.sftp is not None:
        try:
            check_key(delivery.to.sftp)
        except InvalidInput as error:
            problems += _named(error.problems, delivery, settings)
    try:
        closed = envelope(delivery.seal)
    except InvalidInput as error:
        problems += _named(error.problems, delivery, settings)
    if problems:
        raise InvalidInput(problems)
    return _destination(delivery.to), closed


def _destination(to: Where) -> Destination:
    if to.sftp is not None:
        return SftpDestination(to.sftp)
    if to.bucket is not None:
        return BucketDestination(to.bucket)
    if to.folder is None:  # the model has let nothing else through
        raise AssertionError("a delivery goes to a place")
    return Directory(Path(to.folder.path))


def _named(found: Iterable[Problem], delivery: Delivery, settings: Settings) -> list[Problem]:
    file = str(settings.deliveries_file)
    return [
        replace(problem, file=file, field=f"{delivery.partner}: {problem.field}")
        for problem in found
    ]
