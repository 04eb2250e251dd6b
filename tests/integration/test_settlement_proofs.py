"""Settlement can be folded again row for row, and every planted corruption is found."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from services.runtime.failpoint import EXIT_CODE
from services.settlement import bootstrap as settlement
from services.settlement.batches.order import Order
from tests.support.refold import resettled
from tests.support.settlement import (
    APRIL_END,
    SEALED_ON,
    Books,
    broken,
    miles_terms,
    settings_for,
    settle,
)


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    yield books
    await books.close()


async def test_what_is_recorded_while_a_batch_is_sealed_is_in_this_one_or_in_the_next(
    books: Books, folder: Path
) -> None:
    await books.contract()
    await books.member("acc-1", "11111")
    recording = asyncio.create_task(record(books, 150))
    sealed = 0
    while not recording.done():
        settled = await settle(books, folder)
        sealed += settled.lines
    sealed += (await settle(books, folder)).lines
    assert sealed == 150
    assert await books.connection.fetchval("SELECT max(sequence) FROM settlement_batch") > 2
    assert await broken(books, folder) == []
    assert await resettled(books) == []


async def record(books: Books, count: int) -> None:
    for nth in range(count):
        await books.grant("acc-1", f"P{nth}", 1, stream_id=1 + nth % 2)


SETTLE_AND_APPROVE = """
import asyncio, sys
from datetime import date
from pathlib import Path
from services.settlement import bootstrap
from services.settlement.batches.order import Order
from tests.support.settlement import settings_for

