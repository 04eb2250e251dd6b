"""What is derived of a stream: purchases, running totals, events that wait."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter

import asyncpg
from asyncpg.pgproto.pgproto import UUID

from services.accrual.adapters.event_store import declaration
from services.accrual.batch import Decided, LinkKey, Loaded
from services.accrual.engine.decide import Account
from services.accrual.engine.reasons import MISSING_ORIGINAL, Outcome
from services.accrual.engine.totals import TotalKey
from services.accrual.engine.waiting import Waiting
from services.accrual.intake import Recorded, decode
from services.accrual.lifecycle.exact import hashed
from services.kernel.identifiers import key64
from services.runtime.database import Connection, copy_rows
from services.runtime.failpoint import failpoint
from services.runtime.named_queries import load_queries

_sql = load_queries("services.accrual.adapters", "state_store.sql")

ACCOUNTS_REMEMBERED = 262_144
TOTALS_REMEMBERED = 32_768
"""More than a batch touches: a key is computed when its row is read, and not when it is written."""

_PURCHASE_COLUMNS = (
    "stream_id", "purchase", "issuer_id", "account_id", "label", "account_key", "link_key", "body",
)  # fmt: skip
_TOTAL_COLUMNS = (
    "total_key", "stream_id", "contract", "rule", "kind", "terms", "scope", "scope_id", "period",
    "unit", "total", "granted", "account_id",
)  # fmt: skip
_WAITING_COLUMNS = (
    "stream_id", "seq", "issuer_id", "account_id", "account_key", "event_id", "reason", "names",
    "body", "exact_keys",
)  # fmt: skip


_account_key = lru_cache(maxsize=ACCOUNTS_REMEMBERED)(key64)


@lru_cache(maxsize=TOTALS_REMEMBERED)
def total_key(account_id: str, key: TotalKey) -> UUID:
    """The primary key of an account's total."""
    text = "\x1f".join((account_id, *key))
    return UUID(hashlib.blake2b(text.encode(), digest_size=16).digest())


async def load_links(
    connection: Connection, keys: Sequence[LinkKey], into: Mapping[str, Loaded]
) -> None:
    """Read the purchases of these keys into what is loaded of their accounts."""
    rows = await connection.fetch(
        _sql.purchases_by_link,
        [_account_key(account_id) for account_id, _, _ in keys],
        [key64(issuer, key) for _, issuer, key in keys],
    )
    _take_purchases(rows, into)


async def load_exact(
    connection: Connection, keys: Sequence[LinkKey], into: Mapping[str, Loaded]
) -> None:
    """Read the purchases that hold events with these exact keys."""
    wanted = [hashed(*key) for key in keys]
    _take_purchases(await connection.fetch(_sql.purchases_by_exact_key, wanted), into)


async def load_accounts(connection: Connection, into: Mapping[str, Loaded]) -> None:
    """Read all purchases of these accounts."""
    rows = await connection.fetch(
        _sql.purchases_by_account, [_account_key(account_id) for account_id in into]
    )
    _take_purchases(rows, into)
    for loaded in into.values():
        loaded.complete = True


def _take_purchases(rows: Iterable[asyncpg.Record], into: Mapping[str, Loaded]) -> None:
    for row in rows:
        loaded = into.get(row["account_id"])
        if loaded is not None:
            loaded.purchases[row["stream_id"], row["purchase"]] = (row["issuer_id"], row["body"])


async def load_totals(
    connection: Connection, wanted: Mapping[str, set[TotalKey]], into: Mapping[str, Loaded]
) -> None:
    """Read the totals of these keys, by account."""
    places = {
        total_key(account_id, key): (account_id, key)
        for account_id, keys in wanted.items()
        for key in keys
    }
    if not places:
        return
    for row in await connection.fetch(_sql.totals, list(places)):
        account_id, key = places[row["total_key"]]
        into[account_id].totals[key] = (row["unit"], row["total"], row["granted"])


async def load_waiting(connection: Connection, into: Mapping[str, Loaded]) -> None:
    """Read the events of these accounts that have no purchase yet."""
    keys = [_account_key(account_id) for account_id in into]
    for row in await connection.fetch(_sql.waiting, keys):
        loaded = into.get(row["account_id"])
        if loaded is None:
            continue
        waiting = Waiting(row["seq"], decode(row["body"], row["exact_keys"]))
        (loaded.failed if row["reason"] == Outcome.FAILED else loaded.waiting).append(waiting)


