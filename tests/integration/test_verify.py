"""`milepost verify` finds what should not be: each invariant has corruptions that it must name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime

import asyncpg
import msgspec
import pytest
import typer
from typer.testing import CliRunner

from services.accrual.invariants import QUESTIONS
from services.accrual.lifecycle.purchase import Grant, Purchase, restore
from services.cli import proof
from services.cli.session import DONE, VIOLATED, Output, Session
from services.kernel.finding import Finding
from services.local.stack import Stack
from tests.support import builders, ledger, servers
from tests.support.builders import event
from tests.support.ledger import Ledger, sabotage
from tests.support.phrases import read_contract

CONTRACT = """\
contract sky-visa v1   zone Europe/Oslo   amounts in NOK   funded by first-bank 60 and sky-air 40
  base:   1 SKY-MILE per 10.00, per_block, down    cap 50 a month and account"""


async def filled(url: str) -> None:
    """One of everything: refunds, a full cap, repeats, what waits, broke or was rejected."""
    async with ledger.opened(url, partitions=1) as book:
        await book.approve(builders.as_text(read_contract(CONTRACT.splitlines())[0]))
        await book.enrol([builders.row("A1"), builders.row("A2")])
        second = datetime(2026, 3, 3, 12, tzinfo=UTC)
        await book.send(
            event("P1", billing_amount=31_200),
            event("P2", billing_amount=30_000, at=second),
            event("Q1", account_id="A2"),
            event("X1", "REFUND", original_event_id="not-there"),
        )
        await book.send(event("P1", billing_amount=31_200), event("P2", billing_amount=1))
        await book.send(event("R1", "REFUND", original_event_id="P1", billing_amount=4_000))
        await book.send(event("C1"), role="compare")
        await book.send(event("B1"), facts=ledger.BrokenFacts())
        await book.reject("NOT_JSON", offset=0)
    await sabotage(url, "INSERT INTO publisher_cursor (stream_id, seq) VALUES (1, 5)")


@pytest.fixture(scope="module")
def filled_url(stack: Stack, _template: str) -> Iterator[str]:
    url = servers.create_database(stack.database_url, template=servers.name_of(_template))
    servers.in_a_thread(filled(url))
    yield url
    servers.drop_database(url, stack.database_url)


@pytest.fixture
def copy_url(stack: Stack, filled_url: str) -> Iterator[str]:
    url = servers.create_database(stack.database_url, template=servers.name_of(filled_url))
    yield url
    servers.drop_database(url, stack.database_url)


@pytest.fixture
async def book(copy_url: str) -> AsyncIterator[Ledger]:
    async with ledger.opened(copy_url, partitions=1) as book:
        yield book


async def faults(book: Ledger) -> dict[str, Finding]:
    async with book.books() as books:
        return {found.id: found for found in await books.findings() if not found.ok}


async def test_a_sound_ledger_has_no_faults(book: Ledger) -> None:
    assert await faults(book) == {}


async def test_how_far_the_publisher_is_does_not_show_in_what_was_checked(book: Ledger) -> None:
    async with book.books() as books:
        before = await books.findings()
    await sabotage(book.url, "DELETE FROM publisher_cursor")
    async with book.books() as books:
        assert await books.findings() == before


EVENT = "stream_id = 1 AND seq ="
PLANTED: list[tuple[str, str, str]] = [
    ("record-sequence", f"DELETE FROM card_event WHERE {EVENT} 4", "first gap after 3"),
    ("record-sequence", "UPDATE stream_position SET next_seq = 99 WHERE stream_id = 1", "98"),
    ("record-offsets", f"UPDATE card_event SET offset_at = 0 WHERE {EVENT} 4", "offset 0"),
    ("record-offsets", f"UPDATE card_event SET offset_at = 900 WHERE {EVENT} 11", "offset 900"),
    ("record-offsets", f"UPDATE card_event SET offset_at = 5 WHERE {EVENT} 4", "seq 5"),
    ("record-revisions", f"UPDATE card_event SET revision = 1 WHERE {EVENT} 5", "seq 5 saw facts"),
    ("record-revisions", "UPDATE fact_revision SET revision = 1", "there are 1"),
    ("record-identities", f"DELETE FROM event_identity WHERE {EVENT} 3", "seq 3 (POSTED"),
    ("record-identities", "INSERT INTO event_identity VALUES (gen_random_uuid(), 1, 3)", "seq 3"),
    ("record-identities", "INSERT INTO event_identity VALUES (gen_random_uuid(), 1, 77)", "seq 77"),
    ("record-identities", "INSERT INTO event_identity VALUES (gen_random_uuid(), 1, 1)", "command"),
    ("record-identities", f"UPDATE card_event SET outcome = 'CONFLICT' WHERE {EVENT} 7", "seq 7"),
    ("record-identities", "UPDATE card_event SET outcome = 'DUPLICATE' WHERE outcome = 'CONFLICT'",
     "other content"),
    ("record-identities", f"UPDATE event_identity SET seq = 8 WHERE {EVENT} 4", "seq 4"),
    ("record-identities", f"UPDATE card_event SET body = '\\x7f' WHERE {EVENT} 3", "seq 3"),
    ("record-outcomes", f"UPDATE card_event SET reason = 'NO_CHANGE' WHERE {EVENT} 3", "NO_CHANGE"),
    ("record-outcomes", "UPDATE card_event SET reason = NULL WHERE role = 'compare'", "compare"),
    ("record-outcomes", f"UPDATE card_event SET outcome = 'RECORDED' WHERE {EVENT} 3", "RECORDED"),
    ("record-placed", "DELETE FROM waiting_event WHERE event_id = 'X1'", "seq 6 (WAITING)"),
    ("record-placed", "DELETE FROM purchase WHERE label = 'P1'", "seq 3 (POSTED)"),
    ("record-placed", "UPDATE card_event SET role = 'compare' WHERE seq = 3", "in 1 purchases"),
    ("record-waiting", "UPDATE waiting_event SET reason = 'FAILED'", "X1 waits"),
    ("record-waiting", "UPDATE waiting_event SET body = body || '\\x00'", "other content"),
    ("record-waiting", """INSERT INTO waiting_event
        SELECT 1, e.seq, 'first-bank', 'A1', w.account_key, 'R1', 'MISSING_ORIGINAL', 'P1', e.body
          FROM card_event AS e, waiting_event AS w WHERE e.seq = 9 AND w.event_id = 'X1'""",
     "what it names is there"),
    ("record-sealed", "UPDATE dead_letter SET sealed = 'in clear'", "offset 0 is not sealed"),
    ("ledger-shapes", "UPDATE transfer SET funder = 'sky-air' WHERE leg = 1", "reward-cost"),
    ("ledger-shapes", "UPDATE transfer SET credit = 'member/A2' WHERE seq = 3", "member/A2"),
    ("ledger-shapes", """ALTER TABLE transfer DROP CONSTRAINT transfer_amount_check;
        UPDATE transfer SET amount = -amount WHERE seq = 3""", "-"),
    ("ledger-chart", "UPDATE transfer SET debit = 'petty-cash' WHERE seq = 3", "petty-cash"),
    ("ledger-chart", "UPDATE balance SET account = 'member/' WHERE account LIKE '%A2'", "is no"),
    ("ledger-balances", "UPDATE balance SET amount = amount + 1 WHERE account = 'member/A1'", "A1"),
    ("ledger-balances", "DELETE FROM balance WHERE account = 'member/A2'", "the balance is 0"),
    ("ledger-balances", "DELETE FROM transfer WHERE seq = 3 AND leg = 1", "reward-cost/first-bank"),
    ("ledger-zero", "UPDATE balance SET amount = amount + 7 WHERE account = 'member/A1'", "by 7"),
    ("ledger-entries", "UPDATE transfer SET leg = 9 WHERE seq = 3 AND leg = 2", "from 1 to 9"),
    ("ledger-entries", "UPDATE transfer SET rule = 'x' WHERE seq = 3 AND leg = 2", "entry 1"),
    ("ledger-entries", "UPDATE transfer SET entry = 2 WHERE seq = 3 AND leg = 1", "entry 2"),
    ("ledger-causes", "UPDATE card_event SET outcome = 'NO_REWARD', reason = 'NO_CHANGE' "
     "WHERE seq = 3", "seq 3 is NO_REWARD"),
    ("ledger-causes", "DELETE FROM transfer WHERE seq = 5", "seq 5 is POSTED without"),
    ("ledger-causes", "UPDATE transfer SET seq = 77 WHERE seq = 5", "not recorded"),
    ("contract-approvals", """ALTER TABLE contract_approval
        DROP CONSTRAINT contract_approval_four_eyes;
        UPDATE contract_approval SET approver = '\uff21da'""", "written by Ada and approved"),
    ("contract-approvals", "UPDATE contract_version SET document = document || '#'", "was signed"),
    ("contract-approvals", """ALTER TABLE contract_approval DROP CONSTRAINT contract_approval_of;
        DELETE FROM contract_version""", "never applied"),
    ("publisher-cursor", "UPDATE publisher_cursor SET seq = 99", "published up to 99"),
    ("purchase-grants", "UPDATE transfer SET amount = amount + 1 WHERE seq = 3 AND leg = 1", "P1"),
    ("purchase-grants", "UPDATE transfer SET available_on = '2026-05-01' WHERE seq = 3", "P1"),
    ("purchase-grants", "UPDATE transfer SET of_purchase = 77 WHERE seq = 5", "without a purchase"),
    ("purchase-grants", "DELETE FROM contract_approval", "of no approved contract"),
    ("purchase-labels", "UPDATE purchase SET label = 'ZZ' WHERE label = 'P1'", "'ZZ'"),
    ("purchase-labels", "UPDATE purchase SET link_key = link_key + 1 WHERE label = 'P1'", "keys"),
    ("purchase-labels", "UPDATE purchase SET body = '\\x93' WHERE label = 'P1'", "cannot be read"),
    ("purchase-labels", "UPDATE purchase SET purchase = 77 WHERE label = 'P1'", "by no event"),
    ("totals-sums", "UPDATE scope_total SET total = total + 1 WHERE scope_id = 'A1'", "A1, cap"),
    ("totals-sums", "UPDATE scope_total SET granted = 49 WHERE scope_id = 'A1'", "A1, cap"),
    ("totals-sums", "UPDATE scope_total SET total_key = gen_random_uuid()", "under its own key"),
    ("totals-sums", "DELETE FROM scope_total WHERE scope_id = 'A1'", "no running total"),
    ("totals-sums", "UPDATE scope_total SET kind = 'bands' WHERE scope_id = 'A1'", "A1, bands"),
    ("totals-sums", "UPDATE scope_total SET scope = 'card' WHERE scope_id = 'A1'", "over a card"),
    ("totals-sums", "UPDATE scope_total SET scope_id = 'K1' WHERE scope_id = 'A1'", "over K1"),
    ("totals-sums", "UPDATE scope_total SET account_id = 'A2' WHERE scope_id = 'A1'", "A1"),
]  # fmt: skip


@pytest.mark.parametrize(("invariant", "corruption", "said"), PLANTED)
async def test_verify_names_a_corruption(
    book: Ledger, invariant: str, corruption: str, said: str
) -> None:
    await sabotage(book.url, "ALTER TABLE stream_position DISABLE TRIGGER ALL", corruption)
    found = await faults(book)
    assert invariant in found
    assert said in found[invariant].detail


def over_the_cap(grant: Grant) -> None:
    grant.granted += 5
    grant.shares[0].granted += 5


def below_zero(grant: Grant) -> None:
    grant.granted = -grant.granted


def in_another_month(grant: Grant) -> None:
    grant.shares[0].period = "2026-04"


def without_a_cap(grant: Grant) -> None:
    grant.shares = ()


def not_what_came_out(grant: Grant) -> None:
    grant.granted += 1


def fed_by_something_else(grant: Grant) -> None:
    grant.earned += 1


def of_another_kind(grant: Grant) -> None:
    grant.shares[0].kind = "count"


@pytest.mark.parametrize(
    ("invariant", "change"),
    [
        ("totals-caps", over_the_cap),
        ("purchase-grants", below_zero),
        ("totals-sums", in_another_month),
        ("totals-sums", without_a_cap),
        ("totals-sums", not_what_came_out),
        ("totals-sums", fed_by_something_else),
        ("totals-sums", of_another_kind),
    ],
)
async def test_verify_names_a_purchase_whose_bytes_were_changed(
    book: Ledger, invariant: str, change: Callable[[Grant], None]
) -> None:
    await rewrite(book, "P2", lambda purchase: change(purchase.grants[0]))
    found = await faults(book)
    assert invariant in found
    assert "A1" in found[invariant].detail


async def test_verify_names_an_event_that_stands_in_two_purchases(book: Ledger) -> None:
    await rewrite(book, "P2", lambda purchase: purchase.legs.append(purchase.legs[0]))
    assert "in 2 purchases" in (await faults(book))["record-placed"].detail


async def test_verify_names_a_purchase_that_is_stored_with_another_place(book: Ledger) -> None:
    connection = await asyncpg.connect(book.url)
    body = await connection.fetchval("SELECT body FROM purchase WHERE label = 'P2'")
    parts = msgspec.msgpack.decode(body)
    parts[3] += 1
    await connection.execute(
        "UPDATE purchase SET body = $1 WHERE label = 'P2'", msgspec.msgpack.encode(parts)
    )
    await connection.close()
    assert "says that its place is 5, it is 4" in (await faults(book))["purchase-labels"].detail


async def rewrite(book: Ledger, label: str, change: Callable[[Purchase], object]) -> None:
    """Change the bytes of a purchase."""
    connection = await asyncpg.connect(book.url)
    row = await connection.fetchrow("SELECT * FROM purchase WHERE label = $1", label)
    purchase = restore(
        stream_id=row["stream_id"], number=row["purchase"], issuer_id=row["issuer_id"],
        account_id=row["account_id"], body=row["body"],
    )  # fmt: skip
    change(purchase)
    await connection.execute(
        "UPDATE purchase SET body = $2 WHERE label = $1", label, purchase.body()
    )
    await connection.close()


async def test_every_invariant_has_a_corruption_that_it_finds(book: Ledger) -> None:
    async with book.books() as books:
        known = {found.id for found in await books.findings()}
    assert known >= set(QUESTIONS)
    assert known == {invariant for invariant, _, _ in PLANTED} | {"totals-caps"}


@pytest.mark.parametrize("output", [Output.TABLE, Output.JSON])
def test_the_command_ends_with_4_and_says_which(
    copy_url: str, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILEPOST_DATABASE_URL", copy_url)
    app = typer.Typer()
    proof.register(app)
    session = Session(output=output, quiet=False, config=None)
    sound = CliRunner().invoke(app, ["verify"], obj=session)
    assert sound.exit_code == DONE
    servers.in_a_thread(sabotage(copy_url, "UPDATE balance SET amount = amount + 1"))
    found = CliRunner().invoke(app, ["verify"], obj=session)
    assert found.exit_code == VIOLATED
    assert "ledger-balances" in found.stdout
    balance = CliRunner().invoke(app, ["trial-balance", "--through", "2026-12-31"], obj=session)
    assert balance.exit_code == DONE
