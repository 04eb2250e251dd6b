"""The revision of a batch: how many withdrawn batches of its partner and day it restates."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from services.runtime.database import Database
from services.settlement import bootstrap as settlement
from services.settlement.batches.batch import Header
from tests.support.partner import APRIL_3, BATCH
from tests.support.refold import resettled
from tests.support.settlement import APRIL_END, Books, broken, settings_for, settle


async def withdraw(books: Books, folder: Path, batch: str = BATCH) -> None:
    await settlement.withdraw_batch(
        settings_for(books.url, folder), batch, by="Cy", reason="wrong offer code", on=APRIL_3
    )


async def test_a_batch_has_the_number_of_withdrawn_batches_that_it_restates_as_its_revision(
    books: Books, folder: Path
) -> None:
    settings = settings_for(books.url, folder)
    found = []
    for nth in range(1, 4):
        batch = f"sky-air-{nth:06d}"
        header = (await settle(books, folder)).header
        assert header is not None
        manifest = json.loads((folder / f"sky-air/pending/{batch}.manifest.json").read_text())
        found.append((header.batch, header.revision, manifest["revision"]))
        await withdraw(books, folder, batch)
    assert found == [
        ("sky-air-000001", 0, 0), ("sky-air-000002", 1, 1), ("sky-air-000003", 2, 2),
    ]  # fmt: skip
    shown = (await settlement.show_batch(settings, "sky-air-000003")).header
    listed = await settlement.list_batches(settings, partner="sky-air")
    assert (shown.revision, [one.revision for one in listed]) == (2, [0, 1, 2])
    rows = await settlement.batch_rows(books.connection)
    assert {(row[0], row[3]) for row in rows} == {(batch, revision) for batch, revision, _ in found}
    # Another day is another cycle, and what more is due of a day restates no more than before.
    assert [one.revision for one in await two_more(books, folder)] == [0, 3]
    assert await broken(books, folder) == []
    assert await resettled(books) == []


async def two_more(books: Books, folder: Path) -> list[Header]:
    """The cycle after, and then what was added to the one before."""
    found = [(await settle(books, folder, through=APRIL_END)).header]
    await books.grant("acc-1", "P3", 5)
    found.append((await settle(books, folder)).header)
    return [header for header in found if header is not None]


async def test_a_seal_that_waits_for_a_withdrawal_restates_it(books: Books, folder: Path) -> None:
    await settle(books, folder)
    _, anew = await asyncio.gather(withdraw(books, folder), settle(books, folder))
    if anew.header is None:  # it was the first of the two, and nothing was due
        anew = await settle(books, folder)
    assert anew.header is not None
    assert (anew.header.batch, anew.header.revision) == ("sky-air-000002", 1)
    assert await broken(books, folder) == []


async def test_nobody_changes_a_revision_and_none_is_below_zero(books: Books, folder: Path) -> None:
    await settle(books, folder)
    change = "UPDATE settlement_batch SET revision = $1"
    for role in ("milepost_app", "milepost_operator"):
        async with (
            await Database.connect(books.url, role=role) as database,
            database.connection() as connection,
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(change, 7)
    with pytest.raises(asyncpg.CheckViolationError, match="revision_whole"):
        await books.connection.execute(change, -1)