async def save(
    connection: Connection,
    decided: Decided,
    recorded: Mapping[tuple[int, int], Recorded],
    loaded: Mapping[str, Loaded],
) -> None:
    """Write purchases, totals and waiting events that changed."""
    await _save_purchases(connection, decided.accounts, loaded)
    await _save_totals(connection, decided.accounts, loaded)
    await _save_waiting(connection, decided, recorded)


async def _save_purchases(
    connection: Connection, accounts: Sequence[Account], loaded: Mapping[str, Loaded]
) -> None:
    """Copy new purchases in, update those that were loaded."""
    fresh: list[tuple[object, ...]] = []
    changed: list[tuple[int, int, str, bytes]] = []
    tied: list[tuple[int, int, str]] = []
    for account in accounts:
        account_key = _account_key(account.account_id)
        existing = loaded[account.account_id].purchases
        for purchase in account.purchases.values():
            if not purchase.changed:
                continue
            place = (purchase.stream_id, purchase.number)
            keys = purchase.hashed_keys()
            if keys is not None:
                tied.append((*place, f"{{{','.join(map(str, keys))}}}"))
            if place in existing:
                changed.append((*place, purchase.label, purchase.body()))
            else:
                fresh.append(
                    (*place, purchase.issuer_id, purchase.account_id, purchase.label, account_key,
                     key64(purchase.issuer_id, purchase.key), purchase.body())
                )  # fmt: skip
    if fresh:
        fresh.sort(key=itemgetter(0, 1))
        await copy_rows(connection, table="purchase", columns=_PURCHASE_COLUMNS, rows=fresh)
    if changed:
        changed.sort(key=itemgetter(0, 1))
        await connection.execute(_sql.update_purchases, *_columns(changed))
        failpoint("updated: purchase")
    if tied:
        tied.sort()
        await connection.execute(_sql.update_exact_keys, *_columns(tied))
        failpoint("updated: exact keys")


async def _save_totals(
    connection: Connection, accounts: Sequence[Account], loaded: Mapping[str, Loaded]
) -> None:
    """Copy new totals in, update those that were loaded, in the order of their keys."""
    fresh: list[tuple[object, ...]] = []
    changed: list[tuple[UUID, int, int]] = []
    for account in accounts:
        account_id = account.account_id
        existing = loaded[account_id].totals
        for key, total in account.totals.items():
            if not total.changed:
                continue
            place = total_key(account_id, key)
            if key in existing:
                changed.append((place, total.total, total.granted))
            else:
                fresh.append(
                    (place, account.stream_id, key.contract, key.owner, key.kind, key.terms,
                     total.scope, key.scope_id, key.period, total.unit, total.total, total.granted,
                     account_id)
                )  # fmt: skip
    if fresh:
        fresh.sort(key=itemgetter(0))
        await copy_rows(connection, table="scope_total", columns=_TOTAL_COLUMNS, rows=fresh)
    if changed:
        changed.sort()
        await connection.execute(_sql.update_totals, *_columns(changed))
        failpoint("updated: scope_total")


async def _save_waiting(
    connection: Connection, decided: Decided, recorded: Mapping[tuple[int, int], Recorded]
) -> None:
    """Write the events that wait now, and drop those that have joined."""
    rows = [
        _waiting_row(recorded[account.stream_id, seq], MISSING_ORIGINAL)
        for account in decided.accounts
        for seq in account.waiting
        if (account.stream_id, seq) in recorded
    ]
    rows += [_waiting_row(failed, Outcome.FAILED) for failed, _ in decided.failed]
    joined = [
        (account.stream_id, seq)
        for account in decided.accounts
        for seq in account.joined
        if (account.stream_id, seq) not in recorded
    ]
    if joined:
        await connection.execute(_sql.delete_waiting, *_columns(joined))
        failpoint("deleted: waiting_event")
    if rows:
        await copy_rows(connection, table="waiting_event", columns=_WAITING_COLUMNS, rows=rows)


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _waiting_row(recorded: Recorded, reason: str) -> tuple[object, ...]:
    event = recorded.event
    return (
        recorded.stream_id, recorded.seq, event.issuer_id, event.account_id,
        _account_key(event.account_id), event.event_id, reason, event.original_event_id,
        recorded.body, declaration(event),
    )  # fmt: skip
