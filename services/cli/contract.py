"""Contracts as files: check them, apply and approve them, look at what is recorded."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from services.accrual import bootstrap as accrual
from services.accrual.contracts.check import Report, check, class_of
from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.parse import Signed, recorded
from services.accrual.contracts.schema import contract_schema
from services.accrual.facts import NeedsRetroactive
from services.accrual.reconsider import Difference
from services.cli import prose, trial
from services.cli.difference import difference_document, print_difference
from services.cli.record import Asked, ask_record
from services.cli.session import INVALID, OnDate, Output, Session, day_or_today
from services.kernel.errors import InvalidInput, Problem

contracts = typer.Typer(
    help="Contracts as files: check, explain, compare, try, apply, approve.", no_args_is_help=True
)
SHOWN = ("contract", "version", "issuer", "partner", "program", "author", "applied_on", "approver",
         "approved_on")  # fmt: skip

prose.register(contracts)
trial.register(contracts)


def register(app: typer.Typer) -> None:
    """Hang the commands on `milepost`."""
    app.add_typer(contracts, name="contract")


@contracts.command("check")
def check_files(context: typer.Context, paths: Annotated[list[Path], typer.Argument()]) -> None:
    """Check contract files, or all *.yaml of a folder: every problem of every file at once.

    Prints the class of each rule (pure: by its purchase alone; total: through a running total).
    Exit 2 if there is a problem; warnings refuse nothing. Where a database is configured, its
    record is asked whether the merchants that a contract names were ever seen.
    """
    session: Session = context.obj
    sources, unread = _read(paths)
    report = check(sources)
    problems = (*unread, *report.problems)
    asked = ask_record(session, report.signed)
    warnings = (*report.warnings, *asked.warnings)
    if not session.document(_document(report, problems, warnings, asked)):
        _print_rules(session, report.signed)
        for warning in warnings:
            session.say(f"warning: {warning}")
        if asked.silent is not None:
            session.say(f"whether merchants were ever seen was not asked: {asked.silent}")
    if session.output is Output.JSON and problems:
        raise typer.Exit(INVALID)
    if problems:
        session.fail("\n".join(map(str, problems)), INVALID)


@contracts.command("schema")
def schema() -> None:
    """The JSON Schema of a contract file, for editors."""
    print(json.dumps(contract_schema(), indent=2, ensure_ascii=False))


@contracts.command("apply")
def apply(
    context: typer.Context,
    path: Path,
    author: Annotated[str, typer.Option(help="Who signs the terms.")],
    on: OnDate = None,
) -> None:
    """Record a contract version as its author signed it. It earns once another approves it."""
    session: Session = context.obj
    day = day_or_today(on)

    async def work() -> str:
        return await accrual.apply_contract(session.settings(), path, author=author, on=day)

    applied = session.run(work())
    if not session.document({"contract": applied, "author": author, "applied_on": day}):
        session.table(["contract", "author", "applied on"], [[applied, author, day]])
        session.say(f"next: milepost contract approve {applied} --approver WHO (another person)")


@contracts.command("approve")
def approve(
    context: typer.Context,
    identifier: Annotated[str, typer.Argument(metavar="ID", help="contract/version")],
    approver: Annotated[str, typer.Option(help="A second person, not the author.")],
    retroactive: Annotated[
        bool, typer.Option("--retroactive", help="Decided purchases may change.")
    ] = False,
    on: OnDate = None,
) -> None:
    """Approve a version as a second person; from then on it earns.

    Where that changes purchases already decided, it prints how many and how much, does nothing,
    and asks for --retroactive.
    """
    session: Session = context.obj
    day = day_or_today(on)

    async def work() -> tuple[bool, Difference]:
        try:
            found = await accrual.approve_contract(
                session.settings(), identifier, approver=approver, on=day, retroactive=retroactive
            )
        except NeedsRetroactive as refusal:
            return False, refusal.difference
        return True, found

    approved, difference = session.run(work())
    document = {"contract": identifier, "approved": approved, **difference_document(difference)}
    if not session.document(document):
        print_difference(session, difference)
        if approved:
            session.say(f"{identifier} is approved")
    if not approved:
        count = len(difference.purchases)
        why = f"nothing was approved: {count} decided purchases would change as shown"
        session.fail(f"{why}; if that is wanted, say --retroactive", INVALID)


@contracts.command("list")
def list_versions(context: typer.Context) -> None:
    """Every recorded version with its author and approver."""
    session: Session = context.obj
    rows = session.run(_recorded(session))
    found = [{key: row[key] for key in SHOWN} for row in rows]
    if not session.document({"contracts": found}):
        headings = [key.replace("_", " ") for key in SHOWN]
        session.table(headings, [list(row.values()) for row in found])


@contracts.command("show")
def show(
    context: typer.Context,
    identifier: Annotated[str, typer.Argument(metavar="ID", help="contract/version")],
) -> None:
    """One recorded version: its parties, its signatures, its rules and the text as signed."""
    session: Session = context.obj

    async def work() -> dict[str, Any]:
        for row in await _recorded(session):
            if f"{row['contract']}/{row['version']}" == identifier:
                return row
        why = "is not recorded: see `milepost contract list`"
        raise InvalidInput([Problem(why, field="ID", value=identifier)])

    row = session.run(work())
    signed = recorded(row["document"], file=identifier)
    shown = {key: row[key] for key in (*SHOWN, "sha256")}
    if session.document({**shown, "rules": _rules(signed), "document": row["document"]}):
        return
    session.table(
        ["", identifier], [[key.replace("_", " "), value] for key, value in shown.items()]
    )
    if session.output is Output.TABLE:
        rules = [list(rule.values()) for rule in _rules(signed)]
        session.table(["rule", "class", "earns"], rules)
        print(row["document"], end="")


async def _recorded(session: Session) -> list[dict[str, Any]]:
    return await accrual.list_contracts(session.settings())


def _read(paths: Sequence[Path]) -> tuple[list[tuple[str, bytes]], list[Problem]]:
    """The content of every file that the paths name, and what cannot be read."""
    sources: list[tuple[str, bytes]] = []
    problems: list[Problem] = []
    for path in dict.fromkeys(file for given in paths for file in _files(given)):
        if path.is_dir():
            problems.append(Problem("holds no contract file (*.yaml)", file=str(path)))
            continue
        try:
            sources.append((str(path), path.read_bytes()))
        except OSError as error:
            problems.append(Problem(error.strerror or "cannot be read", file=str(path)))
    return sources, problems


def _files(path: Path) -> Iterator[Path]:
    """The contract files of a folder, not of folders in it; the path itself when there is none."""
    found = sorted(file for file in _entries(path) if file.suffix in (".yaml", ".yml"))
    yield from found or [path]


def _entries(path: Path) -> Iterable[Path]:
    return path.iterdir() if path.is_dir() else ()


def _document(
    report: Report, problems: Sequence[Problem], warnings: Sequence[Problem], asked: Asked
) -> Mapping[str, Any]:
    return {
        "ok": not problems,
        "contracts": [
            {
                "file": one.document.file,
                "contract": one.contract.contract,
                "version": one.contract.version,
                "rules": _rules(one),
            }
            for one in report.signed
        ],
        "problems": [dataclasses.asdict(problem) for problem in problems],
        "warnings": [dataclasses.asdict(warning) for warning in warnings],
        "not_asked": asked.silent,
    }


def _rules(signed: Signed) -> list[dict[str, str]]:
    terms = compile_terms(signed.contract)
    return [
        {
            "id": rule.id,
            "class": class_of(rule),
            "earns": compiled.totals[0].text if compiled.earn is None else compiled.earn.text,
        }
        for rule, compiled in zip(signed.contract.rules, terms.rules, strict=True)
    ]


def _print_rules(session: Session, signed: Sequence[Signed]) -> None:
    rows = [[one.document.file, one.id, *rule.values()] for one in signed for rule in _rules(one)]
    if rows:
        session.table(["file", "version", "rule", "class", "earns"], rows)
