"""The bench's stream: a bank whose every card earns under a cap. The same size, the same bytes.

Of a hundred records two are refunds, one repeats an earlier record byte for byte, the rest are
purchases. Every account earns miles, every fifth one cashback too. A few purchases in a hundred
find a cap that binds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from random import Random
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

ISSUER = "bench-bank"
TOPIC = f"card-feed.{ISSUER}"
FEEDS = f"""feeds:
  - {{name: {ISSUER}, issuer: {ISSUER}, role: books, topic: {TOPIC}, format: milepost-json,
     numeric_ids: [], exact_keys: []}}
"""
FIRST_DAY = date(2026, 3, 1)
DAYS = 61
RECENT = 50_000
"""A refund or a repeat is of one of so many records before it."""
MERCHANTS = tuple(
    (f"NO-{number:04d}", f"BENCH STORE {number:03d}", mcc, channel)
    for number in range(250)
    for mcc, channel in (
        ("5411", "IN_STORE"), ("5812", "IN_STORE"), ("5541", "IN_STORE"), ("5732", "ONLINE"),
    )
)  # fmt: skip
HEADER = (
    "member_id,account_id,card_token,card_product,program,enrolled_from,enrolled_to,partner,"
    "membership_number"
)


class Record(NamedTuple):
    """One line of the feed, keyed by its account."""

    key: bytes
    line: bytes


class Purchase(NamedTuple):
    """What a refund has to say of what it refunds. `linked`: the bank gives it a lifecycle id."""

    number: int
    account: int
    amount: int
    linked: bool


class Recent(Generic[T]):
    """The latest of what came, to pick from by chance."""

    def __init__(self) -> None:
        self._kept: list[T] = []
        self._next = 0

    def add(self, newest: T) -> None:
        """Take one more; the oldest goes."""
        if len(self._kept) < RECENT:
            self._kept.append(newest)
        else:
            self._kept[self._next % RECENT] = newest
        self._next += 1

    def pick(self, random: Random) -> T:
        """One of them."""
        return random.choice(self._kept)


@dataclass(frozen=True, slots=True)
class Load:
    """How much of it there is; ten transactions an account are two months of a card."""

    transactions: int
    accounts: int

    def records(self) -> Iterator[Record]:
        """The records of the feed in the order in which the bank sends them, without end.

        The first `transactions` of them are spread over two months; more are of the last day.
        """
        random = Random(self.transactions)
        sent: Recent[Record] = Recent()
        bought: Recent[Purchase] = Recent()
        for number in count():
            dice = random.random()
            day = min(DAYS - 1, number * DAYS // self.transactions)
            if number and dice < 0.01:
                record = sent.pick(random)
            elif number and dice < 0.03:
                record = _refund(number, day, bought.pick(random), random)
            else:
                purchase = Purchase(
                    number, random.randrange(self.accounts),
                    amount=2_000 + int(random.random() ** 3 * 200_000),
                    linked=random.random() < 0.75,
                )  # fmt: skip
                record = _presentment(purchase, day, random)
                bought.add(purchase)
            sent.add(record)
            yield record

    def members(self) -> bytes:
        """The member file: every account's card, enrolled before the first purchase."""
        lines = [HEADER]
        for account in range(self.accounts):
            row = f"m-{account:07d},{_account(account)},{_token(account)},BENCH-GOLD"
            lines.append(f"{row},bench-miles,2026-01-01,,bench-air,{7_000_000 + account}")
            if account % 5 == 0:
                lines.append(f"{row},bench-cash,2026-01-01,,{ISSUER},")
        return ("\n".join(lines) + "\n").encode()


def contracts() -> dict[str, str]:
    """File name and text of each contract."""
    return {
        "bench-miles.yaml": _CONTRACT.format(
            name="bench-miles", partner="bench-air", currency="BENCH-MILE", rules=_MILES,
            files=_AIRLINE,
        ),
        "bench-cash.yaml": _CONTRACT.format(
            name="bench-cash", partner=ISSUER, currency="NOK", rules=_CASH, files=_CREDIT,
        ),
    }  # fmt: skip


