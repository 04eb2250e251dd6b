"""Statements and journals as people ask for them, and layouts as a contract names them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import click.testing
import pytest
import typer
from typer.testing import CliRunner

from services.cli import export, partner, payout, settle
from services.cli.session import Output, Session
from services.runtime.sealing import IDENTITY, PUBLIC_KEY, create_keys
from services.runtime.settings import load_settings
from services.settlement import bootstrap as settlement
from services.settlement.batches.order import Order
from services.settlement.bootstrap import payouts
from services.settlement.files.layout.pages import pages
from services.settlement.files.layout.writer import write
from tests.support.batches import CHART
from tests.support.refold import resettled
from tests.support.settlement import Books, cash_terms, miles_terms

Run = Callable[..., click.testing.Result]
SETTLE = ("settle", "--partner", "sky-air", "--through", "2026-03-31", "--by", "Ann", "--date",
          "2026-04-01")  # fmt: skip
BATCH = "sky-air-000001"


def by_page(layout: str) -> dict[str, Any]:
    """An airline's terms with another layout."""
    codes = {"provider_code": "SKYA", "offer_codes": {"base": "B001", "dining": "D001"}}
    return miles_terms(file={"layout": layout, **codes})


PAYOUT = cash_terms("USD", adjustments="carry", file={"layout": "nacha-ppd"})


@pytest.fixture
async def books(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Books]:
    """Two purchases of miles, and one of dollars where a payout is agreed on."""
    terms: dict[str, Any] = getattr(request, "param", miles_terms())
    books = await Books.open(database_url)
    await books.member("acc-1", "11111")
    if terms is PAYOUT:
        await books.contract("cash", terms=PAYOUT)
        await books.grant("acc-1", "P3", 500, contract="cash", rule="cash", unit="USD")
        terms = miles_terms()
    await books.contract(terms=terms)
    await books.grant("acc-1", "P1", 125)
    await books.grant("acc-1", "P2", 40)
    yield books
    await books.close()


