"""The rows of several accounts together: what a file brings, or what holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from services.accrual.members.account import AccountDates, Activation
from services.accrual.members.roster import MemberRow, Row


@dataclass(frozen=True, slots=True)
class AccountRows:
    """Member rows, dates and activations of accounts. Without `ends` a file says nothing about
    when activations end: those that are known stay as they are.
    """

    members: list[MemberRow] = field(default_factory=list)
    dates: list[AccountDates] = field(default_factory=list)
    activations: list[Activation] = field(default_factory=list)
    ends: bool = True

    @property
    def accounts(self) -> list[str]:
        """The accounts that have a row, sorted."""
        found = {row.account_id for row in self.members}
        found.update(row.account_id for row in self.dates)
        found.update(row.account_id for row in self.activations)
        return sorted(found)

    def parts(self, accounts_max: int) -> Iterator[AccountRows]:
        """The same rows in parts of at most so many accounts, in the order of the accounts."""
        accounts = self.accounts
        part_of = {account: at // accounts_max for at, account in enumerate(accounts)}
        found = [AccountRows(ends=self.ends) for _ in range(0, len(accounts), accounts_max)]
        for member in self.members:
            found[part_of[member.account_id]].members.append(member)
        for dates in self.dates:
            found[part_of[dates.account_id]].dates.append(dates)
        for activation in self.activations:
            found[part_of[activation.account_id]].activations.append(activation)
        yield from found

    def beyond(self, held: AccountRows) -> AccountRows:
        """The rows that say other than what holds. Unknown dates of an account that has none are
        nothing new.
        """
        known = {row.account_id for row in held.dates}
        unsaid = [AccountDates(row.account_id) for row in self.dates if row.account_id not in known]
        return AccountRows(
            _beyond(self.members, held.members),
            _beyond(self.dates, [*held.dates, *unsaid]),
            _beyond(self._told(held), held.activations),
            self.ends,
        )

    def _told(self, held: AccountRows) -> list[Activation]:
        """The activations of which something is said that may be new."""
        known = set() if self.ends else {row.key for row in held.activations}
        return [row for row in self.activations if row.key not in known]

    def at(self, revision: int) -> AccountRows:
        """The same rows as they are recorded at a revision."""
        return AccountRows(
            [replace(row, revision=revision) for row in self.members],
            [replace(row, revision=revision) for row in self.dates],
            [replace(row, revision=revision) for row in self.activations],
            self.ends,
        )


def _beyond(rows: list[Row], held: list[Row]) -> list[Row]:
    known = {row.key: row for row in held}
    return [
        row
        for row in rows
        if row.key not in known or replace(known[row.key], revision=row.revision) != row
    ]
