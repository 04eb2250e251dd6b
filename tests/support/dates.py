"""The naive model of dates, versions and members: plain documents and rows, no clock, no compiling.

The card product of a token's row is looked for over all programmes, whatever `enrolled_to` says:
the row with the greatest `enrolled_from` by the day, the latest revision among equals. All rows of
one import have one revision, and importing a row that holds already changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.kernel.transaction import CardTransaction

Document = Mapping[str, Any]
Row = Mapping[str, str | None]

KEY = ("account_id", "card_token", "program", "enrolled_from")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def governing_date(document: Document, facts: CardTransaction) -> date | None:
    """The date that decides about version, period and enrolment; None: posting date missing."""
    if document["governing_date"] == "posting":
        return posting_date(facts)
    moment = _EPOCH + timedelta(microseconds=facts.occurred_at)
    local = moment.astimezone(ZoneInfo(document["zone"]))
    hours, minutes = document["day_ends"].split(":")
    over = local.hour * 60 + local.minute >= int(hours) * 60 + int(minutes)
    return local.date() + timedelta(days=1 if over else 0)


def posting_date(facts: CardTransaction) -> date | None:
    """The posting date as a date."""
    return None if facts.posted_on is None else _EPOCH.date() + timedelta(days=facts.posted_on)


def available_on(document: Document, facts: CardTransaction, day: date) -> date:
    """When the reward may be settled."""
    start = posting_date(facts) or day
    return start + timedelta(days=int(document["release"]["days"]))


def version_of(documents: Sequence[Document], day: date) -> Document | None:
    """The highest version whose term holds the day."""
    holding = [
        document
        for document in documents
        if date.fromisoformat(str(document["term"]["from"]))
        <= day
        <= date.fromisoformat(str(document["term"]["to"]))
    ]
    return max(holding, key=lambda document: int(document["version"]), default=None)


def period_of(day: date, per: str) -> str:
    """The name of the period of a total."""
    names = {"day": day.isoformat(), "month": day.isoformat()[:7], "year": day.isoformat()[:4]}
    return names.get(per, "lifetime")


# ── members ─────────────────────────────────────────────────────────────────────────────────


def current_rows(imports: Sequence[Sequence[Row]]) -> list[tuple[int, Row]]:
    """The rows that hold, with the import that brought them: other values of a key replace it."""
    latest: dict[tuple[str | None, ...], tuple[int, Row]] = {}
    for revision, rows in enumerate(imports):
        for row in rows:
            key = tuple(row[name] for name in KEY)
            if key not in latest or latest[key][1] != row:
                latest[key] = (revision, row)
    return list(latest.values())


def enrolled(rows: Sequence[tuple[int, Row]], account: str, program: str, day: date) -> bool:
    """Whether any current row of the account in the programme holds the day."""
    return any(
        row["account_id"] == account
        and row["program"] == program
        and str(row["enrolled_from"]) <= day.isoformat() <= (row["enrolled_to"] or "9999-12-31")
        for _, row in rows
    )


def product_of(rows: Sequence[tuple[int, Row]], facts: CardTransaction, day: date) -> str | None:
    """The event's own card product, else that of the token's latest row by the day."""
    if facts.card_product is not None:
        return facts.card_product
    begun = [
        (str(row["enrolled_from"]), revision, row["card_product"] or None)
        for revision, row in rows
        if row["account_id"] == facts.account_id
        and row["card_token"] == facts.card_token
        and str(row["enrolled_from"]) <= day.isoformat()
    ]
    return max(begun, key=lambda found: found[:2])[2] if begun else None
