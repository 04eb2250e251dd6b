"""A member whose account or number came back is held until there is another one on file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from services.settlement import bootstrap as settlement
from services.settlement.bootstrap import Settled
from services.settlement.files.layout.pages import pages
from services.settlement.files.layout.writer import write
from tests.support.bank import APRIL_3, Bank, open_bank
from tests.support.desk import ACH, Desk, ach_bank, open_desk
from tests.support.partner import BATCH, Verdict, acknowledge, answered, sent
from tests.support.refold import resettled
from tests.support.settlement import Books, broken, lines, miles_terms, settings_for, settle

BAD, CLOSED, EXPIRED = "Y", "    Y", "     Y"


@pytest.fixture
def bank() -> Iterator[Bank]:
    with open_bank() as found:
        yield found


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(database_url, tmp_path / "files", "nacha-ppd") as desk:
        yield desk


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    for nth in range(1, 4):
        await books.member(f"acc-{nth}", str(nth) * 5)
        await books.grant(f"acc-{nth}", f"P{nth}", 10 * nth)
    yield books
    await books.close()


def waits(settled: Settled) -> list[tuple[str, int, str]]:
    return [(held.account_id, held.amount, held.why) for held in settled.draft.held]


async def returned(desk: Desk, bank: Bank) -> str:
    """The batch is sent, and the file in which the bank returns acc-2's payment."""
    ach_bank(bank)
    bank.take(await desk.send(await desk.settle()))
    bank.until("2026-04-02")
    (content,) = bank.says("nacha.return")
    return content.decode()


async def test_a_closed_account_holds_its_member_until_other_details_are_imported(
    desk: Desk, bank: Bank
) -> None:
    await desk.hear((await returned(desk, bank)).encode())
    why = (
        "the payout account came back with R02 on 2026-04-03 (first-bank-000001/3): "
        "import other payout details"
    )
    settled = await desk.settled()
    assert (settled.header, waits(settled)) == (None, [("acc-2", 399, why)])
    await desk.again(ACH.payees)  # the same once more: the account is as closed as before
    await desk.books.grant("acc-1", "P8", 100, contract="cash", rule="cash", unit="USD")
    held = await desk.settle()
    shown = (await settlement.show_batch(desk.settings, held)).header
    assert [tuple(entry) for entry in shown.held] == [("acc-2", "USD", 399, why)]
    assert [row[2] for row in await lines(desk.books, held)] == ["acc-1"]

    await desk.readdress("acc-2")
    again = await desk.settle()
    assert await lines(desk.books, again) == [
        (1, "", "acc-2", "P3", 399, "first-bank-000001/3"),
    ]  # fmt: skip
    assert (await settlement.show_batch(desk.settings, again)).header.held == ()
    assert b"4440001" in await desk.send(again)
    assert await broken(desk.books, desk.folder, desk.settings) == []
    assert await resettled(desk.books, desk.settings) == []


async def test_a_code_that_says_try_again_holds_nobody(desk: Desk, bank: Bank) -> None:
    await desk.hear((await returned(desk, bank)).replace("799R02", "799R09").encode())
    again = await desk.settle()
    assert [row[2] for row in await lines(desk.books, again)] == ["acc-2"]


async def test_details_that_were_imported_before_the_return_came_are_others(
    desk: Desk, bank: Bank
) -> None:
    content = await returned(desk, bank)
    await desk.readdress("acc-2")
    await desk.hear(content.encode())
    assert b"4440001" in await desk.send(await desk.settle())


async def test_an_accepted_change_of_account_lets_the_member_go(desk: Desk, bank: Bank) -> None:
    content = await returned(desk, bank)
    change = content.replace("799R02", "798C01").split("\n")
    nth = next(nth for nth, line in enumerate(change) if line.startswith("798"))
    change[nth] = change[nth][:35] + "111222333".ljust(29) + " " * 15 + change[nth][79:]
    await desk.hear("\n".join(change).encode())
    await desk.hear(content.encode())
    assert (await desk.settled()).header is None
    await settlement.accept_change(desk.settings, "first-bank-000001", 3, by="Bo", on=APRIL_3)
    assert b"111222333" in await desk.send(await desk.settle())


