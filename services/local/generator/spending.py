"""The ordinary days: purchases of two months, with approvals, refunds and repeats among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from random import Random

from services.kernel.transaction import CardTransaction, Kind
from services.local.generator.merchants import BY_CURRENCY, Merchant
from services.local.generator.pen import DAY, MINUTE, Pen, Told
from services.local.generator.people import FIRST_BANK, Person

FIRST_DAY = date(2026, 2, 1)
DAYS = 59
"""Through 31 March."""
RECORDS_PER_100_PURCHASES = 138
"""Approvals, refunds and repeats included."""


def spending(
    random: Random, pen: Pen, people: Sequence[Person], *, purchases: int
) -> Iterator[Told]:
    """So many purchases of these people, and what else their banks tell of them."""
    for _ in range(purchases):
        person = random.choice(people)
        yield from _purchase(random, pen, person)


def quiet_weeks(random: Random, pen: Pen, person: Person, *, purchases: int) -> Iterator[Told]:
    """A few purchases in February, for an account whose scene plays in March."""
    for _ in range(purchases):
        merchant = BY_CURRENCY[person.currency][random.randrange(2)]
        bought = pen.purchase(
            person, merchant, on=_day(random, 26), at=_hour(random), amount=_price(random, merchant)
        )
        yield Told(bought.occurred_at + DAY, bought)


def _day(random: Random, days: int) -> date:
    return FIRST_DAY + timedelta(days=random.randrange(days))


def _hour(random: Random) -> time:
    return time(7 + random.randrange(16), random.randrange(60), random.randrange(60))


def _merchant(random: Random, person: Person) -> Merchant:
    merchants = BY_CURRENCY[person.currency]
    return random.choices(merchants, weights=[found.weight for found in merchants])[0]


def _price(random: Random, merchant: Merchant) -> int:
    """Between the merchant's two prices, most of them low."""
    return merchant.low + min(random.randrange(merchant.high - merchant.low) for _ in range(2))


def _purchase(random: Random, pen: Pen, person: Person) -> Iterator[Told]:
    merchant = _merchant(random, person)
    bought = pen.purchase(
        person, merchant, on=_day(random, DAYS), at=_hour(random), amount=_price(random, merchant),
        posted_after=1 + random.randrange(2),
    )  # fmt: skip
    told = [Told(bought.occurred_at + 20 * 60 * MINUTE, bought)]
    chance = random.randrange(100)
    if chance < (25 if person.issuer == FIRST_BANK else 40):
        told.append(Told(bought.occurred_at, pen.approval(bought, person)))
    if random.randrange(100) < 4:
        told.append(_refund(random, pen, person, bought))
    yield from told
    if person.issuer == FIRST_BANK:
        yield from _repeats(random, told)


def _refund(random: Random, pen: Pen, person: Person, bought: CardTransaction) -> Told:
    """A third of them give back a part only. All come within the two months."""
    days = 2 + random.randrange(9)
    part, abroad = bought.billing_amount, bought.transaction_amount
    if random.randrange(3) == 0:
        part = max(1, part // 2)
        abroad = None if abroad is None else max(1, abroad // 2)
    back = pen.follow(bought, person, Kind.REFUND, days=days, amount=part, abroad=abroad)
    return Told(back.occurred_at + 20 * 60 * MINUTE, back)


def _repeats(random: Random, told: Sequence[Told]) -> Iterator[Told]:
    """One record in a hundred comes again, half of them written in another way."""
    for at, event, _ in told:
        chance = random.randrange(200)
        if chance < 2:
            later = at + (1 + random.randrange(60)) * 60 * MINUTE
            yield Told(later, event, rewritten=chance == 0)