url, folder, partner = sys.argv[1:]
settings, day = settings_for(url, Path(folder)), date(2026, 4, 1)
asyncio.run(bootstrap.settle(settings, Order(partner, day, "Ann", day)))
batch = f"{partner}-000001"
asyncio.run(bootstrap.approve_batch(settings, batch, approver="Bo", on=day))
"""


@pytest.mark.slow
async def test_a_kill_at_any_point_leaves_nothing_or_everything(books: Books, folder: Path) -> None:
    killed = 0
    await books.member("acc-1", "11111", partner=None)
    for nth in range(1, 100):
        partner = f"air-{nth}"
        await books.contract(f"c-{nth}", partner=partner)
        await books.member(f"acc-{nth}", "11111", partner=partner)
        await books.grant(f"acc-{nth}", f"P{nth}", 10, contract=f"c-{nth}")
        arguments = [sys.executable, "-c", SETTLE_AND_APPROVE, books.url, str(folder), partner]
        environment = {**os.environ, "MILEPOST_FAIL_AT": str(nth)}
        failed = await asyncio.to_thread(
            subprocess.run, arguments, env=environment, capture_output=True, check=False
        )
        outgoing = folder / partner / "outgoing"
        if failed.returncode == 0:
            break
        killed += 1
        assert failed.returncode == EXIT_CODE, failed.stderr
        day, settings = date(2026, 4, 1), settings_for(books.url, folder)
        await settlement.settle(settings, Order(partner, day, "Ann", day))
        await settlement.approve_batch(settings, f"{partner}-000001", approver="Bo", on=day)
        assert len(os.listdir(outgoing)) == 4, failed.stderr
        assert os.listdir(folder / partner / "pending") == [], failed.stderr
    assert killed >= 20
    assert await broken(books, folder) == []


async def test_a_rebuild_seals_the_same_rows_and_bytes(books: Books, folder: Path) -> None:
    await history(books, folder)
    assert await resettled(books) == []


async def test_a_rebuild_finds_a_changed_line(books: Books, folder: Path) -> None:
    await history(books, folder)
    await books.corrupt(
        "UPDATE settlement_line SET activity_on = '2026-01-01' WHERE batch = 'sky-air-000001' "
        "AND line = 1"
    )
    found = await resettled(books)
    assert len(found) == 2
    assert found[0].startswith("settlement_line: only in the ledger: (sky-air-000001,1,")


async def history(books: Books, folder: Path) -> None:
    """Three batches with held and carried members, pieces, and a purchase renamed since."""
    await books.contract(terms=miles_terms(adjustments="carry"))
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 10)
    await books.grant("acc-2", "P2", 10)
    await books.grant("acc-1", "P0", 1)
    await books.grant("acc-1", "P0", -1)
    await settle(books, folder)
    await books.rename("P1", "A1")
    await books.member("acc-2", "22222")
    await books.grant("acc-1", "P1", 5)
    await settle(books, folder)
    await books.grant("acc-1", "P1", -12)
    await books.grant("acc-1", "P3", 20)
    await books.grant("acc-2", "P2", -10)
    await settle(books, folder, through=APRIL_END)


async def test_planted_corruptions_are_found(books: Books, folder: Path) -> None:
    await history(books, folder)
    await settlement.approve_batch(
        settings_for(books.url, folder), "sky-air-000001", approver="Bo", on=SEALED_ON
    )
    assert await broken(books, folder) == []
    for invariant, statements in CORRUPTIONS.items():
        for statement in statements:
            transaction = books.connection.transaction()
            await transaction.start()
            try:
                await books.connection.execute("SET LOCAL session_replication_role = replica")
                await books.connection.execute(statement)
                found = await settlement.invariants(books.connection, folder)
                assert invariant in [finding.id for finding in found if not finding.ok], statement
            finally:
                await transaction.rollback()


CORRUPTIONS = {
    "settlement-once": [
        "ALTER TABLE settlement_member DROP CONSTRAINT settlement_member_once; "
        "INSERT INTO settlement_member SELECT stream_id, seq, leg, 'sky-air-000002', 1 "
        "FROM settlement_member LIMIT 1",
        "UPDATE settlement_member SET seq = 900 WHERE batch = 'sky-air-000001' AND line = 1",
        "UPDATE settlement_member SET line = 0 WHERE batch = 'sky-air-000001' AND line = 1",
    ],
    "settlement-ties": [
        "UPDATE settlement_line SET amount = 11 WHERE batch = 'sky-air-000001' AND line = 1",
        "UPDATE settlement_batch SET totals = '{\"SKY-MILE\": 9}' WHERE sequence = 1",
        "UPDATE transfer SET amount = amount + 1 WHERE debit = 'member/acc-1' "
        "AND credit LIKE 'partner-payable/%'",
        "UPDATE transfer SET amount = amount + 1 WHERE debit LIKE 'reward-cost/%'",
    ],
    "settlement-sequence": [
        "ALTER TABLE settlement_batch DROP CONSTRAINT settlement_batch_name; "
        "UPDATE settlement_batch SET sequence = 4 WHERE sequence = 3",
        "DELETE FROM settlement_batch WHERE sequence = 2",
        "DELETE FROM card_event WHERE role = 'command' AND seq = 2",
    ],
    "settlement-originals": [
        "UPDATE settlement_line SET original_line = 7 WHERE batch = 'sky-air-000003' AND line = 1",
        "UPDATE settlement_line SET amount = -14 WHERE batch = 'sky-air-000003' AND line = 1",
    ],
    "settlement-members": [
        "DELETE FROM settlement_member WHERE batch = 'sky-air-000003' AND line = 1",
        "UPDATE transfer SET available_on = '2026-05-05' WHERE debit LIKE 'reward-cost/%'",
        "UPDATE settlement_batch SET held = '[]' WHERE sequence = 1",
    ],
    "settlement-approvals": [
        "ALTER TABLE settlement_approval DROP CONSTRAINT settlement_approval_four_eyes; "
        "UPDATE settlement_approval SET approver = 'ANN'",
    ],
    "settlement-bytes": [
        "UPDATE settlement_line SET membership_number = '9' WHERE batch = 'sky-air-000001' "
        "AND line = 1",
        "UPDATE settlement_file SET sha256 = repeat('0', 64) WHERE layout = 'gl-journal'",
        "DELETE FROM settlement_file WHERE layout = 'gl-journal'",
    ],
    "settlement-files": [
        "UPDATE settlement_file SET sha256 = repeat('0', 64) WHERE layout = 'gl-journal'",
        "DELETE FROM settlement_approval",
    ],
}
