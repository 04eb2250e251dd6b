"""The audit rows and the chain over them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from services.runtime.database import Connection, copy_rows
from services.runtime.named_queries import load_queries
from services.settlement.batches.batch import Head
from services.settlement.batches.chain import GENESIS, AuditRow, Link
from services.settlement.evidence import KeptHead

_sql = load_queries("services.settlement.adapters", "chain_store.sql")

LINKS_MAX = 5_000
_COLUMNS = ("nth", "id", "previous", "link")


class PostgresChainStore:
    """ChainStore over one connection; sealing needs a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock(self) -> bool:
        """Become the one sealer to the end of the transaction."""
        mine: bool = await self._connection.fetchval(_sql.lock)
        return mine

    async def head(self) -> Head:
        """The last link, or what the first one follows."""
        row = await self._connection.fetchrow(_sql.head)
        return Head(*row) if row is not None else GENESIS

    async def unsealed(self, *, older_seconds: int, rows_max: int) -> list[AuditRow]:
        """Rows without a link that are old enough, in order."""
        rows = await self._connection.fetch(_sql.unsealed, older_seconds, rows_max)
        return [AuditRow(*row) for row in rows]

    async def add(self, links: Sequence[Link]) -> None:
        """Append links."""
        await copy_rows(
            self._connection,
            table="audit_link",
            columns=_COLUMNS,
            rows=[link[:4] for link in links],
        )

    async def links(self) -> AsyncIterator[Link]:
        """The whole chain in order, each link with its row."""
        last = 0
        while True:
            rows = await self._connection.fetch(_sql.links, last, LINKS_MAX)
            for row in rows:
                audited = AuditRow(*row[4:]) if row["id"] is not None else None
                yield Link(row["nth"], row["link_id"], row["previous"], row["link"], audited)
            if len(rows) < LINKS_MAX:
                return
            last = rows[-1]["nth"]

    async def heads(self) -> list[KeptHead]:
        """The heads that were kept with batches and deliveries."""
        rows = await self._connection.fetch(_sql.heads)
        return [KeptHead(row[0], row[1], Head(row[2], row[3])) for row in rows]

    async def rows(
        self, *, subject: str | None, actor: str | None, rows_max: int
    ) -> list[dict[str, Any]]:
        """What was done, latest first."""
        rows = await self._connection.fetch(_sql.rows, subject, actor, rows_max)
        return [{**dict(row), "detail": json.loads(row["detail"])} for row in rows]
