"""The stores of accrual in memory, as bytes where they are stored so, for `engine.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

from services.accrual.adapters.event_store import declaration
from services.accrual.batch import Decided, LinkKey, Loaded
from services.accrual.contracts.book import Book as Contracts
from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.parse import parse
from services.accrual.contracts.terms import Terms
from services.accrual.engine.totals import TotalKey
from services.accrual.engine.waiting import Waiting
from services.accrual.intake import Recorded, decode
from services.accrual.links import Held
from services.accrual.members.account import AccountDates, Activation
from services.accrual.members.csv import DATES, HEADER
from services.accrual.members.roster import MemberRow, Roster
from tests.support.dates import Row

Place = tuple[int, int]
"""Stream and seq, or stream and number of a purchase."""


class Memory:
    """Events, state and facts behind the ports of accrual, as bytes where they are stored so."""

    def __init__(self) -> None:
        self.identities: dict[bytes, Held] = {}
        self.purchases: dict[Place, tuple[str, str, str, bytes]] = {}
        """(stream, number) → account, issuer, key, body"""
        self.totals: dict[tuple[str, TotalKey], tuple[str, int, int]] = {}
        """(account, key) → unit, T, F(T)"""
        self.scopes: dict[tuple[str, TotalKey], str] = {}
        self.exact: dict[LinkKey, set[Place]] = {}
        """Exact key → the purchases of events that have it, now or once"""
        self.waits: dict[Place, tuple[bytes, str | None]] = {}
        self.terms: list[Terms] = []
        self.imports: list[Sequence[Row]] = []
        self.activations: list[Sequence[Row]] = []
        self._book = Contracts(())
        self._rosters: dict[str, tuple[tuple[int, int], Roster]] = {}
        self.deep = 0
        """How often an account had to be loaded whole."""

    def approve(self, text: str) -> None:
        """Approve a contract file."""
        self.terms.append(compiled(text))
        self._book = Contracts(self.terms)

    # the ports

    async def by_identity(self, _: object, identities: Sequence[bytes]) -> dict[bytes, Held]:
        return {key: self.identities[key] for key in identities if key in self.identities}

    async def load_links(
        self, _: object, keys: Sequence[LinkKey], into: Mapping[str, Loaded]
    ) -> None:
        wanted = set(keys)
        for place, (account, issuer, key, body) in self.purchases.items():
            if (account, issuer, key) in wanted:
                into[account].purchases[place] = (issuer, body)

    async def load_exact(
        self, _: object, keys: Sequence[LinkKey], into: Mapping[str, Loaded]
    ) -> None:
        for account, issuer, exact in keys:
            for place in self.exact.get((account, issuer, exact), ()):
                into[account].purchases[place] = (issuer, self.purchases[place][-1])

    async def load_accounts(self, _: object, into: Mapping[str, Loaded]) -> None:
        self.deep += 1
        for place, (account, issuer, _key, body) in self.purchases.items():
            if account in into:
                into[account].purchases[place] = (issuer, body)
        for loaded in into.values():
            loaded.complete = True

    async def load_totals(
        self, _: object, wanted: Mapping[str, set[TotalKey]], into: Mapping[str, Loaded]
    ) -> None:
        for account, keys in wanted.items():
            for key in keys:
                if (account, key) in self.totals:
                    into[account].totals[key] = self.totals[account, key]

    async def load_waiting(self, _: object, into: Mapping[str, Loaded]) -> None:
        for (_stream, seq), held in sorted(self.waits.items()):
            event = decode(*held)
            if event.account_id in into:
                into[event.account_id].waiting.append(Waiting(seq, event))

    async def revision(self, _: object) -> int:
        return len(self.imports) + len(self.activations) + len(self.terms)

    async def book(self, _: object, _revision: int) -> Contracts:
        return self._book

    async def rosters(
        self, _: object, accounts: Sequence[str], _revision: int
    ) -> dict[str, Roster]:
        return {account: self._roster(account) for account in accounts}

    def _roster(self, account: str) -> Roster:
        """The facts of an account; found once as long as nothing is imported."""
        seen = (len(self.imports), len(self.activations))
        held = self._rosters.get(account)
        if held is None or held[0] != seen:
            found = roster(self.imports, account, activations=self.activations)
            held = self._rosters[account] = (seen, found)
        return held[1]

    # what the adapters' save does

    def save(self, decided: Decided, recorded: Mapping[Place, Recorded]) -> None:
        for account in decided.accounts:
            for found in account.purchases.values():
                if found.changed:
                    place = (found.stream_id, found.number)
                    entry = (found.account_id, found.issuer_id, found.key, found.body())
                    self.purchases[place] = entry
                    for exact in found.exact_keys():
                        carried = (found.account_id, found.issuer_id, exact)
                        self.exact.setdefault(carried, set()).add(place)
            for key, total in account.totals.items():
                if total.changed:
                    value = (total.unit, total.total, total.granted)
                    self.totals[account.account_id, key] = value
                    if total.scope:
                        self.scopes[account.account_id, key] = total.scope
            for seq in account.joined:
                self.waits.pop((account.stream_id, seq), None)
            for seq in account.waiting:
                if (account.stream_id, seq) in recorded:
                    one = recorded[account.stream_id, seq]
                    self.waits[account.stream_id, seq] = (one.body, declaration(one.event))


def roster(
    imports: Sequence[Sequence[Row]], account: str, *, activations: Sequence[Sequence[Row]] = ()
) -> Roster:
    """The facts of an account, as the commands and the fact store bring them in."""
    current: dict[tuple[str, str, str, date], MemberRow] = {}
    dates: list[AccountDates] = []
    for revision, rows in enumerate(imports, 1):
        mine = [row for row in rows if row["account_id"] == account]
        for row in (member_of(row, revision) for row in mine):
            held = current.get(row.key)
            if held is None or replace(held, revision=revision) != row:
                current[row.key] = row
        dates += [dates_of(row, revision) for row in mine if DATES[0] in row]
    return Roster.of(
        current.values(),
        dates=dates,
        activations=[
            activation_of(row, revision)
            for revision, rows in enumerate(activations, 1)
            for row in rows
            if row["account_id"] == account
        ],
    )


def member_of(row: Row, revision: int = 0) -> MemberRow:
    """A row of a member import as the commands read it."""
    plain: dict[str, Any] = {name: row[name] for name in HEADER}
    fields = plain | {
        "enrolled_from": date.fromisoformat(plain["enrolled_from"]),
        "enrolled_to": _date(row, "enrolled_to"),
    }
    return MemberRow(**fields, revision=revision)


def dates_of(row: Row, revision: int = 0) -> AccountDates:
    """The dates of its account, where the row has the columns."""
    cycle = row["cycle_day"]
    return AccountDates(
        str(row["account_id"]), _date(row, "opened_on"), _date(row, "closed_on"),
        int(cycle) if cycle else None, revision,
    )  # fmt: skip


def activation_of(row: Row, revision: int = 0) -> Activation:
    """A row of an activation import as the commands read it."""
    on, end = date.fromisoformat(str(row["activated_on"])), row.get("withdrawn_on")
    return Activation(
        str(row["account_id"]), str(row["code"]), on, revision,
        date.fromisoformat(end) if end else None,
    )  # fmt: skip


def _date(row: Row, name: str) -> date | None:
    text = row[name]
    return date.fromisoformat(text) if text else None


@lru_cache(maxsize=4096)
def compiled(text: str) -> Terms:
    """A contract file as the engine runs it; found once."""
    return compile_terms(parse(text, file="test.yaml").contract)
