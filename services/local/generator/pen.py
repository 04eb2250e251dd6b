"""Writes events down: ids without chance, instants in local time, and when each is delivered."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from services.kernel.calendar import micros
from services.kernel.card import luhn
from services.kernel.transaction import CardTransaction, Kind
from services.local.generator.merchants import Merchant
from services.local.generator.people import SECOND_BANK, Person, token

ZONES = {
    "NOK": ZoneInfo("Europe/Oslo"),
    "JPY": ZoneInfo("Asia/Tokyo"),
    "KWD": ZoneInfo("Asia/Kuwait"),
}
_EPOCH = date(1970, 1, 1)
MINUTE = 60_000_000
_ACQUIRER = "74000016090"
"""Of an acquirer's reference: its kind, a made-up acquirer, and a day."""
DAY = 24 * 60 * MINUTE


class Told(NamedTuple):
    """An event, and the instant at which its bank delivers it (microseconds since the epoch)."""

    at: int
    event: CardTransaction
    rewritten: bool = False
    """The same content in other bytes: another order of keys, blanks, another offset."""


def day(on: date) -> int:
    """A date as events carry it: days since the epoch."""
    return (on - _EPOCH).days


def date_of(days: int) -> date:
    """The date that an event carries as days since the epoch."""
    return _EPOCH + timedelta(days=days)


class Pen:
    """Numbers events and purchases in the order in which they are written."""

    def __init__(self) -> None:
        self._events = 0
        self._purchases = 0

    def purchase(
        self,
        person: Person,
        merchant: Merchant,
        *,
        on: date,
        at: time,
        amount: int,
        posted_after: int = 1,
    ) -> CardTransaction:
        """A presentment of `amount` minor units of the merchant's currency. `on` and `at` are the
        cardholder's local date and time.
        """
        self._purchases += 1
        billed = amount * merchant.rate // 1_000
        return CardTransaction(
            event_id=self._event_id(person),
            arn=self._arn(person),
            issuer_id=person.issuer,
            kind=Kind.PRESENTMENT.value,
            lifecycle_id=_lifecycle(person, self._purchases),
            account_id=person.account_id,
            card_token=person.card_token,
            occurred_at=micros(datetime.combine(on, at, ZONES[person.currency])),
            posted_on=day(on + timedelta(days=posted_after)),
            billing_amount=billed,
            billing_currency=person.currency,
            transaction_amount=amount if merchant.currency else None,
            transaction_currency=merchant.currency or None,
            cash_amount=billed if merchant.cash else 0,
            merchant_id=merchant.merchant_id,
            merchant_name=merchant.name,
            merchant_city=merchant.city,
            merchant_country=merchant.country,
            mcc=merchant.mcc,
            channel=merchant.channel,
        )

    def approval(self, purchase: CardTransaction, person: Person) -> CardTransaction:
        """The authorization that came before a purchase; it earns nothing."""
        return msgspec.structs.replace(
            purchase, event_id=self._event_id(person), kind=Kind.AUTHORIZATION.value,
            posted_on=None, cash_amount=0, arn=None,
        )  # fmt: skip

    def follow(
        self,
        purchase: CardTransaction,
        person: Person,
        kind: Kind,
        *,
        days: int,
        amount: int | None = None,
        abroad: int | None = None,
        of: CardTransaction | None = None,
    ) -> CardTransaction:
        """A later event of the same purchase, `days` after it, for all of it or for `amount`.

        `abroad` is its amount in the merchant's currency; `of` is the event that it names.
        """
        changes = {
            "event_id": self._event_id(person),
            "arn": self._arn(person),
            "kind": kind.value,
            "original_event_id": of.event_id if of else None,
            "occurred_at": purchase.occurred_at + days * DAY,
            "posted_on": None if purchase.posted_on is None else purchase.posted_on + days,
            "billing_amount": purchase.billing_amount if amount is None else amount,
            "transaction_amount": purchase.transaction_amount if abroad is None else abroad,
            "cash_amount": 0,
        }
        return msgspec.structs.replace(purchase, **changes)

    def _event_id(self, person: Person) -> str:
        self._events += 1
        if person.issuer == SECOND_BANK:
            return token("event", self._events)
        return f"fb-{self._events:07d}"

    def _arn(self, person: Person) -> str | None:
        """The acquirer's reference of the event that was numbered last; the second bank's
        processor tells none.
        """
        if person.issuer == SECOND_BANK:
            return None
        digits = f"{_ACQUIRER}{self._events:011d}"
        return next(text for check in range(10) if luhn(text := f"{digits}{check}"))


def _lifecycle(person: Person, number: int) -> str:
    if person.issuer == SECOND_BANK:
        return token("purchase", number)
    return f"p-{number:07d}"
