"""A few members of the first bank who are paid their cashback in every play, however small it is:
a bank that refuses and returns needs payments.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time

from services.local.generator.merchants import NORSE
from services.local.generator.pen import DAY, Pen, Told
from services.local.generator.people import FIRST_BANK, OSLO, Person

COUNT = 6
SHOPPING = (date(2026, 2, 11), date(2026, 3, 17))
AMOUNT = 40_000
"""Øre of each purchase: 6.00 kroner come back of it."""


def saver(nth: int) -> Person:
    """The nth of them, counted from 0."""
    number = 800_001 + nth
    return Person(
        account_id=f"NO-{number}",
        card_token=f"tok_fb_{number}",
        member_id=f"M{number}",
        issuer=FIRST_BANK,
        currency="NOK",
        product="OSLO-DEBIT",
        programs=(OSLO,),
    )


def history(pen: Pen, person: Person) -> Iterator[Told]:
    """Two purchases, a month apart."""
    for day in SHOPPING:
        bought = pen.purchase(person, NORSE[4], on=day, at=time(17), amount=AMOUNT)
        yield Told(bought.occurred_at + DAY, bought)
