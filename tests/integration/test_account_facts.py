"""Dates of accounts and activations, as imported late: what was granted follows them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import click.testing
import pytest
import typer
from typer.testing import CliRunner

from services.accrual import bootstrap as accrual
from services.accrual.members.csv import DATES, HEADER
from services.cli import activation, member, proof, rebuild
from services.cli.session import DONE, INVALID, Output, Session
from services.runtime.settings import load_settings
from tests.support import builders, ledger, servers
from tests.support.builders import event
from tests.support.ledger import Ledger

Run = Callable[..., click.testing.Result]
OLD = ",".join(HEADER) + "\n"
NEW = ",".join(HEADER + DATES) + "\n"
ROW = "M1,A1,card-A1,,sky-rewards,2020-01-01,,,"
ACTIVATED = "account_id,code,activated_on\n"
WITHDRAWN = "account_id,code,activated_on,withdrawn_on\n"
MARCH, APRIL = (datetime(2026, month, 10, 12, tzinfo=UTC) for month in (3, 4))


def rule(name: str, miles: int, **more: Any) -> dict[str, Any]:
    """So many miles for every whole 10.00."""
    return {
        "id": name,
        "award": "base",
        "earn": {"per_block": {"units": str(miles), "block": "10.00"}},
        "rounding": {"mode": "down", "scale": 0, "level": "per_transaction"},
        **more,
    }


CONTRACT = builders.as_text(
    builders.contract(
        rules=[
            rule("base", 1),
            rule("welcome", 4, when={"first_days": "30"}),
            rule("quarter", 2, when={"activated": {"code": "Q1", "counts": "from_activation"}}),
            rule("year", 3, when={"activated": {"code": "Q1", "counts": "always"}}),
        ]
    )
)


async def fill(book: Ledger) -> None:
    """100.00 in March and 200.00 in April of an account of which only the enrolment is known."""
    await book.approve(CONTRACT)
    await book.enrol([builders.row(member_id="M1"), builders.row("A2", member_id="M2")])
    await book.send(
        event("P1", at=MARCH, billing_amount=10_000),
        event("P2", at=APRIL, billing_amount=20_000),
        event("P3", at=APRIL, billing_amount=10_000, account_id="A2"),
    )


async def filled(url: str) -> None:
    async with ledger.opened(url) as book:
        await fill(book)


@pytest.fixture
def run(migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command on a filled database; a text that holds a line is written to a file for it."""
    servers.in_a_thread(filled(migrated_url))
    monkeypatch.setenv("MILEPOST_DATABASE_URL", migrated_url)
    app = typer.Typer()
    for group in (member, activation, proof, rebuild):
        group.register(app)

    def invoke(*arguments: str, output: Output = Output.JSON) -> click.testing.Result:
        given = []
        for argument in arguments:
            if "\n" in argument:
                file = tmp_path / "given.csv"
                file.write_text(argument)
                argument = str(file)
            given.append(argument)
        return CliRunner().invoke(app, given, obj=Session(output, quiet=False, config=None))

    return invoke


def said(found: click.testing.Result) -> dict[str, Any]:
    assert found.exit_code == DONE, found.output
    document: dict[str, Any] = json.loads(found.stdout)
    return document


def imported(run: Run, text: str) -> dict[str, Any]:
    kind = "activation" if text.startswith(ACTIVATED[:-1]) else "member"
    return said(run(kind, "import", text, "--date", "2026-06-30"))


def rows_of(url: str, query: str) -> list[tuple[Any, ...]]:
    async def read() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    return servers.in_a_thread(read())


def granted(url: str) -> dict[str, int]:
    """What each rule grants, over all purchases."""
    rows = rows_of(
        url, "SELECT rule, sum(amount)::int FROM member_movement GROUP BY rule ORDER BY rule"
    )
    return {rule: amount for rule, amount in rows if amount}


def proven(run: Run) -> None:
    """The books hold together, and a rebuild gives every row of them."""
    assert run("verify").exit_code == DONE
    assert said(run("rebuild", "--check"))["differences"] == []


def test_an_opening_date_that_comes_late_grants_what_its_first_days_earn(
    run: Run, migrated_url: str
) -> None:
    assert granted(migrated_url) == {"base": 40}
    found = imported(run, f"{NEW}{ROW},2026-03-05,,\n")
    assert (found["added"], found["unchanged"], found["dates"]) == (0, 1, 1)
    assert (found["purchases"], found["granted"]) == (1, {"SKY-MILE": 40})
    assert granted(migrated_url) == {"base": 40, "welcome": 40}
    found = imported(run, f"{NEW}{ROW},2026-04-10,,\n")
    assert (found["granted"], found["taken_back"]) == ({"SKY-MILE": 80}, {"SKY-MILE": 40})
    assert granted(migrated_url) == {"base": 40, "welcome": 80}
    proven(run)


