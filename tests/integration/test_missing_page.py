"""A recorded contract may name a layout whose page this installation does not have."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from pathlib import Path

import pytest

from services.accrual import bootstrap as accrual
from services.accrual.contracts import parties
from services.accrual.contracts.layouts import UNITS, layouts
from services.accrual.contracts.parse import parse
from services.accrual.trial.tally import Window
from services.kernel.errors import InvalidInput
from services.runtime.database import Database
from services.settlement import bootstrap as settlement
from services.settlement.adapters.batch_store import PostgresBatchStore
from services.settlement.adapters.file_drop import FolderDrop
from services.settlement.batches.order import Order
from services.settlement.files import catalogue
from services.settlement.keeper import tidy
from tests.support import builders, ledger
from tests.support.settlement import Books, miles_terms, settings_for, settle

TAPE = "north-tape"
RULE = {
    "id": "base", "award": "base", "earn": {"per_block": {"block": "10.00", "units": "1"}},
    "rounding": {"mode": "down", "scale": "0", "level": "per_transaction"},
}  # fmt: skip
MARCH_END, APRIL_1 = date(2026, 3, 31), date(2026, 4, 1)


def contract(name: str, issuer: str, layout: str) -> str:
    """A contract of the partner that is called like its issuer."""
    given = builders.contract(
        rules=[RULE], contract=name, issuer=issuer, partner=issuer, program=issuer,
        funding=[{"funder": issuer, "share": "100", "remainder": True}],
    )  # fmt: skip
    given["settlement"] = deepcopy(given["settlement"])
    given["settlement"]["file"]["layout"] = layout
    return builders.as_text(given)


def row(account: str, issuer: str) -> dict[str, str | None]:
    return builders.row(account, program=issuer, partner=issuer, membership_number="111")


async def test_only_the_partner_whose_page_is_missing_is_held_up(
    migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = contract("tape", "north", TAPE)
    path = tmp_path / "tape.yaml"
    path.write_text(text, "utf-8")
    settings = settings_for(migrated_url, tmp_path / "files")
    async with ledger.opened(migrated_url) as book:
        with pytest.raises(InvalidInput, match=f"'{TAPE}': must be one of: air-miles-rewards"):
            await book.approve(text)
        with monkeypatch.context() as elsewhere:  # signed where the page was there
            elsewhere.setattr(parties, "layouts", lambda: {**layouts(), TAPE: UNITS})
            await book.approve(text)
        await book.approve(contract("south", "south", "air-miles-rewards"))
        await book.enrol([row("A1", "north"), row("A2", "south")])
        await book.send(
            builders.event("P1", account_id="A1", issuer_id="north"),
            builders.event("P2", account_id="A2", issuer_id="south"),
        )
        async with book.books() as books:
            (told,) = await books.explain("north/P1")
            assert [one["contract"] for one in told["granted"]] == ["tape"]
            assert [one.id for one in await books.findings() if not one.ok] == []
        draft = parse(contract("tape", "north", "mileage-credits"), file="draft")
        window = Window(date(2026, 3, 1), MARCH_END)
        tried = await accrual.try_on_record(settings, draft, window, lambda *_: None)
        assert tried.tally.purchases == 1
        rebuilt = await accrual.rebuild(settings, lambda _: None, settlement.resettle)
        assert rebuilt.differences == []
        with pytest.raises(InvalidInput, match=f"tape/1.*layout: '{TAPE}': no such layout"):
            await settlement.settle(settings, Order("north", MARCH_END, "Ann", APRIL_1))
        settled = await settlement.settle(settings, Order("south", MARCH_END, "Ann", APRIL_1))
        assert settled.header is not None and settled.header.totals == {"SKY-MILE": 10}


async def test_a_sealed_batch_whose_page_is_gone_is_left_and_said(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = await Books.open(database_url)
    try:
        file = {**miles_terms()["file"], "layout": "mileage-credits"}
        await books.contract(terms=miles_terms(file=file))
        await books.member("acc-1", "11111")
        await books.grant("acc-1", "P1", 125)
        await settle(books, tmp_path / "first")
        gone = tuple(set(catalogue.NAMED_BY_CONTRACTS) - {"mileage-credits"})
        monkeypatch.setattr(catalogue, "NAMED_BY_CONTRACTS", gone)
        async with (
            await Database.connect(books.url, size=1) as database,
            database.connection() as connection,
        ):
            drop, store = FolderDrop(tmp_path / "second"), PostgresBatchStore(connection)
            touched, left = await tidy(store, drop)
            assert (touched, list(left)) == ([], ["sky-air-000001"])
            assert "mileage-credits: there is no such page" in left["sky-air-000001"]
            assert await tidy(store, drop, skip=left) == ([], {})
            found = await settlement.invariants(connection, tmp_path / "second")
        (told,) = [one for one in found if not one.ok]
        assert (told.id, "no such page" in told.detail) == ("settlement-bytes", True)
    finally:
        await books.close()