async def answer(books: Books, folder: Path, flags: str) -> None:
    """The airline refuses acc-2's line."""
    await books.contract()
    await settle(books, folder)
    content = await sent(books, folder)
    await acknowledge(books, folder, answered(content, {2: Verdict("E", flags=flags)}))


@pytest.mark.parametrize(("flags", "code"), [(BAD, "BAD_ACCOUNT"), (CLOSED, "CLOSED_ACCOUNT"),
                                             ("Y    Y", "BAD_ACCOUNT+OFFER_EXPIRED")])  # fmt: skip
async def test_a_number_that_the_airline_does_not_know_holds_its_member_until_there_is_another(
    books: Books, folder: Path, flags: str, code: str
) -> None:
    await answer(books, folder, flags)
    why = (
        f"the membership number came back with {code} on 2026-04-05 ({BATCH}/2): "
        "import another number"
    )
    settled = await settle(books, folder)
    assert (settled.header, waits(settled)) == (None, [("acc-2", 20, why)])
    await books.member("acc-2", "22222")
    assert waits(await settle(books, folder)) == [("acc-2", 20, why)]
    await books.member("acc-2", "99999")
    await settle(books, folder)
    assert await lines(books, "sky-air-000002") == [(1, "99999", "acc-2", "P2", 20, f"{BATCH}/2")]
    assert await broken(books, folder) == []
    assert await resettled(books) == []


async def test_a_rebuild_finds_that_a_line_was_made_to_look_as_if_it_had_not_come_back(
    books: Books, folder: Path
) -> None:
    await answer(books, folder, BAD)
    await books.corrupt("UPDATE acknowledgement SET came_back = false")
    found = await resettled(books)
    assert [row.split(":")[0] for row in found] == ["acknowledgement", "acknowledgement"]


async def test_a_line_that_was_refused_for_another_reason_goes_out_again(
    books: Books, folder: Path
) -> None:
    await answer(books, folder, EXPIRED)
    await settle(books, folder)
    assert await lines(books, "sky-air-000002") == [(1, "22222", "acc-2", "P2", 20, f"{BATCH}/2")]


async def test_a_merge_gives_the_member_another_number_by_itself(
    books: Books, folder: Path
) -> None:
    await books.contract()
    await settle(books, folder)
    first = await sent(books, folder)
    await books.grant("acc-2", "P7", 5)
    await settle(books, folder)
    second = await sent(books, folder, "sky-air-000002")
    await acknowledge(books, folder, answered(first, {2: Verdict("E", flags=CLOSED)}))
    assert (await settle(books, folder)).header is None
    await acknowledge(books, folder, answered(second, {1: Verdict("M", "77777")}), name="b.txt")
    await settle(books, folder)
    assert await lines(books, "sky-air-000003") == [(1, "77777", "acc-2", "P2", 20, f"{BATCH}/2")]


@pytest.mark.parametrize(("code", "held"), [("CLOSED_ACCOUNT", 1), ("5", 0)])
async def test_the_words_of_the_answer_page_hold_the_member_as_well(
    books: Books, folder: Path, code: str, held: int
) -> None:
    file = {**miles_terms()["file"], "layout": "mileage-credits"}
    await books.contract(terms=miles_terms(file=file))
    await settle(books, folder)
    settings = settings_for(books.url, folder)
    await settlement.approve_batch(settings, BATCH, approver="Bo", on=APRIL_3)
    await settlement.deliver_batch(settings, BATCH, by="Dee", on=APRIL_3, to=None, resend=False)
    rows = [
        {"line": nth, "membership_number": str(nth) * 5, "amount": 10 * nth, "text": None,
         "outcome": "REJECTED" if nth == 2 else "ACCEPTED", "code": code if nth == 2 else None,
         "new_number": None}
        for nth in range(1, 4)
    ]  # fmt: skip
    head = {"batch": BATCH, "sequence": 1, "answered_on": APRIL_3}
    content = write(pages()["mileage-answer"], head, rows, file="a.csv")[0]
    await acknowledge(books, folder, content, name="a.csv")
    assert len((await settle(books, folder)).draft.held) == held


async def test_the_database_lets_only_a_refused_line_come_back(books: Books, folder: Path) -> None:
    await answer(books, folder, BAD)
    with pytest.raises(asyncpg.CheckViolationError, match="acknowledgement_came_back"):
        await books.connection.execute("UPDATE acknowledgement SET came_back = true")
