"""The naive model of members: rows as they were imported, and what follows from them.

The card product of a token's row is looked for over all programmes, whatever `enrolled_to` says:
the row with the greatest `enrolled_from` by the day, the latest revision among equals. All rows of
one import have one revision, and importing a row that holds already changes nothing.

Dates of an account (`opened_on`, `closed_on`, `cycle_day`) are those of the latest import whose
rows of the account have these columns; an import without the columns leaves them as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from services.kernel.transaction import CardTransaction
from tests.support.dates import Row

KEY = ("account_id", "card_token", "program", "enrolled_from")
ACCOUNT_COLUMNS = ("opened_on", "closed_on", "cycle_day")
COLUMNS = ("member_id", "account_id", "card_token", "card_product", "program", "enrolled_from",
           "enrolled_to", "partner", "membership_number")  # fmt: skip


@dataclass(frozen=True)
class Account:
    """Dates of an account, as far as they are known."""

    opened_on: date | None = None
    closed_on: date | None = None
    cycle_day: int | None = None


UNKNOWN = Account()


@dataclass(frozen=True)
class People:
    """Everything that imports have said, as it holds now."""

    rows: list[tuple[int, Row]] = field(default_factory=list)
    """With the import that brought each."""
    accounts: dict[str, Account] = field(default_factory=dict)
    activated: dict[tuple[str, str], dict[date, date | None]] = field(default_factory=dict)
    """(account, code) → first day → the first day on which it does not count any more."""


def people(members: Sequence[Sequence[Row]], activations: Sequence[Sequence[Row]] = ()) -> People:
    """What holds after all imports, in their order."""
    found = People(_current_rows(members))
    for rows in members:
        for row in rows:
            if ACCOUNT_COLUMNS[0] in row:
                found.accounts[str(row["account_id"])] = _account(row)
    for row in (row for rows in activations for row in rows):
        key = (str(row["account_id"]), str(row["code"]))
        day = date.fromisoformat(str(row["activated_on"]))
        end = row.get("withdrawn_on")
        found.activated.setdefault(key, {})[day] = date.fromisoformat(end) if end else None
    return found


def enrolled(found: People, account: str, program: str, day: date) -> bool:
    """Whether the account is open and any current row of it in the programme holds the day."""
    closed_on = found.accounts.get(account, UNKNOWN).closed_on
    if closed_on is not None and day > closed_on:
        return False
    return any(
        row["account_id"] == account
        and row["program"] == program
        and str(row["enrolled_from"]) <= day.isoformat() <= (row["enrolled_to"] or "9999-12-31")
        for _, row in found.rows
    )


def product_of(found: People, facts: CardTransaction, day: date) -> str | None:
    """The event's own card product, else that of the token's latest row by the day."""
    if facts.card_product is not None:
        return facts.card_product
    begun = [
        (str(row["enrolled_from"]), revision, row["card_product"] or None)
        for revision, row in found.rows
        if row["account_id"] == facts.account_id
        and row["card_token"] == facts.card_token
        and str(row["enrolled_from"]) <= day.isoformat()
    ]
    return max(begun, key=lambda entry: entry[:2])[2] if begun else None


def _current_rows(imports: Sequence[Sequence[Row]]) -> list[tuple[int, Row]]:
    """The rows that hold: other values of a key replace it."""
    latest: dict[tuple[str | None, ...], tuple[int, Row]] = {}
    for revision, rows in enumerate(imports):
        for row in rows:
            key = tuple(row[name] for name in KEY)
            plain = {name: row[name] for name in COLUMNS}
            if key not in latest or latest[key][1] != plain:
                latest[key] = (revision, plain)
    return list(latest.values())


def _account(row: Row) -> Account:
    opened, closed, cycle = (row.get(name) for name in ACCOUNT_COLUMNS)
    return Account(
        date.fromisoformat(opened) if opened else None,
        date.fromisoformat(closed) if closed else None,
        int(cycle) if cycle else None,
    )
