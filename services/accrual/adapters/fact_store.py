"""Facts as of a revision: approved contracts and accounts, cached between batches."""

from __future__ import annotations

from collections.abc import Sequence

from services.accrual.contracts.book import Book
from services.accrual.contracts.compile import compile_terms
from services.accrual.contracts.parse import recorded
from services.accrual.members.account import AccountDates, Activation
from services.accrual.members.roster import MemberRow, Roster
from services.accrual.members.rows import AccountRows
from services.runtime.database import Connection
from services.runtime.named_queries import load_queries

_sql = load_queries("services.accrual.adapters", "fact_store.sql")

ACCOUNTS_CACHED_MAX = 400_000


class FactStore:
    """Reads facts up to a revision. What did not change since the last batch is not read again."""

    def __init__(self) -> None:
        self._revision = -1
        self._book = Book(())
        self._rosters: dict[str, Roster] = {}

    async def revision(self, connection: Connection) -> int:
        """The newest committed revision."""
        found: int = await connection.fetchval(_sql.revision)
        return found

    async def book(self, connection: Connection, revision: int) -> Book:
        """The contracts approved up to `revision`; forgets accounts that changed since."""
        if revision == self._revision:
            return self._book
        rows = await connection.fetch(_sql.approved, revision)
        self._book = Book(
            compile_terms(
                recorded(row["document"], file=f"{row['contract']}/{row['version']}").contract
            )
            for row in rows
        )
        if revision > self._revision >= 0:
            for row in await connection.fetch(_sql.changed_since, self._revision, revision):
                self._rosters.pop(row["account_id"], None)
        else:
            self._rosters.clear()
        self._revision = revision
        return self._book

    async def rosters(
        self, connection: Connection, accounts: Sequence[str], revision: int
    ) -> dict[str, Roster]:
        """The facts of accounts as of the revision that `book` was asked for."""
        missing = [account for account in accounts if account not in self._rosters]
        if missing:
            if len(self._rosters) + len(missing) > ACCOUNTS_CACHED_MAX:
                self._rosters.clear()
                missing = list(accounts)
            rows = {account: AccountRows() for account in missing}
            for row in await connection.fetch(_sql.members, missing, revision):
                rows[row["account_id"]].members.append(MemberRow(**dict(row)))
            for row in await connection.fetch(_sql.dates, missing, revision):
                rows[row["account_id"]].dates.append(AccountDates(**dict(row)))
            for row in await connection.fetch(_sql.activations, missing, revision):
                rows[row["account_id"]].activations.append(Activation(**dict(row)))
            for account, found in rows.items():
                self._rosters[account] = Roster.of(
                    found.members, dates=found.dates, activations=found.activations
                )
        return {account: self._rosters[account] for account in accounts}
