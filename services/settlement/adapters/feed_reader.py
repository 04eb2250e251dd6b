"""Feed events for a comparison: bodies come in batches, and go on decoded as rows of a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import fastavro

from services.kernel.calendar import instant
from services.kernel.transaction import Kind
from services.runtime.database import Connection
from services.settlement.reconcile.coverage import Span
from services.settlement.reconcile.judge import Unposted

_SCHEMA = fastavro.parse_schema(
    json.loads(resources.files("schemas").joinpath("avro/card-transaction.avsc").read_text("utf-8"))
)
COLUMNS = {
    "issuer": "VARCHAR", "kind": "VARCHAR", "arn": "VARCHAR", "reference": "VARCHAR",
    "event_id": "VARCHAR", "day": "VARCHAR", "amount": "BIGINT", "currency": "VARCHAR",
    "booked": "DATE", "account_id": "VARCHAR",
}  # fmt: skip
"""Column → its type in DuckDB. `amount` is signed: what the cardholder owes more is above zero."""
SIGN = {
    Kind.PRESENTMENT: 1, Kind.PRESENTMENT_REVERSAL: -1, Kind.REFUND: -1, Kind.REFUND_REVERSAL: 1,
    Kind.CHARGEBACK: -1, Kind.CHARGEBACK_REVERSAL: 1,
}  # fmt: skip
"""What a network clears. Authorizations and the issuer's own adjustments are never in its files."""
ROWS_AT_ONCE = 5_000
READ_SECONDS = 3_600
_EPOCH = date(1970, 1, 1)
_BOOKED = list(COLUMNS).index("booked")


async def copy_feed(
    connection: Connection,
    query: str,
    role: str,
    path: Path,
    *,
    issuers: frozenset[str],
    first: date,
    last: date,
) -> dict[str, Span]:
    """Write the cleared events of a role that are booked from `first` to `last` as CSV.

    Inside a transaction, so that the server gives them in batches. Gives for those of
    `issuers` that the feed tells anything of what it covers, in whichever month.
    """
    spans: dict[str, Span] = {}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        bodies: list[bytes] = []
        async for record in connection.cursor(
            query, role, prefetch=ROWS_AT_ONCE, timeout=READ_SECONDS
        ):
            bodies.append(record["body"])
            if len(bodies) >= ROWS_AT_ONCE:
                _write(writer, _cleared(bodies, issuers), first, last, spans)
                bodies.clear()
        _write(writer, _cleared(bodies, issuers), first, last, spans)
    return spans


def _write(
    writer: Any, events: Iterator[Any], first: date, last: date, spans: dict[str, Span]
) -> None:
    """Write the events of these days, and widen the spans by all of them."""
    for row in _rows(events, date.min, date.max):
        issuer, booked = row[0], row[_BOOKED]
        span = spans.get(issuer)
        if span is None:
            spans[issuer] = Span(booked, booked)
        elif not span.first <= booked <= span.last:
            spans[issuer] = Span(min(span.first, booked), max(span.last, booked))
        if first <= booked <= last:
            writer.writerow(row)


def unposted(
    bodies: Iterable[bytes], *, issuers: frozenset[str], first: date, last: date
) -> list[Unposted]:
    """The events of these that concern a partner's month. Authorizations move nothing."""
    return [
        Unposted(row[0], row[1], row[4], row[6], row[7], row[8])
        for row in _rows(_cleared(bodies, issuers), first, last)
    ]


def _cleared(bodies: Iterable[bytes], issuers: frozenset[str]) -> Iterator[Any]:
    """The events of these issuers that a network clears."""
    for body in bodies:
        event: Any = fastavro.schemaless_reader(io.BytesIO(body), _SCHEMA, None)
        if event["kind"] in SIGN and event["issuer_id"] in issuers:
            yield event


def _rows(events: Iterable[Any], first: date, last: date) -> Iterator[tuple[Any, ...]]:
    for event in events:
        sign = SIGN[event["kind"]]
        day = instant(event["occurred_at"]).date()
        posted = event["posted_on"]
        booked = day if posted is None else _EPOCH + timedelta(days=posted)
        if first <= booked <= last:
            yield (
                event["issuer_id"], event["kind"], event["arn"] or "",
                event["scheme_reference"] or "", event["event_id"], day.isoformat(),
                sign * event["billing_amount"], event["billing_currency"], booked,
                event["account_id"],
            )  # fmt: skip
