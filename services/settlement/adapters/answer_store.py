"""The files of answers: kept as they came, or sealed where they may name accounts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from datetime import date
from typing import Any

from services.kernel.errors import InvalidInput, Problem
from services.kernel.finding import Finding
from services.runtime.database import Connection
from services.runtime.named_queries import load_queries
from services.runtime.sealing import Opener, Sealer
from services.settlement.exchange.acknowledge import Incoming

_sql = load_queries("services.settlement.adapters", "answer_store.sql")
FAULTS_MAX = 10
DIGITS_MIN = 8


class PostgresAnswerStore:
    """Over one connection. `sealer` is asked for only when there is something to seal."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def keep(
        self,
        incoming: Incoming,
        *,
        partner: str,
        layout: str,
        sealer: Callable[[], Sealer] | None,
        by: str,
        on: date,
    ) -> None:
        """Keep the bytes, once; sealed when there is a sealer."""
        content = incoming.content if sealer is None else sealer().seal(incoming.content)
        await self._connection.execute(
            _sql.keep, partner, incoming.sha256, incoming.name, layout, len(incoming.content), by,
            on, sealer is not None, content,
        )  # fmt: skip

    async def listed(self, partner: str | None) -> list[dict[str, Any]]:
        """What is kept, the newest first."""
        return [dict(row) for row in await self._connection.fetch(_sql.listed, partner)]

    async def merges(self, numbers: Collection[tuple[str, str]]) -> list[dict[str, Any]]:
        """Where merges lead from numbers, each a (partner, number); the oldest first."""
        partners, known = [one for one, _ in numbers], [one for _, one in numbers]
        return [dict(row) for row in await self._connection.fetch(_sql.merges, partners, known)]

    async def content(self, digits: str, opener: Opener | None) -> tuple[str, bytes]:
        """The name and the bytes of the file whose sha256 begins so.

        Raises InvalidInput when there is none or are several, when its bytes were never kept,
        when nothing here opens it, and when it is not what came.
        """
        rows = await self._connection.fetch(_sql.found, digits)
        if len(rows) != 1 or len(digits) < DIGITS_MIN:
            why = f"must be the sha256 of one answer, at least {DIGITS_MIN} digits of it"
            raise _wrong(why, digits)
        (row,) = rows
        if row["content"] is None:
            raise _wrong("came before the bytes of answers were kept", digits)
        if row["is_sealed"] and opener is None:
            why = "is sealed: set it to the private key of the payout table"
            raise InvalidInput([Problem(why, field="MILEPOST_PAYOUT_IDENTITY_FILE")])
        plain = opener.open(row["content"]) if opener and row["is_sealed"] else row["content"]
        if fault := _fault(row, plain):
            raise _wrong(fault, digits)
        return row["name"], plain

    async def sealed_finding(self, opener: Opener) -> Finding:
        """Whether every sealed file is, opened, the one that came."""
        checked, last, faults = 0, "", list[str]()
        while rows := await self._connection.fetch(_sql.sealed, last):
            for row in rows:
                faults += filter(None, [self._opened(row, opener)])
            checked, last = checked + len(rows), rows[-1]["sha256"]
        detail = "; ".join(faults[:FAULTS_MAX])
        return Finding("settlement-answer-bytes", not faults, checked, detail)

    @staticmethod
    def _opened(row: Any, opener: Opener) -> str:
        try:
            return _fault(row, opener.open(row["content"]))
        except InvalidInput:
            return f"answer {row['sha256'][:12]} of {row['partner']} cannot be opened"


def _fault(row: Any, plain: bytes) -> str:
    if hashlib.sha256(plain).hexdigest() == row["sha256"] and len(plain) == row["bytes"]:
        return ""
    return f"answer {row['sha256'][:12]} of {row['partner']} is not the file that came"


def _wrong(why: str, value: str) -> InvalidInput:
    return InvalidInput([Problem(why, field="SHA256", value=value)])