def test_an_activation_that_comes_late_grants_what_it_earns(run: Run, migrated_url: str) -> None:
    found = imported(run, f"{ACTIVATED}A1,Q1,2026-04-01\nA1,OTHER,2026-01-01\n")
    assert (found["added"], found["unchanged"], found["purchases"]) == (2, 0, 2)
    assert granted(migrated_url) == {"base": 40, "quarter": 40, "year": 90}
    found = imported(run, f"{ACTIVATED}A1,Q1,2026-03-10\n")
    assert (found["added"], found["granted"], found["taken_back"]) == (1, {"SKY-MILE": 20}, {})
    assert granted(migrated_url) == {"base": 40, "quarter": 60, "year": 90}
    proven(run)


def test_a_withdrawn_activation_takes_back_what_it_earned(run: Run, migrated_url: str) -> None:
    earned = {"2026-04-10": (20, 30), "2026-03-10": (0, 0), "": (60, 90)}
    imported(run, f"{ACTIVATED}A1,Q1,2026-03-10\n")
    for end, left in earned.items():  # the second was a mistake, the third is none
        assert imported(run, f"{WITHDRAWN}A1,Q1,2026-03-10,{end}\n")["added"] == 1
        assert imported(run, f"{ACTIVATED}A1,Q1,2026-03-10\n")["unchanged"] == 1
        found = granted(migrated_url)
        assert (found.get("quarter", 0), found.get("year", 0)) == left
    assert len(said(run("activation", "list", "A1"))["activations"]) == 4
    proven(run)


def test_an_account_closed_late_loses_what_it_earned_after_its_last_day(
    run: Run, migrated_url: str
) -> None:
    found = imported(run, f"{NEW}{ROW},,2026-04-09,\n")
    assert (found["purchases"], found["taken_back"]) == (1, {"SKY-MILE": 20})
    imported(run, f"{NEW}{ROW},,2026-04-10,\n")
    assert granted(migrated_url) == {"base": 40}
    imported(run, f"{NEW}{ROW},,2026-03-09,\n")
    assert granted(migrated_url) == {"base": 10}
    proven(run)


def test_what_holds_already_is_recorded_once(run: Run, migrated_url: str) -> None:
    first, second = f"{NEW}{ROW},2026-03-05,,31\n", f"{ACTIVATED}A1,Q1,2026-04-01\n"
    state = "SELECT revision, (SELECT count(*) FROM card_event) FROM fact_revision"
    imported(run, first)
    imported(run, second)
    before = rows_of(migrated_url, state)
    for text in (first, second, OLD + ROW + "\n"):
        found = imported(run, text)
        assert (found["added"], found["unchanged"], found["purchases"]) == (0, 1, 0)
    assert rows_of(migrated_url, state) == before
    assert len(said(run("member", "show", "A1"))["dates"]) == 1


def test_dates_that_were_never_known_and_are_not_known_are_nothing_new(run: Run) -> None:
    assert imported(run, f"{NEW}{ROW},,,\n")["dates"] == 0
    assert said(run("member", "show", "A1"))["dates"] == []


def test_the_command_is_recorded_with_its_inputs_in_the_stream_of_the_account(
    run: Run, migrated_url: str
) -> None:
    imported(run, f"{NEW}{ROW},2026-03-05,,\n")
    imported(run, f"{ACTIVATED}A1,Q1,2026-04-01\nA2,Q1,2026-04-01\n")
    recorded = rows_of(
        migrated_url,
        "SELECT body FROM card_event WHERE role = 'command' AND revision > 3 ORDER BY revision",
    )
    inputs = [json.loads(body) for (body,) in recorded]
    assert inputs[0] == {"command": "member-import", "accounts": ["A1"], "on": "2026-06-30"}
    assert {entry["command"] for entry in inputs[1:]} == {"activation-import"}
    assert sorted(account for entry in inputs[1:] for account in entry["accounts"]) == ["A1", "A2"]


