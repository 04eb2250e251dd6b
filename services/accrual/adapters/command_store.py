"""What commands append: contract versions, approvals, rows of accounts, and their own events."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any

import asyncpg

from services.accrual.members.account import AccountDates, Activation
from services.accrual.members.roster import MemberRow
from services.accrual.members.rows import AccountRows
from services.accrual.ports import Version
from services.kernel.errors import InvalidInput, Problem
from services.kernel.transaction import Role
from services.runtime.database import Connection, copy_rows
from services.runtime.named_queries import load_queries

_sql = load_queries("services.accrual.adapters", "command_store.sql")

FOUR_EYES = "contract_approval_four_eyes"
_EVENT = (
    "stream_id", "seq", "recorded_at", "role", "body", "outcome", "reason", "revision",
)  # fmt: skip


async def card_streams(connection: Connection) -> list[int]:
    """The stream of each partition of `card-transactions`, by partition."""
    rows = await connection.fetch(_sql.card_streams)
    by_partition = {int(row["name"].rpartition("/")[2]): row["stream_id"] for row in rows}
    if sorted(by_partition) != list(range(len(by_partition))) or not by_partition:
        raise InvalidInput("card-transactions has no streams yet: run `milepost topics create`")
    return [by_partition[partition] for partition in range(len(by_partition))]


async def act(connection: Connection, by: str) -> None:
    """Name who acts, for the audit of what this transaction writes."""
    await connection.execute(_sql.act, by)


async def next_revision(connection: Connection) -> int:
    """Draw a revision of the facts, locked to commit."""
    found: int = await connection.fetchval(_sql.next_revision)
    return found


async def current_rows(connection: Connection, accounts: Sequence[str]) -> AccountRows:
    """The rows of accounts that hold now."""
    members = await connection.fetch(_sql.current_members, accounts)
    dates = await connection.fetch(_sql.current_dates, accounts)
    activations = await connection.fetch(_sql.current_activations, accounts)
    return AccountRows(
        [MemberRow(**dict(row)) for row in members],
        [AccountDates(**dict(row)) for row in dates],
        [Activation(**dict(row)) for row in activations],
    )


async def save_rows(connection: Connection, facts: AccountRows) -> None:
    """Append rows of accounts; each carries its revision."""
    await _append(connection, "member_row", MemberRow, facts.members)
    await _append(connection, "account_dates", AccountDates, facts.dates)
    await _append(connection, "activation", Activation, facts.activations)


async def _append(connection: Connection, table: str, form: type, rows: Sequence[object]) -> None:
    if not rows:
        return
    columns = tuple(field.name for field in fields(form))
    await copy_rows(
        connection, table=table, columns=columns,
        rows=[tuple(getattr(row, column) for column in columns) for row in rows],
    )  # fmt: skip


async def accounts_of(connection: Connection, stream_id: int, issuer: str) -> list[str]:
    """Accounts of a stream with purchases, or waiting events, of an issuer."""
    found = {
        row["account_id"]
        for query in (_sql.of_issuer, _sql.with_failed)
        for row in await connection.fetch(query, stream_id, issuer)
    }
    return sorted(found)


async def save_command(
    connection: Connection,
    *,
    stream_id: int,
    seq: int,
    on: date,
    inputs: Mapping[str, Any],
    revision: int,
) -> None:
    """Record a command's event with its inputs."""
    body = json.dumps(inputs, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    at = datetime(on.year, on.month, on.day, tzinfo=UTC)
    row = (stream_id, seq, at, Role.COMMAND.value, body, "RECORDED", None, revision)
    await copy_rows(connection, table="card_event", columns=_EVENT, rows=[row])


async def apply_contract(connection: Connection, version: Version, revision: int) -> None:
    """Append a version as signed."""
    await connection.execute(
        _sql.apply_contract, version.contract, version.version, version.issuer, version.program,
        version.partner, version.document, version.sha256, json.dumps(version.terms),
        version.author, revision, version.applied_on,
    )  # fmt: skip


async def approve_contract(
    connection: Connection, contract: str, version: int, *, approver: str, revision: int, on: date
) -> None:
    """Append an approval. InvalidInput when there is nothing to approve, or by whom."""
    name = f"{contract}/{version}"
    try:
        found = await connection.fetchval(
            _sql.approve_contract, contract, version, approver, revision, on
        )
    except asyncpg.CheckViolationError as error:
        if error.constraint_name == FOUR_EYES:
            why = "wrote this version: another person must approve it"
            raise InvalidInput([Problem(why, field=name, value=approver)]) from error
        raise InvalidInput([Problem("is no name", field="approver", value=approver)]) from error
    except asyncpg.UniqueViolationError as error:
        raise InvalidInput([Problem("is approved already", field=name)]) from error
    if found is None:
        why = "is not applied; `milepost contract apply` comes first"
        raise InvalidInput([Problem(why, field=name)])


async def versions(connection: Connection) -> list[dict[str, Any]]:
    """Every contract version with author and approval."""
    return [dict(row) for row in await connection.fetch(_sql.contracts)]


async def members(connection: Connection, member_or_account: str) -> list[dict[str, Any]]:
    """Every row of a member or an account."""
    return [dict(row) for row in await connection.fetch(_sql.members, member_or_account)]


async def account_rows(
    connection: Connection, accounts: Sequence[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Every row of the dates of these accounts, and every activation."""
    dates = await connection.fetch(_sql.dates, accounts)
    activations = await connection.fetch(_sql.activations, accounts)
    return [dict(row) for row in dates], [dict(row) for row in activations]
