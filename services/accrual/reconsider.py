"""Commands that change the facts, or ask for purchases to be decided anew.

Each locks the positions of all streams concerned, appends its facts and one RECONSIDER event a
stream with its inputs, decides, and posts only differences: one database transaction, so no
batch can miss a change that its reconsideration did not see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.accrual.batch import Decided
from services.accrual.deciding import Decider, Sources
from services.accrual.ledger import chart
from services.accrual.ports import CommandStore, LedgerStore
from services.runtime.database import Connection
from services.runtime.producer import partition_for
from services.runtime.stream_position import draw, lock

ACCOUNTS_MAX = 2_000
"""Accounts that one transaction of an import, or one event, concerns."""


@dataclass(slots=True)
class Difference:
    """What a command posted: purchases that changed, and by how much, by unit."""

    purchases: set[tuple[int, int]] = field(default_factory=set)
    granted: dict[str, int] = field(default_factory=dict)
    taken_back: dict[str, int] = field(default_factory=dict)

    def absorb(self, decided: Decided) -> None:
        """Count the transfers of another part. A fee goes to no member: it is no reward."""
        for transfer in decided.transfers:
            self.purchases.add((transfer.of_stream_id, transfer.of_purchase))
            member = chart.member(transfer.account_id)
            if member not in (transfer.credit, transfer.debit):
                continue
            sums = self.granted if transfer.credit == member else self.taken_back
            sums[transfer.unit] = sums.get(transfer.unit, 0) + transfer.amount


@dataclass(frozen=True, slots=True)
class Reconsideration:
    """Decides accounts anew inside a transaction that has locked their streams."""

    decider: Decider
    ledger: LedgerStore
    commands: CommandStore

    async def streams(self, connection: Connection) -> list[int]:
        """The stream of each partition of `card-transactions`."""
        return await self.commands.card_streams(connection)

    async def run(
        self,
        connection: Connection,
        accounts: Mapping[int, Sequence[str]],
        *,
        inputs: Mapping[str, Any],
        on: date,
        revision: int,
    ) -> Difference:
        """Append RECONSIDER events for the accounts of each stream, and what they post.

        Streams without accounts get an event too: the record shows that the command passed.
        """
        difference = Difference()
        for stream_id in sorted(accounts):
            chosen = list(accounts[stream_id])
            for part in _chunks(chosen) or [[]]:
                seq = await draw(connection, stream_id, 1)
                decided = await self._one(
                    connection, part, stream_id=stream_id, seq=seq, on=on, revision=revision
                )
                recorded = {**inputs, "on": on.isoformat(), "accounts": part}
                await self.commands.save_command(
                    connection, stream_id=stream_id, seq=seq, on=on, inputs=recorded,
                    revision=revision,
                )  # fmt: skip
                difference.absorb(decided)
        return difference

    async def _one(
        self,
        connection: Connection,
        accounts: list[str],
        *,
        stream_id: int,
        seq: int,
        on: date,
        revision: int,
    ) -> Decided:
        if not accounts:
            return Decided()
        decided, loaded = await self.decider.reconsider(
            Sources(connection, connection), accounts, stream_id=stream_id, seq=seq, on=on,
            revision=revision,
        )  # fmt: skip
        await self.decider.state.save(connection, decided, {}, loaded)
        await self.ledger.save_transfers(connection, decided.transfers)
        return decided


def by_stream(accounts: Iterable[str], streams: Sequence[int]) -> dict[int, list[str]]:
    """The accounts of each stream, by the hash that the producer uses; sorted."""
    found: dict[int, list[str]] = {}
    for account in sorted(set(accounts)):
        stream_id = streams[partition_for(account.encode(), len(streams))]
        found.setdefault(stream_id, []).append(account)
    return found


async def lock_streams(connection: Connection, streams: Iterable[int]) -> None:
    """Lock the positions of streams to commit, in id order."""
    await lock(connection, streams)


def _chunks(accounts: list[str]) -> list[list[str]]:
    return [accounts[at : at + ACCOUNTS_MAX] for at in range(0, len(accounts), ACCOUNTS_MAX)]
