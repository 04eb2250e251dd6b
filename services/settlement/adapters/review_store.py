"""What a person must look at: accounts to be changed, and answers that are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from services.runtime.database import Connection
from services.runtime.named_queries import load_queries
from services.runtime.sealing import Opener, Sealer
from services.settlement.batches.batch import Header
from services.settlement.exchange.answers import Change
from services.settlement.ports import AskedChange, Unanswered

_sql = load_queries("services.settlement.adapters", "review_store.sql")


class PostgresReviewStore:
    """ChangeStore and ReviewStore. `sealer` is asked for only when there is something to seal."""

    def __init__(self, connection: Connection, sealer: Callable[[], Sealer] | None = None) -> None:
        self._connection = connection
        self._sealer = sealer

    async def propose(self, header: Header, changes: Sequence[Change], *, by: str, on: date) -> int:
        """Keep what a bank asks for, sealed; gives how many are new."""
        if not changes:
            return 0
        if self._sealer is None:
            raise AssertionError("a store without a key keeps no accounts")
        sealer = self._sealer()
        fresh = 0
        for change in changes:
            fresh += bool(await self._connection.fetchval(
                _sql.propose, header.batch, change.line, change.code, change.account_id,
                sealer.seal(change.corrected.encode()), by, on,
            ))  # fmt: skip
        return fresh

    async def changes(self) -> list[AskedChange]:
        """Those that still wait."""
        return [AskedChange(*row) for row in await self._connection.fetch(_sql.changes)]

    async def change(self, batch: str, line: int, opener: Opener) -> tuple[AskedChange, str] | None:
        """One that still waits, with what the bank asks for; None if nothing does."""
        row = await self._connection.fetchrow(_sql.change, batch, line)
        if row is None:
            return None
        *asked, sealed = row
        return AskedChange(*asked), opener.open(sealed).decode()

    async def unanswered(self, sent_until: date) -> list[Unanswered]:
        """Batches that were sent by a day and are not answered."""
        rows = await self._connection.fetch(_sql.unanswered, sent_until)
        return [
            Unanswered(row["partner"], row["batch"], row["sent_on"], tuple(row["layouts"]))
            for row in rows
        ]