async def test_every_decision_is_folded_again_with_the_facts_that_it_saw(migrated_url: str) -> None:
    """Events come between the imports: each was decided with the dates of its moment."""
    async with ledger.opened(migrated_url) as book:
        await fill(book)
        for at, changes in enumerate(
            ({"opened_on": "2026-04-01"}, {"closed_on": "2026-04-15"}, {"opened_on": "2026-03-01"})
        ):
            await book.activate(
                [{"account_id": "A1", "code": "Q1", "activated_on": f"2026-04-2{5 - at}"}]
            )
            await book.send(event(f"Q{at}", at=APRIL, billing_amount=10_000 * (at + 1)))
            await book.enrol([builders.row(member_id="M1", **changes)])
            await book.send(
                event(f"R{at}", "REFUND", original_event_id="P2", billing_amount=1_000, at=APRIL)
            )
        assert not book.outcomes.errors
        async with book.books() as books:
            assert [finding for finding in await books.findings() if not finding.ok] == []
    settings = load_settings({"MILEPOST_DATABASE_URL": migrated_url})
    rebuilt = await accrual.rebuild(settings, lambda _: None)
    assert rebuilt.events > 15
    assert rebuilt.differences == []


def test_what_is_known_of_a_member_is_shown_with_every_revision(run: Run) -> None:
    imported(run, f"{NEW}{ROW},2026-03-05,,31\n")
    imported(run, f"{NEW}{ROW},2026-03-06,2027-01-01,\n")
    imported(run, f"{ACTIVATED}A1,Q1,2026-04-01\nA1,Q1,2026-03-01\n")
    shown = said(run("member", "show", "M1"))
    assert [row["account_id"] for row in shown["rows"]] == ["A1"]
    assert [(row["opened_on"], row["closed_on"], row["cycle_day"]) for row in shown["dates"]] == [
        ("2026-03-05", None, 31), ("2026-03-06", "2027-01-01", None),
    ]  # fmt: skip
    assert [row["activated_on"] for row in shown["activations"]] == ["2026-03-01", "2026-04-01"]
    table = run("member", "show", "A1", output=Output.TABLE).stdout
    for text in ("cycle day", "2027-01-01", "31", "activated on", "Q1"):
        assert text in table


def test_activations_are_listed_the_one_that_counts_first(run: Run) -> None:
    imported(run, f"{ACTIVATED}A1,Q2,2026-04-02\nA1,Q1,2026-04-01\nA1,Q1,2026-03-01\n")
    found = said(run("activation", "list", "A1"))
    assert found["account"] == "A1"
    assert [(row["code"], row["activated_on"]) for row in found["activations"]] == [
        ("Q1", "2026-03-01"), ("Q1", "2026-04-01"), ("Q2", "2026-04-02"),
    ]  # fmt: skip
    assert "activated on" in run("activation", "list", "A1", output=Output.TABLE).stdout
    assert said(run("activation", "list", "A2"))["activations"] == []


def test_an_account_may_be_activated_before_anybody_knows_it(run: Run) -> None:
    assert imported(run, f"{ACTIVATED}A9,Q1,2026-04-01\n")["added"] == 1
    assert len(said(run("activation", "list", "A9"))["activations"]) == 1
    assert said(run("member", "show", "A9"))["rows"] == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("activation", "list", "A7"), "ACCOUNT: 'A7': no member and no activation"),
        (("activation", "list", "M1"), "ACCOUNT: 'M1': no member and no activation"),
        (("member", "show", "A7"), "ID: 'A7': no member and no account has this id"),
        (("activation", "import", ACTIVATED + "A1,Q1,1 May\n"), ":2: activated_on: '1 May': must"),
        (("member", "import", f"{NEW}{ROW},,,32\n"), ":2: cycle_day: '32': must be a day"),
    ],
)
def test_bad_input_is_named_and_nothing_is_imported(
    run: Run, migrated_url: str, arguments: tuple[str, ...], problem: str
) -> None:
    before = rows_of(migrated_url, "SELECT revision FROM fact_revision")
    found = run(*arguments)
    assert found.exit_code == INVALID
    assert problem in found.stderr
    assert rows_of(migrated_url, "SELECT revision FROM fact_revision") == before


async def test_the_tables_themselves_refuse_dates_that_cannot_be(migrated_url: str) -> None:
    connection = await asyncpg.connect(migrated_url)
    insert = "INSERT INTO account_dates VALUES (1, 'A1', $1, $2, $3)"
    first, last = date(2026, 1, 1), date(2026, 1, 2)
    try:
        await connection.execute(insert, first, last, 31)
        for wrong in ((last, first, 1), (None, None, 0), (None, None, 32)):
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute(insert, *wrong)
    finally:
        await connection.close()
