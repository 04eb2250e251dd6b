"""Closes a period: what is recorded later counts from the first open day, and nothing before
that day changes any more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from services.kernel.errors import InvalidInput, Problem
from services.settlement.evidence import Balance, Closing, PeriodStore

_PERIOD = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed period with its trial balance; `fresh` is False when it was closed before."""

    closing: Closing
    balances: tuple[Balance, ...]
    fresh: bool


async def close(period: str, *, by: str, on: date, store: PeriodStore) -> Closed:
    """Close a calendar month and all before it, once.

    Raises InvalidInput for a month that is not over on `on`, and for one before a closed one.
    """
    problems = []
    if not by.strip():
        problems.append(Problem("say who closes", field="--by", value=by))
    if not _PERIOD.fullmatch(period):
        problems.append(Problem("is no month as 2026-03", field="PERIOD", value=period))
    if problems:
        raise InvalidInput(problems)
    closings = {closing.period: closing for closing in await store.closings()}
    fresh = period not in closings
    if fresh:
        last = max(closings, default="")
        if period < last:
            why = f"{last} is closed, and every month before it"
            raise InvalidInput([Problem(why, field="PERIOD", value=period)])
        if on < _opens_on(period):
            why = f"is not over on {on}"
            raise InvalidInput([Problem(why, field="PERIOD", value=period)])
        await store.close(period, by=by, on=on)
        closings = {closing.period: closing for closing in await store.closings()}
    return Closed(closings[period], tuple(await store.balances(period)), fresh)


def _opens_on(period: str) -> date:
    year, month = int(period[:4]), int(period[5:])
    return date(year + month // 12, month % 12 + 1, 1)
