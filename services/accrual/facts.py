"""The use cases that change facts: contracts, members, activations, and deciding anew."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

from services.accrual.members.account import AccountDates, Activation
from services.accrual.members.roster import MemberRow
from services.accrual.members.rows import AccountRows
from services.accrual.ports import Version
from services.accrual.reconsider import (
    ACCOUNTS_MAX,
    Difference,
    Reconsideration,
    by_stream,
    lock_streams,
)
from services.kernel.errors import InvalidInput, Problem
from services.runtime.database import Connection, Database

STATEMENT_SECONDS = 600


class NeedsRetroactive(Exception):
    """The approval would change decided purchases; `--retroactive` says that this is wanted."""

    def __init__(self, difference: Difference) -> None:
        self.difference = difference
        super().__init__(f"{len(difference.purchases)} decided purchases would change")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: rows added, rows that held already, accounts whose dates are new or
    other, and what it posted.
    """

    added: int
    unchanged: int
    dated: int
    difference: Difference


@dataclass(frozen=True, slots=True)
class Facts:
    """The commands over facts, each in transactions of its own.

    `by` is who gives them, where a command does not say so itself; None where nobody was named.
    """

    database: Database
    reconsideration: Reconsideration
    by: str | None = None

    async def import_members(
        self, rows: Sequence[MemberRow], dates: Sequence[AccountDates] = (), *, on: date
    ) -> Imported:
        """Append rows and dates that are new or other than what holds, and decide their accounts
        anew.
        """
        found = AccountRows(list(rows), list(dates))
        added, difference = await self._import(found, "member-import", on)
        new = len(added.members)
        return Imported(new, len(rows) - new, len(added.dates), difference)

    async def import_activations(
        self, rows: Sequence[Activation], *, on: date, ends: bool = True
    ) -> Imported:
        """Append activations that are new or end on another day, and decide their accounts anew.

        Without `ends` nothing is said about ends: activations that are known stay as they are.
        """
        found = AccountRows(activations=list(rows), ends=ends)
        added, difference = await self._import(found, "activation-import", on)
        new = len(added.activations)
        return Imported(new, len(rows) - new, 0, difference)

    async def _import(
        self, rows: AccountRows, command: str, on: date
    ) -> tuple[AccountRows, Difference]:
        """What was new of the rows, and what it posted."""
        added, difference = AccountRows(), Difference()
        for part in rows.parts(ACCOUNTS_MAX):
            fresh = await self._import_part(part, command, on, difference)
            added.members.extend(fresh.members)
            added.dates.extend(fresh.dates)
            added.activations.extend(fresh.activations)
        return added, difference

    async def _import_part(
        self, rows: AccountRows, command: str, on: date, difference: Difference
    ) -> AccountRows:
        commands = self.reconsideration.commands
        async with self._transaction() as connection:
            streams = await self.reconsideration.streams(connection)
            accounts = rows.accounts
            await lock_streams(connection, by_stream(accounts, streams))
            fresh = rows.beyond(await commands.current_rows(connection, accounts))
            changed = by_stream(fresh.accounts, streams)
            if not changed:
                return fresh
            revision = await commands.next_revision(connection)
            await commands.save_rows(connection, fresh.at(revision))
            found = await self.reconsideration.run(
                connection, changed, inputs={"command": command}, on=on, revision=revision
            )
        difference.purchases |= found.purchases
        _add(difference.granted, found.granted)
        _add(difference.taken_back, found.taken_back)
        return fresh

    async def apply_contract(self, version: Version) -> bool:
        """Append a version; False when the very same document is there already."""
        commands = self.reconsideration.commands
        name = f"{version.contract}/{version.version}"
        async with self._transaction() as connection:
            revision = await commands.next_revision(connection)
            for held in await commands.versions(connection):
                if (held["contract"], held["version"]) != (version.contract, version.version):
                    continue
                if held["sha256"] == version.sha256:
                    return False
                why = "is applied already with other terms: raise `version` for new terms"
                raise InvalidInput([Problem(why, field=name)])
            await commands.apply_contract(connection, version, revision)
        return True

    async def approve_contract(
        self, contract: str, version: int, *, approver: str, on: date, retroactive: bool
    ) -> Difference:
        """Approve a version and decide the issuer's purchases anew.

        Raises NeedsRetroactive, with nothing done, when decided purchases would change and
        `retroactive` is False.
        """
        commands = self.reconsideration.commands
        async with self._transaction() as connection:
            streams = await self.reconsideration.streams(connection)
            await lock_streams(connection, streams)
            revision = await commands.next_revision(connection)
            await commands.approve_contract(
                connection, contract, version, approver=approver, revision=revision, on=on
            )
            accounts = await self._of_contract(connection, contract, streams)
            difference = await self.reconsideration.run(
                connection, accounts, on=on, revision=revision,
                inputs={"command": "contract-approve", "contract": contract, "version": version},
            )  # fmt: skip
            if difference.purchases and not retroactive:
                raise NeedsRetroactive(difference)
        return difference

    async def reconsider_account(self, account: str, *, on: date) -> Difference:
        """Decide one account anew, events whose decision broke included."""
        async with self._transaction() as connection:
            streams = await self.reconsideration.streams(connection)
            accounts = by_stream([account], streams)
            inputs = {"command": "reconsider-account", "account": account}
            return await self._reconsider(connection, accounts, inputs, on)

    async def reconsider_contract(self, contract: str, *, on: date) -> Difference:
        """Decide every account of a contract's issuer anew."""
        async with self._transaction() as connection:
            streams = await self.reconsideration.streams(connection)
            accounts = await self._of_contract(connection, contract, streams)
            inputs = {"command": "reconsider-contract", "contract": contract}
            return await self._reconsider(connection, accounts, inputs, on)

    async def _reconsider(
        self,
        connection: Connection,
        accounts: dict[int, list[str]],
        inputs: dict[str, str],
        on: date,
    ) -> Difference:
        await lock_streams(connection, accounts)
        revision = await self.reconsideration.decider.facts.revision(connection)
        return await self.reconsideration.run(
            connection, accounts, inputs=inputs, on=on, revision=revision
        )

    async def _of_contract(
        self, connection: Connection, contract: str, streams: Sequence[int]
    ) -> dict[int, list[str]]:
        commands = self.reconsideration.commands
        held = [row for row in await commands.versions(connection) if row["contract"] == contract]
        if not held:
            raise InvalidInput([Problem("is not known", field="contract", value=contract)])
        issuer = held[0]["issuer"]
        return {
            stream_id: await commands.accounts_of(connection, stream_id, issuer)
            for stream_id in streams
        }

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        async with self.database.transaction(
            statement_seconds=STATEMENT_SECONDS, lock_seconds=STATEMENT_SECONDS
        ) as connection:
            if self.by is not None:
                await self.reconsideration.commands.act(connection, self.by)
            yield connection


def _add(sums: dict[str, int], more: dict[str, int]) -> None:
    for unit, amount in more.items():
        sums[unit] = sums.get(unit, 0) + amount
