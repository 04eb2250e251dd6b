"""The second bank's premium cardholders: new accounts, all of whose purchases are in the script, so
that what rules over many purchases must give them can be computed by hand.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, time

from services.accrual.members.activations import HEADER
from services.kernel.transaction import CardTransaction, Kind
from services.local.generator.merchants import KUWAITI, Merchant
from services.local.generator.pen import DAY, Pen, Told
from services.local.generator.people import PRIME, SECOND_BANK, Person, token

GROCER, FUEL, RESTAURANT = KUWAITI[0], KUWAITI[1], KUWAITI[2]
CODE = "Q1-FUEL"
ACTIVATED_ON, ACTIVATED_LATE_ON = "2026-01-31", "2026-02-15"
FILLS = (date(2026, 2, 3), date(2026, 2, 10), date(2026, 2, 20), date(2026, 3, 3),
         date(2026, 3, 12), date(2026, 3, 22))  # fmt: skip
MEALS = (date(2026, 2, 5), date(2026, 2, 13), date(2026, 2, 21), date(2026, 3, 5),
         date(2026, 3, 14), date(2026, 3, 24))  # fmt: skip
SHOPPING = (date(2026, 2, 7), date(2026, 2, 18), date(2026, 3, 8), date(2026, 3, 19))
FILL, MEAL, BASKET = 12_000, 9_000, 20_000
"""Fils of a purchase."""
KINDS = 4
PLAIN, LATE, BACK, LITTLE = range(KINDS)
"""Who activates in time, who is told of late, who gives back until the welcome is gone, and who
never spends enough for it. In turn."""
EXPECTED = {
    PLAIN: {"fuel": 3_120, "meals": 1_500, "welcome": 10_000},
    LATE: {"fuel": 2_400, "meals": 1_500, "welcome": 10_000},
    BACK: {"fuel": 3_120, "meals": 1_500, "welcome": 0},
    LITTLE: {"fuel": 3_120, "meals": 1_500, "welcome": 0},
}
"""Fils by rule. Fuel: 5 percent of 60.000 and 1 of the other 12.000, or 5 of the 48.000 since the
late activation. Spent are 206.000, of which 60.000 go back; without shopping 126.000."""


def cardholder(nth: int) -> Person:
    """The nth of them, counted from 0; the account was opened in January."""
    return Person(
        account_id=token("prime account", nth),
        card_token=token("prime card", nth),
        member_id=f"M7{nth + 1:05d}",
        issuer=SECOND_BANK,
        currency="KWD",
        product="GULF-PRIME",
        programs=(PRIME,),
        opened_on=date(2026, 1, 10 + nth % 15),
    )


def history(pen: Pen, person: Person, nth: int) -> Iterator[Told]:
    """Everything that one of them does in two months."""
    kind = nth % KINDS
    for merchant, amount, days in (
        (FUEL, FILL, FILLS), (RESTAURANT, MEAL, MEALS), (GROCER, BASKET, SHOPPING),
    ):  # fmt: skip
        if merchant is GROCER and kind == LITTLE:
            continue
        for number, day in enumerate(days):
            bought = _buy(pen, person, merchant, amount, day)
            yield Told(bought.occurred_at + DAY, bought)
            if merchant is GROCER and kind == BACK and number > 0:
                back = pen.follow(bought, person, Kind.REFUND, days=9)
                yield Told(back.occurred_at + DAY, back)


def activations(people: Sequence[Person], *, late: bool) -> str:
    """The CSV that `milepost activation import` reads: of those who are known in time, or late."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    day = ACTIVATED_LATE_ON if late else ACTIVATED_ON
    for nth, person in enumerate(people):
        if (nth % KINDS == LATE) == late:
            writer.writerow((person.account_id, CODE, day))
    return text.getvalue()


def _buy(pen: Pen, person: Person, merchant: Merchant, amount: int, day: date) -> CardTransaction:
    return pen.purchase(person, merchant, on=day, at=time(12 + day.day % 8), amount=amount)
