"""The airline's answer comes home: accepted, rejected, merged, told twice, or refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.kernel.errors import InvalidInput
from services.settlement import bootstrap as settlement
from tests.support.partner import (
    APRIL_3,
    BATCH,
    Verdict,
    acknowledge,
    answered,
    approved,
    delivered,
    owed,
    sent,
)
from tests.support.settlement import Books, broken, lines, settings_for, settle


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    await books.contract()
    for nth, purchase in enumerate(("P1", "P2", "P3", "P4"), 1):
        await books.member(f"acc-{nth}", str(nth) * 5)
        await books.grant(f"acc-{nth}", purchase, 10 * nth)
    yield books
    await books.close()


async def outcomes(books: Books) -> list[tuple[object, ...]]:
    rows = await books.connection.fetch(
        "SELECT line, outcome, code, membership_number FROM settlement_line_outcome ORDER BY line"
    )
    return [tuple(row) for row in rows]


MIXED = {
    2: Verdict("E", flags="Y   Y"),
    3: Verdict("M", merge_to="77777"),
    4: Verdict("W", flags="     Y"),
}


async def test_every_line_has_the_outcome_that_the_airline_told(books: Books, folder: Path) -> None:
    await settle(books, folder)
    content = answered(await sent(books, folder), MIXED)
    state, told, fresh = await acknowledge(books, folder, content)
    assert (state, fresh) == ("ANSWERED", 4)
    assert told == {"ACCEPTED": 1, "MERGED": 1, "REJECTED": 1, "WARNED": 1}
    assert await outcomes(books) == [
        (1, "ACCEPTED", "", None),
        (2, "REJECTED", "BAD_ACCOUNT+CLOSED_ACCOUNT", None),
        (3, "MERGED", "", "77777"),
        (4, "WARNED", "OFFER_EXPIRED", None),
    ]
    assert await owed(books) == {"member": -80, "partner-payable/sky-air": 80}
    opened = await settlement.show_line(settings_for(books.url, folder), BATCH, 4)
    assert opened.pieces[0]["outcome"] == "WARNED"
    assert await broken(books, folder) == []


async def test_a_rejected_line_goes_out_repaired_in_the_next_batch_and_names_the_old(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    await acknowledge(books, folder, answered(await sent(books, folder), MIXED))
    await books.member("acc-2", "29999")
    await settle(books, folder)
    assert await lines(books, "sky-air-000002") == [(1, "29999", "acc-2", "P2", 20, f"{BATCH}/2")]
    opened = await settlement.show_line(settings_for(books.url, folder), "sky-air-000002", 1)
    assert [piece["reason"] for piece in opened.pieces] == ["rejected"]
    content = answered(await sent(books, folder, "sky-air-000002"))
    assert await acknowledge(books, folder, content) == ("ANSWERED", {"ACCEPTED": 1}, 1)
    assert await owed(books) == {"member": -100, "partner-payable/sky-air": 100}
    assert await broken(books, folder) == []


async def test_a_merge_becomes_the_number_of_the_member_from_then_on(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    before = (await settlement.list_batches(settings_for(books.url, folder)))[0].facts
    content = answered(await sent(books, folder), {3: Verdict("R", merge_to="77777")})
    await acknowledge(books, folder, content)
    assert (await outcomes(books))[2] == (3, "MERGED", "WARNED", "77777")
    await books.grant("acc-3", "P9", 5)
    await settle(books, folder)
    assert (await lines(books, "sky-air-000002"))[0][:3] == (1, "77777", "acc-3")
    numbers = "SELECT membership_number FROM settlement_membership($1) WHERE account_id = 'acc-3'"
    assert await books.connection.fetchval(numbers, before) == "33333"
    again = answered(await sent(books, folder, "sky-air-000002"), {1: Verdict("M", "33333")})
    await acknowledge(books, folder, again)
    assert await books.connection.fetchval(numbers, 1 << 40) == "33333"
    await books.member("acc-3", "88888")
    assert await books.connection.fetchval(numbers, 1 << 40) == "88888"
    assert await broken(books, folder) == []


async def test_the_same_answer_again_changes_nothing(books: Books, folder: Path) -> None:
    await settle(books, folder)
    content = answered(await sent(books, folder), MIXED)
    await acknowledge(books, folder, content)
    rows = "SELECT count(*) FROM card_event"
    before = await books.connection.fetchval(rows)
    assert (await acknowledge(books, folder, content))[2] == 0
    assert await books.connection.fetchval(rows) == before
    dated_otherwise = content.replace(b"20260405", b"20260406")
    assert (await acknowledge(books, folder, dated_otherwise))[2] == 0
    assert len(await outcomes(books)) == 4
    assert await broken(books, folder) == []


async def test_a_line_that_is_answered_otherwise_the_second_time_is_refused(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    content = await sent(books, folder)
    await acknowledge(books, folder, answered(content))
    with pytest.raises(InvalidInput, match=r"answer.txt:3: .*line 2 was answered ACCEPTED"):
        await acknowledge(books, folder, answered(content, {2: Verdict("E")}))
    assert [row[1] for row in await outcomes(books)] == ["ACCEPTED"] * 4


def swapped(content: bytes) -> bytes:
    head, first, second, *rest = content.split(b"\r")
    return b"\r".join([head, second, first, *rest])


def doubled(content: bytes) -> bytes:
    head, first, *rest = content.split(b"\r")
    return b"\r".join([head, first, first, *rest])


def changed(first: int, text: bytes, *, record: int = 2):  # type: ignore[no-untyped-def]
    """Other characters at a position of a record, both counted from 1."""

    def change(content: bytes) -> bytes:
        start = (record - 1) * 251 + first - 1
        return content[:start] + text + content[start + len(text) :]

    return change


WRONG = {
    "cut inside a record": (lambda c: c[:600], ":3: .*cut off"),
    "cut between records": (lambda c: c[:502], ":3: 1 details answer 4"),
    "records swapped": (swapped, ":2: is record 3 of what was sent: records are doubled or out of"),
    "a record doubled": (doubled, ":3: is record 2 of what was sent"),
    "another provider": (changed(9, b"SEAA", record=1), ":1: provider .*'SEAA': is not what was"),
    "an unknown sequence": (changed(13, b"000009", record=1), "there is no sky-air-000009"),
    "another account": (changed(18, b"00000099999"), ":2: account .*: is not what was sent"),
    "other miles": (changed(74, b"00000099{"), ":2: miles .*: is not what was sent"),
    "an unknown status": (changed(126, b"X"), ":2: status .*'X': must be blank, E, M, W or R"),
    "a merge to nobody": (changed(126, b"M"), ":2: merge-to account .*: must be the account"),
    "a strange flag": (changed(146, b"="), ":2: flag 1 .*'=': must be Y or blank"),
    "no date": (changed(91, b"20261301"), ":2: receive date .*: is no date"),
    "a count that does not fit": (changed(101, b"00000003", record=1), ":1: accepted .*says 3"),
    "miles that do not fit": (
        changed(109, b"000000000009I", record=1), ":1: accepted miles .*the header says 99",
    ),
    "an absurd count": (changed(80, b"99999999", record=1), ":1: rejected count .*99999999"),
    "a document type": (lambda _: b"<!DOCTYPE x>", ":1: has a document type: it is not read"),
    "nothing": (lambda _: b"", ":1: is no answer of a layout that we read"),
}  # fmt: skip


async def test_a_file_that_does_not_belong_to_us_is_refused_and_nothing_moves(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    content = answered(await sent(books, folder))
    before = await books.connection.fetchval("SELECT count(*) FROM card_event")
    for what, (change, why) in WRONG.items():
        with pytest.raises(InvalidInput, match=why):
            await acknowledge(books, folder, change(content))
            pytest.fail(what)
    with pytest.raises(InvalidInput, match="there is no sea-air-000001"):
        await acknowledge(books, folder, content, partner="sea-air")
    assert await books.connection.fetchval("SELECT count(*) FROM card_event") == before
    assert await outcomes(books) == []
    assert await broken(books, folder) == []


async def test_an_answer_to_what_was_never_sent_is_refused(books: Books, folder: Path) -> None:
    settled = await settle(books, folder)
    (path,) = [Path(file.path) for file in settled.files if file.path.endswith(".txt")]
    content = answered(path.read_bytes())
    with pytest.raises(InvalidInput, match="is SEALED: it was never sent"):
        await acknowledge(books, folder, content)
    await approved(books, folder)
    await delivered(books, folder)
    assert (await acknowledge(books, folder, content))[2] == 4


async def test_miles_are_paid_when_the_airline_has_answered_every_line(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    content = await sent(books, folder)
    settings = settings_for(books.url, folder)
    with pytest.raises(InvalidInput, match="has not answered line 1, 2, 3, 4 yet"):
        await settlement.pay_batch(settings, BATCH, by="Dee", reference="R1", on=APRIL_3)
    await acknowledge(books, folder, answered(content, MIXED))
    _, paid = await settlement.pay_batch(settings, BATCH, by="Dee", reference="R1", on=APRIL_3)
    assert paid == 3
    assert (await acknowledge(books, folder, answered(content, MIXED)))[2] == 0
    again = answered(content, MIXED).replace(b"20260405", b"20260406")
    assert (await acknowledge(books, folder, again))[2] == 0
    with pytest.raises(InvalidInput, match="line 1 was answered ACCEPTED before, now WARNED"):
        await acknowledge(books, folder, answered(content, {**MIXED, 1: Verdict("W")}))
    assert await owed(books) == {"member": -80, "bank": 80}
    assert await broken(books, folder) == []
