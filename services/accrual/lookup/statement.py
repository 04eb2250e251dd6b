"""A statement: opening, lines, closing. It adds up, or the books are wrong."""

from __future__ import annotations

import json
import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from services.accrual.lifecycle.net import weigh
from services.accrual.lifecycle.purchase import Purchase
from services.accrual.lookup import history as histories
from services.accrual.lookup.history import History
from services.accrual.lookup.records import EventRow, LookupStore, Movement, Place
from services.accrual.peek import peek
from services.accrual.ports import EventStore, StateStore
from services.kernel.errors import InvalidInput, InvariantViolated, Problem
from services.kernel.transaction import Role
from services.runtime.database import Connection

_YEAR = re.compile(r"[0-9]{4}", re.ASCII)
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})", re.ASCII)


class Period(NamedTuple):
    """Both dates are inclusive."""

    first: date
    last: date


def parse_period(text: str) -> Period:
    """`2026`, `2026-03`, `2026-03-05`, or a range `A..B` of them. Raises InvalidInput."""
    first, dots, last = text.partition("..")
    try:
        start = _span(first)
        end = _span(last) if dots else start
    except ValueError as error:
        why = "is no period: give 2026, 2026-03, 2026-03-05, or a range such as 2026-01..2026-03"
        raise InvalidInput([Problem(why, field="--period", value=text)]) from error
    if end.last < start.first:
        raise InvalidInput([Problem("ends before it begins", field="--period", value=text)])
    return Period(start.first, end.last)


def _span(text: str) -> Period:
    if _YEAR.fullmatch(text):
        return Period(date(int(text), 1, 1), date(int(text), 12, 31))
    if found := _MONTH.fullmatch(text):
        year, month = int(found[1]), int(found[2])
        first = date(year, month, 1)
        return Period(first, first.replace(day=monthrange(year, month)[1]))
    day = date.fromisoformat(text)
    return Period(day, day)


class Line(NamedTuple):
    """What moved on a day; `amount` is signed, in minor units. `cause` is an event's id, a
    command's name, or a batch.
    """

    on: date
    kind: str
    merchant: str | None
    purchase: str | None
    contract: str | None
    rule: str | None
    cause: str
    amount: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One unit of an account over a period: what is not settled, in minor units."""

    unit: str
    opening: int
    lines: tuple[Line, ...]
    closing: int


async def statements(
    connection: Connection,
    account_id: str,
    period: Period,
    *,
    events: EventStore,
    state: StateStore,
    lookups: LookupStore,
) -> list[Statement]:
    """A statement for every unit that the account has ever had.

    Raises InvariantViolated when opening and lines are not the closing balance.
    """
    movements = await lookups.movements(connection, account_id)
    if not movements:
        return []
    stream_id = movements[0].of_stream_id
    history = await histories.read(
        connection, account_id, stream_id=stream_id, events=events, state=state, lookups=lookups
    )
    places = sorted({one.place for one in movements})
    causes = await lookups.events_at(connection, places)
    held = {
        row.unit: row.pending + row.available
        for row in await lookups.balances(connection, account_id, period.last)
    }
    found: list[Statement] = []
    for unit in sorted({one.unit for one in movements}):
        moved = [one for one in movements if one.unit == unit and one.effective_on <= period.last]
        opening = sum(one.amount for one in moved if one.effective_on < period.first)
        lines = _lines([m for m in moved if m.effective_on >= period.first], history, causes)
        closing = held.get(unit, 0)
        if opening + sum(line.amount for line in lines) != closing:
            raise InvariantViolated(
                f"the statement of {account_id} in {unit} does not add up to {closing}"
            )
        found.append(Statement(unit, opening, tuple(lines), closing))
    return found


def _lines(
    movements: list[Movement], history: History, causes: Mapping[Place, EventRow]
) -> list[Line]:
    """One line for each event, purchase and rule; a batch is one line."""
    sums: dict[Line, int] = {}
    merchants: dict[Place, str | None] = {}
    for one in sorted(movements, key=lambda one: (one.effective_on, one.settles, one.place)):
        cause = _cause(causes[one.place])
        if one.settles:
            line = Line(one.effective_on, "settled", None, None, None, None, cause, 0)
        else:
            place = (one.of_stream_id, one.of_purchase)
            purchase = history.numbered(place)
            if place not in merchants:
                merchants[place] = _merchant(history, purchase)
            line = Line(
                one.effective_on, "granted" if one.amount > 0 else "taken back", merchants[place],
                purchase.label if purchase else None, one.contract, one.rule, cause, 0,
            )  # fmt: skip
        sums[line] = sums.get(line, 0) + one.amount
    return [line._replace(amount=amount) for line, amount in sums.items()]


def _merchant(history: History, purchase: Purchase | None) -> str | None:
    """Where the purchase was made, by its facts: the merchant's name, else its id."""
    first = None if purchase is None else weigh(purchase.counted).first
    event = None if first is None else history.events.get(first.seq)
    return None if event is None else event.merchant_name or event.merchant_id


def _cause(row: EventRow) -> str:
    if row.role != Role.COMMAND:
        return peek(row.body)[0]
    inputs = json.loads(row.body)
    return str(inputs.get("batch") or inputs.get("command"))
