"""Sealed batches: read back whole, and given their files and approvals."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import asyncpg

from services.kernel.errors import InvalidInput, Problem
from services.runtime.database import Connection
from services.runtime.named_queries import load_queries
from services.runtime.sealing import Opener
from services.settlement.adapters import payout_store
from services.settlement.adapters.source_event import describe
from services.settlement.batches.batch import Flow, Header, Sealed, Written
from services.settlement.batches.draft import Entry
from services.settlement.batches.line import Line
from services.settlement.batches.payout import Payouts
from services.settlement.batches.reason import Cause, reason
from services.settlement.batches.terms import TermsBook, read_terms
from services.settlement.billing.price import Granted
from services.settlement.files.payout import ENDINGS

_sql = load_queries("services.settlement.adapters", "batch_store.sql")

READ_SECONDS = 600
FOUR_EYES = "settlement_approval_four_eyes"
APPROVED_ONCE = "settlement_approval_pkey"
LEFT_ONCE = "settlement_state_left_once"


class PostgresBatchStore:
    """BatchStore and DetailStore over one connection. `opener` opens the payout table."""

    def __init__(self, connection: Connection, opener: Opener | None = None) -> None:
        self._connection = connection
        self._opener = opener

    async def headers(
        self, *, partner: str | None = None, batch: str | None = None
    ) -> list[Header]:
        """Batches in order of partner and sequence."""
        rows = await self._connection.fetch(_sql.headers, partner, batch)
        return [_header(row) for row in rows]

    async def load(self, header: Header) -> Sealed:
        """A batch with its lines, what it posted, and the clauses it was sealed under."""
        lines = await self._connection.fetch(_sql.lines, header.batch, timeout=READ_SECONDS)
        flows = await self._connection.fetch(_sql.flows, header.batch, timeout=READ_SECONDS)
        sealed = Sealed(
            header=header,
            lines=tuple(Line(*row) for row in lines),
            flows=tuple(Flow(*row) for row in flows),
            terms=await self.terms(header.partner),
        )
        return replace(sealed, payouts=await self._payouts(sealed))

    async def _payouts(self, sealed: Sealed) -> Payouts | None:
        """Where the members of a batch are paid; not asked where no file pays them."""
        paid = {line.account_id for line in sealed.lines
                if sealed.terms_of(line).layout in ENDINGS}  # fmt: skip
        if not paid or self._opener is None:
            return None
        header = sealed.header
        return await payout_store.book(
            self._connection, self._opener, partner=header.partner, facts=header.facts,
            accounts=paid,
        )  # fmt: skip

    async def terms(self, partner: str) -> TermsBook:
        """The clauses of every version signed with the partner."""
        rows = await self._connection.fetch(_sql.terms, partner)
        return {
            (row["contract"], row["version"]): read_terms(
                row["contract"], row["version"], json.loads(row["terms"])
            )
            for row in rows
        }

    async def unannounced(self) -> list[str]:
        """Batches whose present state has not been announced."""
        return [row["batch"] for row in await self._connection.fetch(_sql.unannounced)]

    async def announced(self, batch: str, state: str) -> None:
        """A batch's state has been announced."""
        await self._connection.execute(_sql.announced, batch, state)

    async def files(self, batch: str) -> list[Written]:
        """What was stored of the batch's files."""
        rows = await self._connection.fetch(_sql.files, batch)
        return [Written(**{**dict(row), "totals": json.loads(row["totals"])}) for row in rows]

    async def save_files(self, batch: str, files: Sequence[Written]) -> None:
        """Store what the files are, once."""
        await self._connection.executemany(
            _sql.add_file, [(batch, *file[:5], json.dumps(file.totals)) for file in files]
        )

    async def approve(self, header: Header, *, approver: str, on: date) -> None:
        """Record the approval, or say why the database refuses it."""
        try:
            await self._connection.execute(_sql.approve, header.batch, approver, on)
        except asyncpg.IntegrityConstraintViolationError as error:
            why = _refusal(error.constraint_name, header)
            if why is None:
                raise
            raise InvalidInput([Problem(why, field="--approver", value=approver)]) from error

    async def granted(self, batch: str) -> list[Granted]:
        """What the batch's rewards were granted as, by version and rule."""
        rows = await self._connection.fetch(_sql.granted, batch, timeout=READ_SECONDS)
        return [Granted(*row) for row in rows]

    async def lines(self, batch: str, line: int) -> list[dict[str, Any]]:
        """A line and the other pieces of its sum."""
        return [dict(row) for row in await self._connection.fetch(_sql.pieces, batch, line)]

    async def sources(self, batch: str, lines: Sequence[int]) -> list[dict[str, Any]]:
        """The transfers that hang on these lines, each with what its cause says."""
        rows = await self._connection.fetch(_sql.sources, batch, lines)
        return [_source(dict(row)) for row in rows]

    async def reasons(self, batch: str | None = None) -> dict[tuple[str, int], str]:
        """Why lines of a batch, or of all, change an earlier one, by batch and line."""
        causes: dict[tuple[str, int], list[Cause]] = {}
        for row in await self._connection.fetch(_sql.causes, batch, timeout=READ_SECONDS):
            event = describe(row["body"], row["role"])
            cause = Cause(event.get("kind"), event.get("command"), row["moved"])
            causes.setdefault((row["batch"], row["line"]), []).append(cause)
        return {place: reason(found) for place, found in causes.items()}

    async def export(self) -> list[tuple[Any, ...]]:
        """Every line that stood in a file; last, why it changes an earlier one, if it does."""
        reasons = await self.reasons()
        rows = await self._connection.fetch(_sql.export, timeout=READ_SECONDS)
        return [(*row, reasons.get((row["batch"], row["line"]))) for row in rows]


def _header(row: asyncpg.Record) -> Header:
    return Header(
        **{
            **dict(row),
            "vector": json.loads(row["vector"]),
            "totals": json.loads(row["totals"]),
            "held": tuple(Entry(**entry) for entry in json.loads(row["held"])),
            "carried": tuple(Entry(**entry) for entry in json.loads(row["carried"])),
        }
    )


def _refusal(constraint: str | None, header: Header) -> str | None:
    if constraint == FOUR_EYES:
        return (
            f"{header.batch} was sealed by {header.sealed_by!r}, the same person: "
            "somebody else must approve it"
        )
    if constraint == LEFT_ONCE:
        return f"{header.batch} has been withdrawn meanwhile"
    if constraint == APPROVED_ONCE:
        return f"{header.batch} has been approved meanwhile"
    return None


def _source(row: dict[str, Any]) -> dict[str, Any]:
    body, role = row.pop("body"), row["role"]
    return {**row, "event": describe(body, role)}
