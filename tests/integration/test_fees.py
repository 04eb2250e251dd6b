"""Commissions on a reward are the programme's, never the member's: they touch no batch."""

from __future__ import annotations

import asyncpg
import pytest

from tests.support.builders import as_text, event, row
from tests.support.ledger import opened
from tests.support.phrases import read_contract

CONTRACT = """\
contract sky-visa v1   zone Europe/Oslo   governs by transaction date   amounts in NOK
  fee of 40 percent to network from first-bank half_up
  base: 1 SKY-MILE per 10.00, per_block, down"""


@pytest.fixture
async def connection(migrated_url: str) -> asyncpg.Connection:
    return await asyncpg.connect(migrated_url)


async def test_a_fee_takes_nothing_from_what_a_partner_pays(
    migrated_url: str, connection: asyncpg.Connection
) -> None:
    document, _ = read_contract(CONTRACT.splitlines())
    try:
        async with opened(migrated_url) as ledger:
            await ledger.approve(as_text(document))
            await ledger.enrol([row()])
            await ledger.send(event("P1", billing_amount=20_000))
        assert await connection.fetchval("SELECT sum(amount) FROM fee_movement") == 8
        assert await connection.fetchval("SELECT sum(amount) FROM member_movement") == 20
        assert await connection.fetchval("SELECT sum(amount) FROM payable_transfer") == 20
    finally:
        await connection.close()
