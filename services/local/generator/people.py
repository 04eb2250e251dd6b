"""Cardholders of two made-up banks, and the rows of the member file that enrol them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from services.accrual.members.csv import DATES, HEADER
from services.kernel.card import contains_card_number
from services.kernel.identifiers import derive

FIRST_BANK, SECOND_BANK = "first-bank", "second-bank"
AIRLINE = "sky-air"
SKY, OSLO, TOKYO, GULF = "sky-rewards", "oslo-cash", "tokyo-cash", "gulf-cash"
PRIME = "gulf-prime"
ENROLLED_FROM = "2026-01-01"
PER_ACCOUNT = 40
"""About so many records come of one account."""
MEMBERSHIP_FIRST = 70_000_000_000
"""The airline's numbers have eleven digits."""
MEMBERSHIP_RENEWED = 1_000_000_000
_FIRST_OPENED = date(2018, 3, 1)
NUMBERLESS = 3
"""Members whom the airline has given no number yet: their miles wait on the held list."""


@dataclass(frozen=True, slots=True)
class Person:
    """One account with one card. No programmes: the bank knows them, milepost does not."""

    account_id: str
    card_token: str
    member_id: str
    issuer: str
    currency: str
    product: str
    programs: tuple[str, ...]
    membership_number: str = ""
    late: bool = False
    """Imported after the first purchases."""
    opened_on: date | None = None
    """When the account was opened; years ago if left out."""

    @property
    def dates(self) -> tuple[str, str, str]:
        """When the account was opened and closed, and the day on which its cycle closes."""
        number = int(self.member_id[1:])
        opened = self.opened_on or _FIRST_OPENED + timedelta(days=number * 97 % 2_400)
        return opened.isoformat(), "", str(1 + number % 31)


def population(random: Random, transactions: int) -> list[Person]:
    """The ordinary cardholders for a stream of this size; six in ten are of the first bank."""
    count = max(60, transactions // PER_ACCOUNT)
    norse = count * 6 // 10
    people = [_norse(random, number) for number in range(1, norse + 1)]
    return people + [_abroad(random, number) for number in range(norse + 1, count + 1)]


def renewed(number: str) -> str:
    """The number that an airline gives to a member in place of an old one."""
    return str(int(number) + MEMBERSHIP_RENEWED)


def member_file(people: Iterable[Person]) -> str:
    """The CSV that `milepost member import` reads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER + DATES)
    for person in people:
        writer.writerows(_rows(person))
    return text.getvalue()


def _rows(person: Person) -> Iterator[tuple[str, ...]]:
    for program in person.programs:
        miles = program == SKY and person.membership_number
        partner = (AIRLINE, person.membership_number) if miles else ("", "")
        yield (
            person.member_id, person.account_id, person.card_token, person.product, program,
            ENROLLED_FROM, "", *partner, *person.dates,
        )  # fmt: skip


def actor(number: int) -> Person:
    """A cardholder of the first bank who plays a scene: everything about it is in the script."""
    return Person(
        account_id=f"NO-{900_000 + number}",
        card_token=f"tok_fb_9{number:05d}",
        member_id=f"M9{number:05d}",
        issuer=FIRST_BANK,
        currency="NOK",
        product="SKY-GOLD",
        programs=(SKY,),
        membership_number=str(MEMBERSHIP_FIRST + 900_000 + number),
    )


def _norse(random: Random, number: int) -> Person:
    product, programs = random.choices(
        (("SKY-GOLD", (SKY,)), ("SKY-PLAT", (SKY, OSLO)), ("OSLO-DEBIT", (OSLO,)),
         ("SKY-BLUE", (SKY,)), ("OSLO-DEBIT", ())),
        weights=(50, 10, 30, 4, 6),
    )[0]  # fmt: skip
    late = number % 16 == 0
    if number <= NUMBERLESS or late:
        product, programs = "SKY-GOLD", (SKY,)
    return Person(
        account_id=f"NO-{100_000 + number}",
        card_token=f"tok_fb_{number:06d}",
        member_id=f"M{number:06d}",
        issuer=FIRST_BANK,
        currency="NOK",
        product=product,
        programs=programs,
        membership_number=str(MEMBERSHIP_FIRST + number) if number > NUMBERLESS else "",
        late=late,
    )


def _abroad(random: Random, number: int) -> Person:
    currency, program, product = random.choices(
        (("JPY", TOKYO, "TOKYO-ONE"), ("KWD", GULF, "GULF-ONE")), weights=(55, 45)
    )[0]
    return Person(
        account_id=token("account", number),
        card_token=token("card", number),
        member_id=f"M{number:06d}",
        issuer=SECOND_BANK,
        currency=currency,
        product=product,
        programs=(program,) if random.randrange(20) else (),
    )


def token(*parts: str | int) -> str:
    """A processor's token for something: a UUID that cannot be taken for a card number."""
    for attempt in range(1_000):
        found = str(derive("demo", *parts, attempt))
        if not contains_card_number(found):
            return found
    raise ValueError(f"every token for {parts} looks like a card number")
