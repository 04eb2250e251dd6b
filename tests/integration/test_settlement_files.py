"""The files of a batch: written, approved, lost, changed, and read by somebody else."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from ooverpunch import convert_from_signed_format

from services.kernel.errors import InvalidInput, InvariantViolated, Unreachable
from services.settlement import bootstrap as settlement
from services.settlement.batches.order import Order
from services.settlement.files.file import Checked
from tests.support.settlement import (
    MARCH_END,
    SEALED_ON,
    Books,
    broken,
    cash_terms,
    settings_for,
    settle,
    sole,
)


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    books = await Books.open(database_url)
    yield books
    await books.close()


async def test_files_wait_in_pending_until_a_second_person_approves(
    books: Books, folder: Path
) -> None:
    await books.contract()
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 10)
    settled = await settle(books, folder)
    settings = settings_for(books.url, folder)
    names = {
        "sky-air-air-miles-rewards-000001.txt",
        "sky-air-air-miles-rewards-000001.csv",
        "sky-air-gl-journal-000001.csv",
        "sky-air-000001.manifest.json",
    }
    assert set(os.listdir(folder / "sky-air" / "pending")) == names
    for impostor in ("Ann", " ann ", "ＡＮＮ"):
        with pytest.raises(InvalidInput, match="the same person"):
            await settlement.approve_batch(
                settings, "sky-air-000001", approver=impostor, on=SEALED_ON
            )
    assert set(os.listdir(folder / "sky-air" / "pending")) == names
    approved = await settlement.approve_batch(
        settings, "sky-air-000001", approver="Bo", on=SEALED_ON
    )
    assert approved.fresh
    assert os.listdir(folder / "sky-air" / "pending") == []
    assert set(os.listdir(folder / "sky-air" / "outgoing")) == names
    manifest = json.loads((folder / "sky-air/outgoing/sky-air-000001.manifest.json").read_text())
    assert list(manifest) == [
        "batch", "partner", "through", "sequence", "revision", "state", "files",
    ]  # fmt: skip
    assert manifest["state"] == "APPROVED"
    assert {file["sha256"] for file in manifest["files"]} == {f.sha256 for f in settled.files}
    again = await settlement.approve_batch(settings, "sky-air-000001", approver="bo", on=SEALED_ON)
    assert not again.fresh
    with pytest.raises(InvalidInput, match="approved already, by 'Bo'"):
        await settlement.approve_batch(settings, "sky-air-000001", approver="Cy", on=SEALED_ON)
    assert await broken(books, folder) == []


async def test_the_database_itself_refuses_the_sealer_and_every_change(
    books: Books, folder: Path
) -> None:
    await books.contract()
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 10)
    await settle(books, folder)
    connection = await asyncpg.connect(books.url)
    try:
        await connection.execute("SET ROLE milepost_app")
        insert = "INSERT INTO settlement_approval VALUES ('sky-air-000001', $1, $2, '2026-04-01')"
        with pytest.raises(asyncpg.CheckViolationError, match="four_eyes"):
            await connection.execute(insert, "ann", "ANN")
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await connection.execute(insert, "somebody", "Ann")
        for table in ("batch", "line", "member", "file", "approval"):
            name = f"settlement_{table}"
            for verb in (
                f"UPDATE {name} SET batch = 'x'",
                f"DELETE FROM {name}",
                f"TRUNCATE {name}",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(verb)
    finally:
        await connection.close()


async def test_a_batch_whose_files_were_lost_gets_the_same_bytes_again(
    books: Books, folder: Path, tmp_path: Path
) -> None:
    await books.contract()
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 10)
    blocked = tmp_path / "a file where the folder should be"
    blocked.write_text("")
    with pytest.raises(Unreachable, match="sky-air-000001 is sealed, its files are missing"):
        order = Order(partner="sky-air", through=MARCH_END, by="Ann", on=SEALED_ON)
        await settlement.settle(settings_for(books.url, blocked / "files"), order)
    assert await books.connection.fetchval("SELECT count(*) FROM settlement_batch") == 1
    again = await settle(books, folder)
    assert again.repaired == ("sky-air-000001",)
    first = {path.name: path.read_bytes() for path in (folder / "sky-air/pending").iterdir()}
    for path in (folder / "sky-air/pending").iterdir():
        path.unlink()
    settings = settings_for(books.url, folder)
    _, files = await settlement.reproduce_batch(settings, "sky-air-000001")
    assert all(file.fresh for file in files)
    assert {p.name: p.read_bytes() for p in (folder / "sky-air/pending").iterdir()} == first
    _, files = await settlement.reproduce_batch(settings, "sky-air-000001")
    assert not any(file.fresh for file in files)


async def test_a_file_that_was_changed_on_the_disk_stops_everything(
    books: Books, folder: Path
) -> None:
    await books.contract()
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 10)
    settled = await settle(books, folder)
    file = sole(settled, ".txt")
    file.write_bytes(file.read_bytes().replace(b"1{", b"9{"))
    settings = settings_for(books.url, folder)
    with pytest.raises(InvariantViolated, match="other bytes"):
        await settlement.reproduce_batch(settings, "sky-air-000001")
    with pytest.raises(InvariantViolated, match="other bytes"):
        await settlement.approve_batch(settings, "sky-air-000001", approver="Bo", on=SEALED_ON)
    assert await books.connection.fetchval("SELECT count(*) FROM settlement_approval") == 0
    assert await broken(books, folder) == ["settlement-files"]


async def test_every_file_of_a_batch_is_sound_and_adds_up_to_the_ledger(
    books: Books, folder: Path
) -> None:
    await books.contract()
    await books.member("acc-1", "11111")
    await books.grant("acc-1", "P1", 10)
    await books.grant("acc-1", "P2", 7, rule="dining")
    await settle(books, folder)
    await books.grant("acc-1", "P1", -10)
    await books.grant("acc-1", "P3", 5)
    settled = await settle(books, folder)
    checked: dict[str, Checked] = {
        Path(file.path).suffix + str(nth): settlement.check_file(Path(file.path))
        for nth, file in enumerate(settled.files)
    }
    assert [found.problems for found in checked.values()] == [(), (), ()]
    assert checked[".txt0"].totals == {"miles": -5}
    assert checked[".csv1"].totals == {"SKY-MILE": -5}
    manifest = folder / "sky-air/pending/sky-air-000002.manifest.json"
    assert settlement.check_file(manifest).problems == ()
    head, *details = sole(settled, ".txt").read_bytes().decode("ascii").split("\r")[:-1]
    amounts = [convert_from_signed_format(detail[73:82], "9(9)") for detail in details]
    assert amounts == [-10, 5]
    assert convert_from_signed_format(head[40:53], "9(13)") == -5


async def test_cash_of_several_currencies_goes_into_one_statement_credit_file(
    books: Books, folder: Path
) -> None:
    for currency in ("NOK", "JPY", "KWD"):
        await books.contract(
            f"cash-{currency.lower()}", partner="first-bank", terms=cash_terms(currency)
        )
        await books.grant(
            "acc-1", f"P-{currency}", 1234, contract=f"cash-{currency.lower()}", rule="cash",
            unit=currency,
        )  # fmt: skip
    settled = await settle(books, folder, partner="first-bank")
    text = sole(settled, "statement-credit-000001.csv").read_text()
    assert [line.split(",")[2:6] for line in text.splitlines() if line.startswith("D")] == [
        ["acc-1", "JPY", "CR", "1234"],
        ["acc-1", "KWD", "CR", "1.234"],
        ["acc-1", "NOK", "CR", "12.34"],
    ]
    assert await broken(books, folder) == []
