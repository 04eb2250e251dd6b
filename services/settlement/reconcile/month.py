"""The period that is reconciled: one month, because books are closed by the month."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from services.kernel.errors import InvalidInput, Problem

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Month:
    """Both dates are inclusive."""

    name: str
    first: date
    last: date


def read_month(text: str) -> Month:
    """`2026-03`. Raises InvalidInput for anything else."""
    found = _MONTH.fullmatch(text)
    if found is None or int(found[1]) < 1:
        why = "is no month: give one such as 2026-03"
        raise InvalidInput([Problem(why, field="--period", value=text)])
    year, month = int(found[1]), int(found[2])
    return Month(text, date(year, month, 1), date(year, month, monthrange(year, month)[1]))
