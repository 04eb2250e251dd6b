"""`balance`, `statement`, `explain`, `trial-balance`, `review list` and `export`, as called."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click.testing
import pytest
import typer
from typer.testing import CliRunner

from services.accrual.export import EXPORTS
from services.cli import export, lookup, proof
from services.cli.session import DONE, INVALID, UNREACHABLE, Output, Session
from services.kernel.identifiers import transfer_id
from services.local.stack import Stack
from services.runtime.settings import load_settings
from services.settlement import bootstrap as settlement
from services.settlement.batches.order import Order
from tests.support import builders, ledger, servers
from tests.support.builders import event
from tests.support.phrases import read_contract

Run = Callable[..., click.testing.Result]
CONTRACT = """\
contract sky-visa v1   zone Europe/Oslo   amounts in NOK   funded by first-bank 60 and sky-air 40
  base:   1 SKY-MILE per 10.00, per_block, down    cap 50 a month and account"""
APRIL = datetime(2026, 4, 20, 12, tzinfo=UTC)


async def filled(url: str, folder: Path) -> None:
    member = builders.row("A1", partner="sky-air", membership_number="12345678901")
    async with ledger.opened(url, partitions=1) as book:
        await book.approve(builders.as_text(read_contract(CONTRACT.splitlines())[0]))
        await book.enrol([member, builders.row("=A2"), builders.row("A3")])
        await book.send(
            event("P1", billing_amount=31_200, merchant_name="Rema 1000"),
            event("=P2", account_id="=A2"),
            event("P1", billing_amount=31_200, merchant_name="Rema 1000"),
            event("X1", "REFUND", original_event_id="not-there"),
        )
        await book.send(event("C1"), role="compare")
        await book.send(event("P1", billing_amount=1))
        await book.send_garbage(b"4111111111111111")
        await book.reject("NOT_JSON", offset=7)
        settings = load_settings({"MILEPOST_DATABASE_URL": url, "MILEPOST_FILES_DIR": str(folder)})
        order = Order(partner="sky-air", through=date(2026, 3, 31), by="Ann", on=date(2026, 4, 1))
        await settlement.settle(settings, order)
        await book.send(
            event("R1", "REFUND", original_event_id="P1", billing_amount=10_000, at=APRIL),
            event("R2", "REFUND", original_event_id="=P2", account_id="=A2", at=APRIL,
                  billing_amount=90_000),
        )  # fmt: skip


@pytest.fixture(scope="module")
def filled_url(
    stack: Stack, _template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    url = servers.create_database(stack.database_url, template=servers.name_of(_template))
    servers.in_a_thread(filled(url, tmp_path_factory.mktemp("files")))
    yield url
    servers.drop_database(url, stack.database_url)


@pytest.fixture
def run(filled_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MILEPOST_DATABASE_URL", filled_url)
    app = typer.Typer()
    for group in (lookup, proof, export):
        group.register(app)

    def invoke(*arguments: str | Path, output: Output = Output.TABLE) -> click.testing.Result:
        session = Session(output=output, quiet=False, config=None)
        return CliRunner().invoke(app, list(map(str, arguments)), obj=session)

    return invoke


def document(result: click.testing.Result) -> dict[str, Any]:
    assert result.exit_code == DONE, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("as_of", "pending", "available", "settled"),
    [
        ("2026-03-01", None, None, None),
        ("2026-03-02", 31, 0, 0),
        ("2026-03-16", 0, 31, 0),
        ("2026-03-31", 0, 0, 31),
        ("2026-04-20", 0, -10, 31),
    ],
)
def test_a_balance_divides_by_release_date_and_by_what_is_sealed(
    run: Run, tmp_path: Path, as_of: str, pending: int | None, available: int, settled: int
) -> None:
    found = document(run("balance", "A1", "--as-of", as_of, output=Output.JSON))
    held = {"unit": "SKY-MILE", "pending": pending, "available": available, "settled": settled}
    balances = [] if pending is None else [held | {"amount": pending + available + settled}]
    assert found == {"account_id": "A1", "as_of": as_of, "balances": balances}
    path = tmp_path / "balances.jsonl"
    document(run("export", "balances", "--to", path, "--as-of", as_of, output=Output.JSON))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line for line in lines if line.pop("account_id") == "A1"] == balances


def test_an_account_without_a_balance_is_told_apart_from_an_unknown_one(run: Run) -> None:
    nobody, empty = run("balance", "A9"), run("balance", "A3")
    assert (nobody.exit_code, empty.exit_code) == (DONE, DONE)
    assert "nothing is recorded of account 'A9'" in nobody.stderr
    assert "A3 is known and has earned nothing yet" in empty.stderr
    assert document(run("balance", "A9", output=Output.JSON))["balances"] == []


def test_a_statement_adds_up_and_names_merchant_rule_and_event(run: Run) -> None:
    march = document(run("statement", "A1", "--period", "2026-03", output=Output.JSON))
    (unit,) = march["units"]
    assert (unit["opening"], unit["closing"]) == (0, 0)
    assert unit["lines"] == [
        {"date": "2026-03-02", "kind": "granted", "merchant": "Rema 1000", "purchase": "P1",
         "contract": "sky-visa", "rule": "base", "cause": "P1", "amount": 31},
        {"date": "2026-03-31", "kind": "settled", "merchant": None, "purchase": None,
         "contract": None, "rule": None, "cause": "sky-air-000001", "amount": -31},
    ]  # fmt: skip
    april = document(run("statement", "A1", "--period", "2026-04..2026-05", output=Output.JSON))
    (unit,) = april["units"]
    assert [line["cause"] for line in unit["lines"]] == ["R1"]
    assert unit["opening"] + sum(line["amount"] for line in unit["lines"]) == unit["closing"]
    table = run("statement", "A1", "--period", "2026-04").stdout
    assert "taken back" in table and "closing" in table
    assert run("statement", "A1", "--period", "soon").exit_code == INVALID


@pytest.mark.parametrize("form", ["csv", "xlsx", "pdf"])
def test_a_statement_is_written_for_the_member(run: Run, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"march.{form}"
    asked = ("statement", "A1", "--period", "2026-03", "--to", str(path))
    assert document(run(*asked, output=Output.JSON))["totals"] == {"SKY-MILE": 0}
    before = path.read_bytes()
    run(*asked)
    assert path.read_bytes() == before
    refused = run("statement", "nobody", "--period", "2026-03", "--to", str(path))
    assert refused.exit_code == INVALID
    assert path.read_bytes() == before


def test_explain_finds_an_event_by_id_and_by_each_of_its_places(run: Run) -> None:
    by_id = document(run("explain", "first-bank/P1", output=Output.JSON))
    assert list(by_id) == [
        "issuer_id", "event_id", "outcome", "reason", "purchase", "facts", "versions", "steps",
        "granted", "transfers", "later",
    ]  # fmt: skip
    assert by_id["granted"] == [
        {"contract": "sky-visa", "version": 1, "rule": "base", "funder": funder,
         "unit": "SKY-MILE", "amount": amount}
        for funder, amount in (("first-bank", 13), ("sky-air", 8))
    ]  # fmt: skip
    for place in ("card-transactions/0/0", f"{ledger.FEED}/0/0"):
        assert document(run("explain", "--at", place, output=Output.JSON)) == by_id
    again = document(run("explain", "--at", "card-transactions/0/2", output=Output.JSON))
    assert (again["outcome"], again["transfers"]) == ("DUPLICATE", [])
    assert again["granted"] == by_id["granted"]
    table = run("explain", "first-bank/P1").stdout
    for text in ("settled in sky-air-000001", "−10 SKY-MILE by base: refund R1", "first-bank 19"):
        assert text in table


def test_explain_says_why_a_record_is_no_event(run: Run) -> None:
    places = {"card-transactions/0/6": "NOT_AVRO", f"{ledger.FEED}/0/7": "NOT_JSON"}
    for place, reason in places.items():
        found = document(run("explain", "--at", place, output=Output.JSON))
        assert (found["outcome"], found["reason"], found["event_id"]) == ("REJECTED", reason, None)
    assert "4111" not in run("explain", "--at", "card-transactions/0/6").output


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("first-bank/P1", "--at", "card-transactions/0/0"),
        ("P1",),
        ("first-bank/",),
        ("first-bank/nothing",),
        ("--at", "card-transactions/0"),
        ("--at", "card-transactions/x/0"),
        ("--at", "card-transactions/0/99999"),
        ("--at", "card-transactions/7/0"),
        ("--at", "card-transactions/9999999999/0"),
    ],
)
def test_explain_refuses_what_names_no_event(run: Run, arguments: tuple[str, ...]) -> None:
    found = run("explain", *arguments)
    assert found.exit_code == INVALID
    assert found.stderr.strip()


def test_the_trial_balance_is_zero_per_unit(run: Run) -> None:
    found = document(run("trial-balance", "--through", "2026-12-31", output=Output.JSON))
    (unit,) = found["units"]
    accounts = {row["account"]: row["credit"] - row["debit"] for row in unit["accounts"]}
    assert (found["through"], unit["unit"], unit["difference"]) == ("2026-12-31", "SKY-MILE", 0)
    assert sum(accounts.values()) == 0
    assert accounts == {
        "member/*": -10, "partner-payable/sky-air": 31, "reward-cost/first-bank": -13,
        "reward-cost/sky-air": -8,
    }  # fmt: skip
    members = run("trial-balance", "--through", "2026-12-31", "--members").stdout
    assert "member/A1" in members and "difference" in members


def test_the_review_list_says_what_needs_a_person_and_why(run: Run) -> None:
    items = document(run("review", "list", output=Output.JSON))["items"]
    assert [(item["what"], item["event_id"]) for item in items] == [
        ("conflict", "P1"), ("waiting", "X1"), ("over-refunded", "R2"),
    ]  # fmt: skip
    assert items[0]["why"].startswith("the id was recorded before with another billing_amount")
    assert items[1]["why"] == "refund names not-there, which is not recorded"
    assert "800.00 NOK more went back" in items[2]["why"]
    assert "over-refunded" in run("review", "list").stdout


def test_the_export_of_events_has_every_record_once(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    assert document(run("export", "events", "--to", path, output=Output.JSON))["rows"] == 13
    rows = rows_of(path)
    assert tuple(rows[0]) == EXPORTS["events"]
    consumed = [(r["topic"], r["partition"], int(r["offset"])) for r in rows if r["topic"]]
    assert consumed == [("card-transactions", "0", n) for n in (0, 1, 2, 3, 4, 5, 7, 8)] + [
        ("card-transactions", "0", 6), (ledger.FEED, "0", 7),
    ]  # fmt: skip
    assert Counter(row["outcome"] for row in rows) == {
        "POSTED": 4, "RECORDED": 3, "REJECTED": 2, "DUPLICATE": 1, "CONFLICT": 1, "WAITING": 1,
        "NO_REWARD": 1,
    }  # fmt: skip
    assert [r["stream"] for r in rows if r["kind"] == "seal"] == ["settlement/sky-air"]
    assert '"=P2"' in path.read_text()


def test_the_export_of_transfers_names_cause_purchase_and_both_accounts(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "transfers.csv"
    run("export", "transfers", "--to", path)
    rows = rows_of(path)
    assert tuple(rows[0]) == EXPORTS["transfers"]
    assert len({row["transfer_id"] for row in rows}) == len(rows)
    first = rows[0]
    assert first["transfer_id"] == str(transfer_id("card-transactions/0", int(first["seq"]), 1))
    assert (first["cause_event_id"], first["purchase"]) == ("P1", "P1")
    assert first["entry_id"] == rows[1]["entry_id"] != rows[2]["entry_id"]
    sealed = [row for row in rows if row["credit"] == "partner-payable/sky-air"]
    assert {row["cause_event_id"] for row in sealed} == {""}
    assert sum(int(row["amount"]) for row in sealed) == 31


def test_the_exports_of_grants_totals_and_batches_agree(run: Run, tmp_path: Path) -> None:
    found = {}
    for name in ("grants", "totals", "batches"):
        path = tmp_path / f"{name}.csv"
        assert run("export", name, "--to", path).exit_code == DONE
        found[name] = rows_of(path)
    assert [(r["purchase"], r["funder"], r["amount"]) for r in found["grants"]] == [
        ("P1", "first-bank", "13"), ("P1", "sky-air", "8"),
    ]  # fmt: skip
    assert [(r["scope_id"], r["period"], r["granted"]) for r in found["totals"]] == [
        ("A1", "2026-03", "21")
    ]
    assert len(found["totals"][0]["terms"]) == 8
    assert [(r["batch"], r["purchase"], r["amount"]) for r in found["batches"]] == [
        ("sky-air-000001", "P1", "31")
    ]


@pytest.mark.parametrize("name", [*EXPORTS, "batches"])
def test_an_export_is_the_same_in_all_three_forms(run: Run, name: str, tmp_path: Path) -> None:
    counts = set()
    for ending in ("csv", "jsonl", "parquet"):
        found = run("export", name, "--to", tmp_path / f"a.{ending}", output=Output.JSON)
        counts.add(document(found)["rows"])
    assert len(counts) == 1
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [
        {key: "" if value is None else str(value) for key, value in line.items()} for line in lines
    ] == rows_of(tmp_path / "a.csv")


def test_a_database_that_is_away_is_said_plainly(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILEPOST_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    for command in (("balance", "A1"), ("verify",), ("explain", "first-bank/P1")):
        found = run(*command)
        assert found.exit_code == UNREACHABLE
        assert "cannot be reached at 127.0.0.1:1" in found.stderr
