"""What followed on batches can be folded again, and every planted corruption of it is found."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.runtime.failpoint import EXIT_CODE
from services.settlement import bootstrap as settlement
from tests.support.partner import (
    APRIL_3,
    BATCH,
    Verdict,
    acknowledge,
    answered,
    approved,
    owed,
    sent,
)
from tests.support.refold import resettled
from tests.support.settlement import Books, broken, cash_terms, settings_for, settle


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    yield books
    await books.close()


async def history(books: Books, folder: Path) -> None:
    """A batch with every outcome that was paid, one withdrawn, one sealed anew, and cash."""
    settings = settings_for(books.url, folder)
    await books.contract()
    for nth in range(1, 5):
        await books.member(f"acc-{nth}", str(nth) * 5)
        await books.grant(f"acc-{nth}", f"P{nth}", 10 * nth)
    await settle(books, folder)
    verdicts = {2: Verdict("E", flags="Y"), 3: Verdict("M", "77777"), 4: Verdict("W")}
    await acknowledge(books, folder, answered(await sent(books, folder), verdicts))
    await settlement.pay_batch(settings, BATCH, by="Dee", reference="R1", on=APRIL_3)
    await books.grant("acc-1", "P1", -4)
    await settle(books, folder)
    await approved(books, folder, "sky-air-000002")
    await settlement.withdraw_batch(
        settings, "sky-air-000002", by="Cy", reason="wrong month", on=APRIL_3
    )
    await books.grant("acc-3", "P3", 6)
    await settle(books, folder)
    await books.contract("cash", partner="first-bank", terms=cash_terms())
    await books.grant("acc-1", "P9", 1250, contract="cash", rule="cash", unit="NOK")
    await settle(books, folder, partner="first-bank")


async def test_a_rebuild_follows_withdrawals_answers_and_payments_row_for_row(
    books: Books, folder: Path
) -> None:
    await history(books, folder)
    assert await broken(books, folder) == []
    assert await resettled(books) == []


async def test_a_rebuild_finds_an_outcome_that_was_changed(books: Books, folder: Path) -> None:
    await history(books, folder)
    await books.corrupt("UPDATE acknowledgement SET code = 'OTHER' WHERE outcome = 'REJECTED'")
    found = await resettled(books)
    assert len(found) == 2
    assert found[0].startswith(f"acknowledgement: only in the ledger: ({BATCH},2,1,REJECTED")


async def test_planted_corruptions_of_what_followed_are_found(books: Books, folder: Path) -> None:
    await history(books, folder)
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
    "settlement-revisions": [
        "UPDATE settlement_batch SET revision = 0 WHERE batch = 'sky-air-000003'",
        "UPDATE settlement_batch SET revision = 1 WHERE batch = 'sky-air-000001'",
        "UPDATE settlement_batch SET through = through + 1 WHERE batch = 'sky-air-000003'",
    ],
    "settlement-states": [
        "DELETE FROM settlement_state WHERE batch = 'sky-air-000003'",
        "DELETE FROM settlement_state WHERE state = 'APPROVED' AND batch = 'sky-air-000001'",
        "DELETE FROM settlement_approval WHERE batch = 'sky-air-000001'",
        "ALTER TABLE settlement_state DROP CONSTRAINT settlement_state_legal; UPDATE "
        "settlement_state SET previous = 'ANSWERED' WHERE state = 'SENT'",
        "DELETE FROM file_delivery",
        "DELETE FROM acknowledgement WHERE line = 4",
        "ALTER TABLE settlement_state DROP CONSTRAINT settlement_state_left_once; INSERT INTO "
        "settlement_state (batch, state, previous, who, recorded_on, reason) VALUES "
        "('sky-air-000001', 'WITHDRAWN', 'APPROVED', 'Eve', '2026-04-03', 'x')",
    ],
    "settlement-answers": [
        "UPDATE acknowledgement SET outcome = 'ACCEPTED', came_back = false "
        "WHERE outcome = 'REJECTED'",
        "DELETE FROM settlement_move WHERE kind = 'WITHDRAWN' AND leg = 1",
        "UPDATE transfer SET amount = amount + 1 WHERE credit = 'bank' AND leg = 1",
        "DELETE FROM transfer WHERE credit = 'bank' AND leg = 1",
        "DELETE FROM acknowledgement WHERE outcome = 'PAID' AND line = 1",
        "DELETE FROM settlement_state WHERE state = 'WITHDRAWN'",
    ],
    "settlement-owed": [
        "UPDATE settlement_move SET kind = 'PAID' WHERE kind = 'REJECTED'; UPDATE acknowledgement "
        "SET outcome = 'ACCEPTED', came_back = false WHERE outcome = 'REJECTED'",
        "UPDATE transfer SET credit = 'write-off' WHERE credit = 'payout-clearing'",
    ],
}


WHOLE_LIFE = """
import asyncio, sys
from datetime import date
from pathlib import Path
from services.settlement import bootstrap
from services.settlement.batches.order import Order
from tests.support.partner import Verdict, answered
from tests.support.settlement import settings_for

url, folder, partner = sys.argv[1:]
settings, day, batch = settings_for(url, Path(folder)), date(2026, 4, 3), f"{partner}-000001"
answer = Path(folder) / f"{partner}.txt"

async def live():
    await bootstrap.settle(settings, Order(partner, day, "Ann", day))
    await bootstrap.approve_batch(settings, batch, approver="Bo", on=day)
    await bootstrap.deliver_batch(settings, batch, by="Dee", on=day, to=None, resend=False)
    (file,) = (Path(folder) / partner / "sent").glob("*.txt")
    answer.write_bytes(answered(file.read_bytes(), {1: Verdict("E"), 2: Verdict("M", "777")}))
    await bootstrap.acknowledge_file(settings, answer, partner=partner, by="Dee", on=day)
    await bootstrap.pay_batch(settings, batch, by="Dee", reference="R1", on=day)
    await bootstrap.settle(settings, Order(partner, day, "Ann", day))
    await bootstrap.withdraw_batch(settings, f"{partner}-000002", by="Cy", reason="x", on=day)

asyncio.run(live())
"""


@pytest.mark.slow
async def test_a_kill_at_any_point_of_a_life_leaves_a_whole_step(
    books: Books, folder: Path
) -> None:
    killed = 0
    for nth in range(1, 300, 4):
        partner = f"air-{nth}"
        await books.contract(f"c-{nth}", partner=partner)
        for number in (1, 2):
            account = f"acc-{nth}-{number}"
            await books.member(account, f"{nth}{number}", partner=partner)
            await books.grant(account, f"P{nth}-{number}", 10 * number, contract=f"c-{nth}")
        arguments = [sys.executable, "-c", WHOLE_LIFE, books.url, str(folder), partner]
        environment = {**os.environ, "MILEPOST_FAIL_AT": str(nth)}
        failed = await asyncio.to_thread(
            subprocess.run, arguments, env=environment, capture_output=True, check=False
        )
        if failed.returncode == 0:
            break
        killed += 1
        assert failed.returncode == EXIT_CODE, failed.stderr
        await asyncio.to_thread(subprocess.run, arguments, check=True)
        assert len(os.listdir(folder / partner / "sent")) == 4
    assert killed >= 15
    assert (await owed(books))["bank"] == 20 * (killed + 1)
    assert await broken(books, folder) == []
