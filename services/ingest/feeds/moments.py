"""Instants and dates as feeds write them.

Both lie in 1970-01-01 … 2999-12-31: no card purchase is older, and a later year is a filler such
as 9999-12-31, which would overflow once days are added to it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]"
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()

LAST_DAY = date(2999, 12, 31).toordinal() - _EPOCH_DAY
"""The last date, in days since the epoch."""
LAST_MICROS = (LAST_DAY + 1) * 86_400_000_000 - 1
"""The last instant, in microseconds since the epoch."""


def instant(text: str) -> int | None:
    """Microseconds since the epoch of an RFC 3339 text with offset; None when it is none.

    Digits finer than a microsecond are cut off. A leap second (`:60`) is no instant here.
    """
    if _INSTANT.fullmatch(text) is None:
        return None
    try:
        since = datetime.fromisoformat(text.upper()) - _EPOCH
    except ValueError:
        return None
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return micros if 0 <= micros <= LAST_MICROS else None


@lru_cache(maxsize=4096)
def day(text: str) -> int | None:
    """Days since the epoch of an ISO date (`2026-03-05`); None when it is none."""
    if _DATE.fullmatch(text) is None:
        return None
    try:
        days = date.fromisoformat(text).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    return days if 0 <= days <= LAST_DAY else None
