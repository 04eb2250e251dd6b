"""Withdraw, acknowledge and pay: what follows on a sealed batch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from services.runtime.settings import Settings
from services.settlement.adapters.answer_store import PostgresAnswerStore
from services.settlement.adapters.batch_store import PostgresBatchStore
from services.settlement.adapters.file_drop import FolderDrop
from services.settlement.adapters.life_store import PostgresLifeStore
from services.settlement.adapters.review_store import PostgresReviewStore
from services.settlement.adapters.saved_file import save
from services.settlement.approve import find
from services.settlement.batches.batch import Header
from services.settlement.bootstrap.parts import content_of, open_database, reading
from services.settlement.bootstrap.payouts import opener_of, payout_sealer
from services.settlement.emission import retire
from services.settlement.exchange.acknowledge import Acknowledged, Incoming, acknowledge
from services.settlement.exchange.answers import OF_PARTNERS
from services.settlement.exchange.recognise import expected
from services.settlement.following import pay, withdraw
from services.settlement.seal import recompute

FOLLOW_SECONDS = 600
"""Time that a statement on a large batch may take; the partner's stream is locked meanwhile."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of a command on a batch: how it stands now, and whether anything changed."""

    header: Header
    fresh: bool


async def withdraw_batch(
    settings: Settings, batch: str, *, by: str, reason: str, on: date
) -> Followed:
    """Give back what was sealed, and move the files to `archive/`.

    The ledger comes first: if moving fails the service moves them, or the same command again.
    """
    drop = FolderDrop(settings.require_files_dir())
    async with open_database(settings) as database:
        async with database.transaction(statement_seconds=FOLLOW_SECONDS) as connection:
            header = await find(batch, PostgresBatchStore(connection, opener_of(settings)))
            store = PostgresLifeStore(connection)
            fresh = await withdraw(header, by=by, on=on, reason=reason, store=store)
        async with database.connection() as connection:
            batches = PostgresBatchStore(connection, opener_of(settings))
            header = await find(batch, batches)
            retire(header, await recompute(batch, batches), drop)
    return Followed(header, fresh)


async def acknowledge_file(
    settings: Settings, path: Path, *, partner: str, by: str, on: date
) -> tuple[Header, Acknowledged]:
    """Take in a partner's or a bank's answer to batches that were sent; gives the first of them.

    Raises InvalidInput with every problem of a file that is not sound or does not belong to us;
    then nothing has moved.
    """
    incoming = Incoming(path.name, content_of(path))
    async with open_database(settings) as database:
        async with database.connection() as connection:
            batches = PostgresBatchStore(connection, opener_of(settings))
            found = await expected(incoming.name, incoming.content, partner, batches)
        async with database.transaction(statement_seconds=FOLLOW_SECONDS) as connection:
            done = await acknowledge(
                incoming, found, by=by, on=on, store=PostgresLifeStore(connection),
                changes=PostgresReviewStore(connection, lambda: payout_sealer(settings)),
            )  # fmt: skip
            layout = found[0].layout
            await PostgresAnswerStore(connection).keep(
                incoming, partner=partner, layout=layout, by=by, on=on,
                sealer=None if layout in OF_PARTNERS else partial(payout_sealer, settings),
            )  # fmt: skip
            header = await find(done.batch, PostgresBatchStore(connection, opener_of(settings)))
    return header, done


async def list_answers(settings: Settings, *, partner: str | None) -> list[dict[str, Any]]:
    """The files that were taken in, the newest first."""
    async with reading(settings) as connection:
        return await PostgresAnswerStore(connection).listed(partner)


async def list_merges(
    settings: Settings, numbers: Collection[tuple[str, str]]
) -> list[dict[str, Any]]:
    """The numbers into which partners merged these ones, each a (partner, number): since when,
    and which line of which batch told of it.
    """
    if not numbers:
        return []
    async with reading(settings) as connection:
        return await PostgresAnswerStore(connection).merges(numbers)


async def save_answer(settings: Settings, digits: str, to: Path) -> tuple[str, int]:
    """Write the bytes of an answer as they came; gives its name and its length.

    Raises InvalidInput when no one answer's sha256 begins so, or it cannot be opened here.
    """
    async with reading(settings) as connection:
        store = PostgresAnswerStore(connection)
        name, content = await store.content(digits, opener_of(settings))
    save(to, content)
    return name, len(content)


async def pay_batch(
    settings: Settings, batch: str, *, by: str, reference: str, on: date
) -> tuple[Header, int]:
    """Record that a batch was paid; gives the number of lines that this payment covers."""
    async with (
        open_database(settings) as database,
        database.transaction(statement_seconds=FOLLOW_SECONDS) as connection,
    ):
        batches = PostgresBatchStore(connection, opener_of(settings))
        header = await find(batch, batches)
        store = PostgresLifeStore(connection)
        lines = await pay(header, by=by, on=on, reference=reference, store=store)
        return await find(batch, batches), lines