def contract_text(name: str, rules: str) -> str:
    """A contract over miles with other rules."""
    offers = _AIRLINE[: _AIRLINE.index("offer_codes")]
    ids = [line.split()[-1] for line in rules.splitlines() if line.lstrip().startswith("- id:")]
    codes = ", ".join(f"{rule}: O{nth:04d}" for nth, rule in enumerate(ids))
    return _CONTRACT.format(
        name=name, partner="bench-air", currency="BENCH-MILE", rules=rules,
        files=f"{offers}offer_codes: {{{codes}}}}}\n",
    )  # fmt: skip


def _account(account: int) -> str:
    return f"acct-{account:07d}"


def _token(account: int) -> str:
    return f"tok-{account:07d}"


def _presentment(purchase: Purchase, day: int, random: Random) -> Record:
    merchant, name, mcc, channel = random.choice(MERCHANTS)
    return _record(
        purchase.number, purchase.account, day, purchase.amount, random,
        f'"kind":"PRESENTMENT",{_lifecycle(purchase)}"authorization_code":"{purchase.number:06X}",'
        f'"merchant_id":"{merchant}","merchant_name":"{name}","merchant_city":"OSLO",'
        f'"merchant_country":"NO","mcc":"{mcc}","channel":"{channel}",',
    )  # fmt: skip


def _refund(number: int, day: int, of: Purchase, random: Random) -> Record:
    """All of a purchase goes back, or a part of it."""
    amount = of.amount if random.random() < 0.5 else random.randrange(1, of.amount)
    named = f'"kind":"REFUND",{_lifecycle(of)}"original_event_id":"{_event(of.number)}",'
    return _record(number, of.account, day, amount, random, named)


def _record(
    number: int, account: int, day: int, amount: int, random: Random, kind_and_links: str
) -> Record:
    second = random.randrange(86_400)
    clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    on = FIRST_DAY + timedelta(days=day)
    posted = on + timedelta(days=1)
    line = (
        f'{{"event_id":"{_event(number)}","issuer_id":"{ISSUER}",{kind_and_links}'
        f'"account_id":"{_account(account)}","card_token":"{_token(account)}",'
        f'"card_product":"BENCH-GOLD","occurred_at":"{on}T{clock}+01:00","posted_on":"{posted}",'
        f'"billing_amount":{amount},"billing_currency":"NOK"}}'
    )
    return Record(_account(account).encode(), line.encode())


def _event(number: int) -> str:
    return f"bench-{number:010d}"


def _lifecycle(purchase: Purchase) -> str:
    return f'"lifecycle_id":"life-{purchase.number:010d}",' if purchase.linked else ""


_CONTRACT = """contract: {name}
version: 1
program: {name}
issuer: bench-bank
partner: {partner}
currency: {currency}
term: {{from: 2026-01-01, to: 2026-12-31}}
zone: Europe/Oslo
day_ends: "24:00"
governing_date: transaction
amount: {{basis: billing, currency: NOK, eligible: without_cash}}
applies_to: {{card_products: [BENCH-GOLD, BENCH-PLAT]}}
exclude:
  - {{mcc: ["6010", "6011", "6050-6051", "7995"]}}
{rules}
refunds: {{policy: recompute, window_days: 180}}
release: {{after: posting, days: 14}}
negative: {{policy: carry}}
funding:
  - {{funder: bench-bank, share: "100", remainder: true}}
{files}"""

_MILES = """rules:
  - id: base
    award: base
    exclusive_group: spend
    priority: 0
    earn: {per_block: {block: "10.00", units: "1"}}
    rounding: {mode: down, scale: 0, level: per_transaction}
    cap: {limit: "750", of: reward, per: month, scope: account, beyond: "0"}
  - id: dining
    award: bonus
    when: {mcc: ["5812-5814"]}
    exclusive_group: spend
    priority: 10
    earn: {per_block: {block: "10.00", units: "2"}}
    rounding: {mode: down, scale: 0, level: per_transaction}
    cap: {shared_with: base}"""
_CASH = """rules:
  - id: cashback
    award: base
    earn: {percent: "0.5"}
    rounding: {mode: half_even, scale: 2, level: per_transaction}
    cap: {limit: "40.00", of: reward, per: month, scope: account, beyond: "0"}"""
_AIRLINE = """settlement:
  cycle: monthly
  adjustments: send
  miles_price: {currency: NOK, base: "0.09", bonus: "0.07"}
  file: {layout: air-miles-rewards, provider_code: BNCH, offer_codes: {base: B001, dining: D001}}
"""
_CREDIT = """settlement:
  cycle: monthly
  adjustments: carry
  file: {layout: statement-credit}
"""