@pytest.fixture
def run(books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MILEPOST_DATABASE_URL", books.url)
    monkeypatch.setenv("MILEPOST_FILES_DIR", str(tmp_path / "files"))
    app = typer.Typer()
    settle.register(app)
    payout.register(app)
    partner.register(app)
    export.register(app)

    def invoke(*arguments: str | Path) -> click.testing.Result:
        session = Session(output=Output.JSON, quiet=False, config=None)
        return CliRunner().invoke(app, list(map(str, arguments)), obj=session)

    return invoke


def document(result: click.testing.Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_batch_has_a_statement_in_three_forms_and_a_journal(run: Run, tmp_path: Path) -> None:
    document(run(*SETTLE))
    for form, start in (("pdf", b"%PDF-1.7"), ("xlsx", b"PK"), ("csv", b"H,statement,1,sky")):
        path = tmp_path / f"march.{form}"
        said = document(run("batch", "statement", BATCH, "--to", path))
        assert said["totals"] == {"SKY-MILE": 165}
        assert path.read_bytes().startswith(start)
        assert said["bytes"] == path.stat().st_size
        before = path.read_bytes()
        run("batch", "approve", BATCH, "--approver", "Ben")
        document(run("batch", "statement", BATCH, "--to", path, "--format", form))
        assert path.read_bytes() == before
    assert document(run("batch", "check", tmp_path / "march.csv"))["records"] == 2
    chart = tmp_path / "chart.yaml"
    chart.write_text(CHART)
    to = tmp_path / "GlInterface.csv"
    assert document(run("batch", "journal", BATCH, "--chart", chart, "--to", to))["lines"] == 4
    assert document(run("batch", "check", to))["problems"] == []
    archive = tmp_path / "gl.zip"
    run("batch", "journal", BATCH, "--chart", chart, "--to", archive)
    assert archive.read_bytes().startswith(b"PK")
    parquet = tmp_path / "lines.parquet"
    assert document(run("export", "batches", "--to", parquet))["rows"] == 2


def test_what_cannot_be_written_is_said_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    document(run(*SETTLE))
    refused = run("batch", "statement", BATCH, "--to", tmp_path / "march.docx")
    assert refused.exit_code == 2
    assert "must be one of csv, pdf, xlsx" in refused.stderr
    refused = run("batch", "statement", BATCH, "--to", tmp_path / "no" / "march.pdf")
    assert refused.exit_code == 2
    assert "--to: '" in refused.stderr
    chart = tmp_path / "chart.yaml"
    chart.write_text(CHART.replace("member:", "members:"))
    refused = run("batch", "journal", BATCH, "--chart", chart, "--to", tmp_path / "gl.csv")
    assert refused.exit_code == 2
    assert "member: has no segments in the chart" in refused.stderr
    assert [path.name for path in tmp_path.iterdir() if path.suffix in {".pdf", ".csv"}] == []


@pytest.mark.parametrize(
    ("books", "name"),
    [
        (by_page("mileage-credits"), "mileage-credits-000001.csv"),
        (by_page("mileage-host"), "mileage-host-000001.dat"),
    ],
    indirect=["books"],
)
def test_a_contract_names_any_page_and_its_file_is_written(run: Run, name: str) -> None:
    files = [file["path"] for file in document(run(*SETTLE))["files"]]
    assert [Path(path).name for path in files] == [
        f"sky-air-{name}", "sky-air-gl-journal-000001.csv",
    ]  # fmt: skip
    found = document(run("batch", "check", files[0]))
    assert (found["records"], found["problems"]) == (2, [])


@pytest.mark.parametrize("books", [PAYOUT], indirect=True)
def test_a_member_without_a_payout_account_waits(run: Run) -> None:
    assert document(run(*SETTLE))["totals"] == {"SKY-MILE": 165}
    held = document(run("batch", "show", BATCH))["held"]
    assert [(entry["amount"], entry["why"]) for entry in held] == [
        (500, "the member has no payout account")
    ]


ACCOUNTS = (
    "role,owner,name,bank,account,kind,identifier,bank_name\n"
    "payer,sky-air,CASHBACK PROC,091000019,,,1234567890,DEMO BANK\n"
    "payee,acc-1,JANE SAMPLE,091000019,{account},savings,,\n"
)


@pytest.mark.parametrize("books", [PAYOUT], indirect=True)
def test_a_member_is_paid_to_the_account_that_was_known_when_the_batch_was_sealed(
    run: Run, books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_keys(tmp_path / "keys")
    monkeypatch.setenv("MILEPOST_PAYOUT_KEY_FILE", str(tmp_path / "keys" / PUBLIC_KEY))
    accounts = tmp_path / "accounts.csv"
    imported = ("payout", "import", accounts, "--by", "Ann", "--date", "2026-03-01")
    accounts.write_text(ACCOUNTS.format(account="5550001"))
    assert document(run(*imported))["accounts"] == 2
    refused = run(*SETTLE)
    assert refused.exit_code == 2
    assert "MILEPOST_PAYOUT_IDENTITY_FILE: is not set" in refused.stderr
    monkeypatch.setenv("MILEPOST_PAYOUT_IDENTITY_FILE", str(tmp_path / "keys" / IDENTITY))
    settled = document(run(*SETTLE))
    assert settled["totals"] == {"SKY-MILE": 165, "USD": 500}
    (path,) = [Path(file["path"]) for file in settled["files"] if file["path"].endswith(".ach")]
    assert document(run("batch", "check", path))["totals"] == {"USD": 500}
    before = path.read_bytes()
    assert b"5550001" in before
    accounts.write_text(ACCOUNTS.format(account="7770009"))
    document(run(*imported))
    path.unlink()
    document(run("batch", "reproduce", BATCH))
    assert path.read_bytes() == before


@pytest.mark.parametrize("books", [PAYOUT], indirect=True)
async def test_the_database_never_sees_a_name_or_an_account(books: Books, tmp_path: Path) -> None:
    create_keys(tmp_path / "keys")
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(ACCOUNTS.format(account="5550001"))
    key = str(tmp_path / "keys" / PUBLIC_KEY)
    settings = load_settings({"MILEPOST_DATABASE_URL": books.url, "MILEPOST_PAYOUT_KEY_FILE": key})
    await payouts.import_payouts(settings, accounts, by="Ann", on=date(2026, 3, 1))
    rows = await books.connection.fetch("SELECT * FROM settlement_payout")
    assert len(rows) == 2
    assert not any(secret in bytes(row["sealed"]) for row in rows for secret in (b"JANE", b"5550"))
    for change in ("UPDATE settlement_payout SET owner = 'x'", "DELETE FROM settlement_payout"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with books.connection.transaction():
                await books.connection.execute("SET LOCAL ROLE milepost_app")
                await books.connection.execute(change)


@pytest.mark.parametrize("books", [PAYOUT], indirect=True)
async def test_a_rebuild_pays_the_same_accounts_and_verify_reads_the_same_bytes(
    books: Books, tmp_path: Path
) -> None:
    create_keys(tmp_path / "keys")
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(ACCOUNTS.format(account="5550001"))
    settings = load_settings({
        "MILEPOST_DATABASE_URL": books.url,
        "MILEPOST_FILES_DIR": str(tmp_path / "files"),
        "MILEPOST_PAYOUT_KEY_FILE": str(tmp_path / "keys" / PUBLIC_KEY),
        "MILEPOST_PAYOUT_IDENTITY_FILE": str(tmp_path / "keys" / IDENTITY),
    })  # fmt: skip
    await payouts.import_payouts(settings, accounts, by="Ann", on=date(2026, 3, 1))
    order = Order(partner="sky-air", through=date(2026, 3, 31), by="Ann", on=date(2026, 4, 1))
    await settlement.settle(settings, order)
    found = await settlement.invariants(books.connection, tmp_path / "files", settings)
    assert [finding.id for finding in found if not finding.ok] == []
    blind = await settlement.invariants(books.connection, tmp_path / "files")
    assert [finding.id for finding in blind if not finding.ok] == ["settlement-bytes"]
    assert await resettled(books, settings) == []


def answer(path: Path, *rows: dict[str, Any], sequence: int = 1) -> Path:
    """A `mileage-answer` of these lines."""
    header = {"batch": f"sky-air-{sequence:06d}", "sequence": sequence,
              "answered_on": date(2026, 4, 2)}  # fmt: skip
    path.write_bytes(write(pages()["mileage-answer"], header, rows, file=path.name)[0])
    return path


@pytest.mark.parametrize("books", [by_page("mileage-credits")], indirect=True)
def test_a_partner_answers_the_file_of_a_page_line_by_line(run: Run, tmp_path: Path) -> None:
    document(run(*SETTLE))
    document(run("batch", "approve", BATCH, "--approver", "Ben"))
    document(run("batch", "deliver", BATCH, "--by", "Ann"))
    first = {"line": 1, "membership_number": "11111", "amount": 125, "outcome": "ACCEPTED"}
    second = {"line": 2, "membership_number": "11111", "amount": 40, "outcome": "REJECTED",
              "code": "CLOSED"}  # fmt: skip
    to_partner = ("--partner", "sky-air", "--by", "Ann")
    for rows, told in (
        ([first], "does not answer line 2"),
        ([first, {**second, "amount": 41}], "was sent as 40"),
        ([first, {**second, "membership_number": "2"}], "was sent as 11111"),
        ([first, second, {**second, "line": 3}], "was never sent"),
    ):
        refused = run("acknowledge", answer(tmp_path / "bad.csv", *rows), *to_partner)
        assert refused.exit_code == 2
        assert told in refused.stderr
    good = answer(tmp_path / "answer.csv", first, second)
    said = document(run("acknowledge", good, *to_partner))
    assert said["outcomes"] == {"ACCEPTED": 1, "REJECTED": 1}
    again = document(run("settle", *SETTLE[1:4], "2026-04-30", *SETTLE[5:]))
    assert (again["batch"], again["totals"]) == ("sky-air-000002", {"SKY-MILE": 40})
