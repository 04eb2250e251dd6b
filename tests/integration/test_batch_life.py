"""A batch on a real PostgreSQL from its seal to its answer, or to its withdrawal."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.kernel.errors import InvalidInput, Unreachable
from services.runtime.database import Database
from services.settlement import bootstrap as settlement
from services.settlement.adapters.batch_store import PostgresBatchStore
from services.settlement.adapters.file_drop import FolderDrop
from services.settlement.keeper import tidy
from tests.support.partner import APRIL_3, BATCH, approved, delivered, owed, sent
from tests.support.settlement import Books, broken, cash_terms, lines, settings_for, settle


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    await books.contract()
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 10)
    await books.grant("acc-1", "P2", 7, rule="dining")
    yield books
    await books.close()


async def withdraw(books: Books, folder: Path, batch: str = BATCH) -> bool:
    found = await settlement.withdraw_batch(
        settings_for(books.url, folder), batch, by="Cy", reason="wrong offer code", on=APRIL_3
    )
    return found.fresh


async def test_a_withdrawn_batch_keeps_its_number_and_is_sealed_anew_in_lines_that_name_the_old(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    payable = {"member": -17, "partner-payable/sky-air": 17}
    assert await owed(books) == payable
    assert await withdraw(books, folder)
    assert await owed(books) == {}
    assert not await withdraw(books, folder)
    assert await broken(books, folder) == []
    anew = await settle(books, folder)
    assert anew.header is not None
    assert anew.header.batch == "sky-air-000002"
    assert await lines(books, "sky-air-000002") == [
        (1, "11111", "acc-1", "P1", 10, f"{BATCH}/1"),
        (2, "11111", "acc-1", "P2", 7, f"{BATCH}/2"),
    ]
    assert await owed(books) == payable
    replaced = await books.connection.fetch("SELECT * FROM settlement_replacement ORDER BY line")
    assert [(row["line"], row["old_batch"], row["old_line"]) for row in replaced] == [
        (1, BATCH, 1),
        (2, BATCH, 2),
    ]
    assert await broken(books, folder) == []


async def test_the_files_of_a_withdrawn_batch_go_to_the_archive(books: Books, folder: Path) -> None:
    await settle(books, folder)
    await approved(books, folder)
    assert len(os.listdir(folder / "sky-air/outgoing")) == 4
    await withdraw(books, folder)
    assert os.listdir(folder / "sky-air/outgoing") == []
    assert os.listdir(folder / "sky-air/pending") == []
    manifest = json.loads((folder / f"sky-air/archive/{BATCH}.manifest.json").read_text())
    assert manifest["state"] == "WITHDRAWN"
    with pytest.raises(InvalidInput, match="is WITHDRAWN"):
        await delivered(books, folder)
    await settle(books, folder)
    await withdraw(books, folder, "sky-air-000002")
    with pytest.raises(InvalidInput, match="sky-air-000002 is withdrawn"):
        await approved(books, folder, "sky-air-000002")
    assert await broken(books, folder) == []


async def test_what_changed_since_is_in_the_line_that_replaces_the_old(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    await books.grant("acc-1", "P1", -4)
    await settle(books, folder)
    assert await lines(books, "sky-air-000002") == [(1, "11111", "acc-1", "P1", -4, f"{BATCH}/1")]
    await withdraw(books, folder, "sky-air-000002")
    await books.grant("acc-1", "P1", -3)
    await settle(books, folder)
    assert await lines(books, "sky-air-000003") == [(1, "11111", "acc-1", "P1", -7, f"{BATCH}/1")]
    await withdraw(books, folder, BATCH)
    await settle(books, folder)
    assert await lines(books, "sky-air-000004") == [
        (1, "11111", "acc-1", "P1", 10, f"{BATCH}/1"),
        (2, "11111", "acc-1", "P2", 7, f"{BATCH}/2"),
    ]
    assert await owed(books) == {"member": -10, "partner-payable/sky-air": 10}
    assert await broken(books, folder) == []


async def test_pieces_parts_and_sums_of_nothing_are_given_back_whole(
    books: Books, folder: Path
) -> None:
    await books.contract(version=2)
    await books.grant("acc-1", "P3", 9, funder="sky-air")
    await books.grant("acc-1", "P4", 5)
    await books.grant("acc-1", "P4", -5, version=2)
    await settle(books, folder)
    await books.grant("acc-1", "P3", 6)
    await settle(books, folder)
    await books.grant("acc-1", "P3", -9, funder="sky-air")
    await books.grant("acc-1", "P3", -6, version=2)
    await books.grant("acc-1", "P3", 1)
    await settle(books, folder)
    assert [row[4] for row in await lines(books, "sky-air-000003")] == [-6, -8]
    for batch in ("sky-air-000003", "sky-air-000002", BATCH):
        await withdraw(books, folder, batch)
    assert await owed(books) == {}
    assert await broken(books, folder) == []
    settled = await settle(books, folder)
    assert [row[3:5] for row in await lines(books, "sky-air-000004")] == [
        ("P1", 10), ("P2", 7), ("P3", 1), ("P4", 0),
    ]  # fmt: skip
    assert settled.lines == 3
    assert await broken(books, folder) == []


async def test_an_approved_batch_is_delivered_whole_with_its_manifest_last(
    books: Books, folder: Path, tmp_path: Path
) -> None:
    await settle(books, folder)
    with pytest.raises(InvalidInput, match="is SEALED: only what a second person approved"):
        await delivered(books, folder)
    await approved(books, folder)
    found = await delivered(books, folder, to=tmp_path / "airline")
    assert (found.header.state, found.run) == ("SENT", 0)
    assert found.files[-1].path.endswith("manifest.json")
    assert {path.name for path in (tmp_path / "airline").iterdir()} == {
        Path(file.path).name for file in found.files
    }
    manifest = json.loads(Path(found.files[-1].path).read_text())
    assert (manifest["state"], manifest["rerun"]) == ("SENT", 0)
    for file in found.files:
        assert settlement.check_file(Path(file.path)).problems == ()
    with pytest.raises(InvalidInput, match="cannot be withdrawn"):
        await withdraw(books, folder)
    assert await broken(books, folder) == []


async def test_a_resend_gives_the_same_bytes_and_the_next_rerun_number(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    await sent(books, folder)
    place = folder / "sky-air/sent"
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    assert (await delivered(books, folder)).run is None
    again = await delivered(books, folder, resend=True)
    assert again.run == 1
    assert [file.fresh for file in again.files] == [False, False, False, True]
    assert {
        path.name: path.read_bytes() for path in place.iterdir() if path.name in before
    } == before
    manifest = json.loads((place / f"{BATCH}.rerun-1.manifest.json").read_text())
    assert manifest["rerun"] == 1
    for path in place.iterdir():
        path.unlink()
    assert (await delivered(books, folder, resend=True)).run == 2
    first, second = before[f"{BATCH}.manifest.json"], place / f"{BATCH}.rerun-2.manifest.json"
    assert json.loads(second.read_text())["files"] == json.loads(first)["files"]


async def test_a_delivery_that_was_cut_goes_on_with_the_same_run(
    books: Books, folder: Path, tmp_path: Path
) -> None:
    await settle(books, folder)
    await approved(books, folder)
    target = tmp_path / "airline"
    target.write_text("a file where the folder should be")
    with pytest.raises(Exception, match="folder of the partners"):
        await delivered(books, folder, to=target)
    with pytest.raises(InvalidInput, match="cannot be withdrawn"):
        await withdraw(books, folder)
    with pytest.raises(InvalidInput, match="has not ended"):
        await delivered(books, folder, to=tmp_path / "elsewhere")
    target.unlink()
    assert (await delivered(books, folder, to=target)).run == 0
    assert len(os.listdir(target)) == 4


async def test_cash_that_was_sent_is_paid_from_clearing_to_the_bank(
    books: Books, folder: Path
) -> None:
    await books.contract("cash", partner="first-bank", terms=cash_terms())
    await books.grant("acc-1", "P9", 1250, contract="cash", rule="cash", unit="NOK")
    await settle(books, folder, partner="first-bank")
    settings = settings_for(books.url, folder)
    batch = "first-bank-000001"
    with pytest.raises(InvalidInput, match="is SEALED: it must be sent first"):
        await settlement.pay_batch(settings, batch, by="Dee", reference="R1", on=APRIL_3)
    await approved(books, folder, batch)
    await delivered(books, folder, batch)
    assert (await owed(books))["payout-clearing"] == 1250
    header, paid = await settlement.pay_batch(settings, batch, by="Dee", reference="R1", on=APRIL_3)
    assert (header.state, paid) == ("ANSWERED", 1)
    found = await owed(books)
    assert ("payout-clearing" in found, found["bank"]) == (False, 1250)
    _, again = await settlement.pay_batch(settings, batch, by="Dee", reference="R1", on=APRIL_3)
    _, other = await settlement.pay_batch(settings, batch, by="Dee", reference="R2", on=APRIL_3)
    assert (again, other) == (0, 0)
    assert await broken(books, folder) == []


async def test_a_batch_of_many_lines_is_paid_in_several_events(books: Books, folder: Path) -> None:
    await books.contract("cash", partner="first-bank", terms=cash_terms())
    await books.many("acc-1", 5_001, contract="cash", rule="cash", unit="NOK")
    await settle(books, folder, partner="first-bank")
    batch = "first-bank-000001"
    await approved(books, folder, batch)
    await delivered(books, folder, batch)
    _, paid = await settlement.pay_batch(
        settings_for(books.url, folder), batch, by="Dee", reference="R1", on=APRIL_3
    )
    assert paid == 5_001
    assert await broken(books, folder) == []


async def test_the_service_moves_the_files_that_a_withdrawal_could_not_move(
    books: Books, folder: Path
) -> None:
    await settle(books, folder)
    blocked = folder / "sky-air/archive"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(Unreachable, match="folder of the partners"):
        await withdraw(books, folder)
    assert (await settlement.list_batches(settings_for(books.url, folder)))[0].state == "WITHDRAWN"
    blocked.unlink()
    async with (
        await Database.connect(books.url, size=1) as database,
        database.connection() as connection,
    ):
        store, drop = PostgresBatchStore(connection), FolderDrop(folder)
        assert (await tidy(store, drop)).touched == [BATCH]
        assert (await tidy(store, drop)).touched == []
    assert (len(os.listdir(blocked)), os.listdir(folder / "sky-air/pending")) == (4, [])


async def test_a_batch_of_many_lines_is_withdrawn_in_several_events(
    books: Books, folder: Path
) -> None:
    await books.many("acc-1", 12_000)
    await settle(books, folder)
    before = await books.connection.fetchval("SELECT count(*) FROM settlement_command")
    await withdraw(books, folder)
    after = await books.connection.fetchval("SELECT count(*) FROM settlement_command")
    assert (before, after) == (3, 6)
    assert await owed(books) == {}
    assert (await settle(books, folder)).lines == 12_002
    assert await broken(books, folder) == []
