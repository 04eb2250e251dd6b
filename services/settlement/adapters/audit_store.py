"""The invariants of settlement that one statement can show."""

from __future__ import annotations

from collections.abc import Sequence

from services.runtime.database import Connection
from services.runtime.named_queries import load_queries

_sql = {
    **load_queries("services.settlement.adapters", "audit_store.sql"),
    **load_queries("services.settlement.adapters", "discrepancy_audit.sql"),
}

AUDIT_SECONDS = 3_600


class PostgresAuditStore:
    """AuditStore over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def ask(self, question: str, *, faults_max: int) -> tuple[int, Sequence[str]]:
        """How many rows were checked, and the first faults in words."""
        row = await self._connection.fetchrow(_sql[question], faults_max, timeout=AUDIT_SECONDS)
        if row is None:
            raise LookupError(question)
        return row["checked"], row["faults"]
