"""Wires the commands over facts: contracts, members, activations, and deciding anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from services.accrual.adapters import command_store, ledger_store
from services.accrual.bootstrap.parts import content, decider, reading, require_name
from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.parse import Signed, parse, recorded
from services.accrual.contracts.settlement import settlement_terms
from services.accrual.contracts.versions import check_versions
from services.accrual.facts import Facts, Imported
from services.accrual.linking import Linking, Resolved
from services.accrual.members.activations import read_activations
from services.accrual.members.csv import read_members
from services.accrual.ports import Version
from services.accrual.reconsider import Difference, Reconsideration
from services.kernel.errors import InvalidInput, Problem
from services.runtime.person import open_as_person
from services.runtime.settings import Settings


class Shown(NamedTuple):
    """What is recorded of a member or an account: rows in the words of the tables, oldest first."""

    rows: list[dict[str, Any]]
    dates: list[dict[str, Any]]
    activations: list[dict[str, Any]]


@asynccontextmanager
async def facts(settings: Settings, by: str | None = None) -> AsyncIterator[Facts]:
    """The commands over facts, with a database of their own, for the person `by` if one is named.

    Raises InvalidInput for a name that is none, and for what the settings' role may not do.
    """
    require_name(by)
    async with open_as_person(settings) as database:
        reconsideration = Reconsideration(decider(), ledger_store, command_store)
        yield Facts(database, reconsideration, by)


async def import_members(
    settings: Settings, path: Path, on: date, by: str | None = None
) -> Imported:
    """Import a member file. Raises InvalidInput with every bad line; then nothing is imported."""
    found = read_members(content(path), file=str(path))
    async with facts(settings, by) as commands:
        return await commands.import_members(found.members, found.dates, on=on)


async def import_activations(
    settings: Settings, path: Path, on: date, by: str | None = None
) -> Imported:
    """Import activations. Raises InvalidInput with every bad line; then nothing is imported."""
    found = read_activations(content(path), file=str(path))
    async with facts(settings, by) as commands:
        return await commands.import_activations(found.activations, on=on, ends=found.ends)


async def resolve_event(
    settings: Settings, event: str, purchase: str, *, by: str, on: date
) -> Resolved:
    """Link a waiting event `issuer/id` to the purchase of another. Raises InvalidInput."""
    async with facts(settings) as commands:
        return await Linking(commands).resolve(event, purchase, by=by, on=on)


async def apply_contract(settings: Settings, path: Path, *, author: str, on: date) -> str:
    """Record a contract file as signed by its author; gives its id and whether it is new."""
    signed = parse(content(path), file=str(path))
    compile_terms(signed.contract)
    contract = signed.contract
    version = Version(
        contract.contract, contract.version, contract.issuer, contract.program, contract.partner,
        signed.text, signed.sha256, settlement_terms(contract), author, on,
    )  # fmt: skip
    await _check_with_approved(settings, signed)
    async with facts(settings) as commands:
        await commands.apply_contract(version)
    return signed.id


async def approve_contract(
    settings: Settings, identifier: str, *, approver: str, on: date, retroactive: bool
) -> Difference:
    """Approve `contract/version` as a second person."""
    contract, _, version = identifier.rpartition("/")
    if not contract or not version.isdigit():
        why = "is not contract/version, such as sky-visa/3"
        raise InvalidInput([Problem(why, field="ID", value=identifier)])
    for row in await list_contracts(settings):
        if (row["contract"], row["version"]) == (contract, int(version)):
            await _check_with_approved(settings, parse(row["document"], file=identifier))
    async with facts(settings) as commands:
        return await commands.approve_contract(
            contract, int(version), approver=approver, on=on, retroactive=retroactive
        )


async def _check_with_approved(settings: Settings, signed: Signed) -> None:
    """Raises InvalidInput when a version does not go with the approved ones of its contract."""
    contract = signed.contract
    others = [
        recorded(row["document"], file=f"{row['contract']}/{row['version']}")
        for row in await list_contracts(settings)
        if row["contract"] == contract.contract
        and row["version"] != contract.version
        and row["approver"] is not None
    ]
    if problems := check_versions([*others, signed]):
        raise InvalidInput(problems)


async def list_contracts(settings: Settings) -> list[dict[str, Any]]:
    """Every contract version with author and approval."""
    async with reading(settings) as connection:
        return await command_store.versions(connection)


async def show_member(settings: Settings, identifier: str) -> Shown:
    """Everything recorded of a member or an account. Raises InvalidInput when there is nothing."""
    async with reading(settings) as connection:
        rows = await command_store.members(connection, identifier)
        accounts = sorted({identifier, *(row["account_id"] for row in rows)})
        shown = Shown(rows, *await command_store.account_rows(connection, accounts))
    if not any(shown):
        why = "no member and no account has this id"
        raise InvalidInput([Problem(why, field="ID", value=identifier)])
    return shown


async def list_activations(settings: Settings, account: str) -> list[dict[str, Any]]:
    """The activations of an account. Raises InvalidInput when nobody knows the account."""
    async with reading(settings) as connection:
        _, activations = await command_store.account_rows(connection, [account])
        rows = await command_store.members(connection, account)
    if not activations and all(row["account_id"] != account for row in rows):
        why = "no member and no activation has this account"
        raise InvalidInput([Problem(why, field="ACCOUNT", value=account)])
    return activations


async def reconsider_account(
    settings: Settings, account: str, *, on: date, by: str | None = None
) -> Difference:
    """Decide one account anew."""
    async with facts(settings, by) as commands:
        return await commands.reconsider_account(account, on=on)


async def reconsider_contract(
    settings: Settings, contract: str, *, on: date, by: str | None = None
) -> Difference:
    """Decide every account of a contract's issuer anew."""
    async with facts(settings, by) as commands:
        return await commands.reconsider_contract(contract, on=on)
