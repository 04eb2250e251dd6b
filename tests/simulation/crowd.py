"""A crowd of hostile accounts under one set of contracts: what the chaos run streams."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from services.kernel.transaction import FIELDS, CardTransaction
from tests.support import builders
from tests.support.agreements import agreements
from tests.support.dates import Row
from tests.support.dice import SIZE, Dice
from tests.support.histories import Arrives, Imports
from tests.support.strategies import arrivals, imports, purchases

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HEADER = ("member_id", "account_id", "card_token", "card_product", "program", "enrolled_from",
          "enrolled_to", "partner", "membership_number", "opened_on", "closed_on",
          "cycle_day")  # fmt: skip
GARBAGE = (b"\xff\xfe not text", b"{]", b"[1]", b'{"event_id": "x"}', b"")
WANDERS = 1 / 60
"""How many of the events come again with their id and another account, in another stream."""


@dataclass(frozen=True)
class Crowd:
    """Contracts as text, imports in order, and events in the order in which they are sent."""

    contracts: tuple[str, ...]
    imports: tuple[tuple[Row, ...], ...]
    arrivals: tuple[Arrives, ...]


def crowd(seed: int, *, groups: int, terms: int | None = None) -> Crowd:
    """`groups` times two accounts, each with a hostile history of its own.

    The contracts follow from `terms`, else from the seed too.
    """
    chance = random.Random(seed if terms is None else terms)
    documents = [
        builders.as_text(document)
        for name in ("c1", "c2")
        for document in agreements(_dice(chance), name=name, home="NOK")
    ]
    chance = random.Random(seed)
    rows: list[tuple[Row, ...]] = []
    sent: list[tuple[int, int, Arrives]] = []
    for group in range(groups):
        dice = _dice(chance)
        found: list[Imports] = imports(dice)
        rows.extend(tuple(_row(row, group) for row in one.rows) for one in found)
        events: list[CardTransaction] = []
        for number in range(1, 6):
            events += purchases(dice, number=number, home="NOK", others=tuple(events))
        start = chance.randrange(groups)
        for place, arrival in enumerate(arrivals(dice, events)):
            renamed = replace(arrival, event=_renamed(arrival.event, group))
            sent.append((start + place * 3, group, renamed))
            if chance.random() < WANDERS:
                elsewhere = replace(arrival, event=_renamed(arrival.event, group, at=group + 1))
                sent.append((start + place * 3 + chance.randrange(3), group, elsewhere))
    sent.sort(key=lambda entry: entry[:2])
    return Crowd(tuple(documents), tuple(rows), tuple(arrival for _, _, arrival in sent))


def as_json(event: CardTransaction) -> bytes:
    """The event as a line of `milepost-json`."""
    fields: dict[str, Any] = {
        name: value for name in FIELDS if (value := getattr(event, name)) is not None
    }
    moment = EPOCH + timedelta(microseconds=event.occurred_at)
    fields["occurred_at"] = moment.isoformat().replace("+00:00", "Z")
    if event.posted_on is not None:
        fields["posted_on"] = (date(1970, 1, 1) + timedelta(days=event.posted_on)).isoformat()
    return json.dumps(fields).encode()


def as_csv(rows: Sequence[Row]) -> str:
    """Member rows as an import file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows([[row[name] or "" for name in HEADER] for row in rows])
    return text.getvalue()


def chunks(items: Sequence[Any], count: int) -> Iterator[Sequence[Any]]:
    """The items in `count` parts of nearly equal size."""
    for part in range(count):
        yield items[part * len(items) // count : (part + 1) * len(items) // count]


def _dice(chance: random.Random) -> Dice:
    return Dice(chance.randbytes(SIZE))


def _renamed(event: CardTransaction, group: int, at: int | None = None) -> CardTransaction:
    """The event among others of its like; `at` is the group whose account it names."""
    names = ("event_id", "lifecycle_id", "original_event_id")
    fields = {
        name: f"g{group}-{value}" for name in names if (value := getattr(event, name)) is not None
    }
    for name in ("account_id", "card_token"):
        fields[name] = f"g{group if at is None else at}-{getattr(event, name)}"
    return msgspec.structs.replace(event, **fields)


def _row(row: Row, group: int) -> Row:
    names = ("member_id", "account_id", "card_token")
    numbered = {"partner": "sky-air", "membership_number": f"{group:06}{row['account_id'][1:]:>05}"}
    return {**row, **{name: f"g{group}-{row[name]}" for name in names}, **numbered}
