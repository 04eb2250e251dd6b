"""The canonical card transaction: one event of one purchase, in the words of interfaces.md."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What an event says happened."""

    AUTHORIZATION = "AUTHORIZATION"
    AUTHORIZATION_REVERSAL = "AUTHORIZATION_REVERSAL"
    PRESENTMENT = "PRESENTMENT"
    PRESENTMENT_REVERSAL = "PRESENTMENT_REVERSAL"
    REFUND = "REFUND"
    REFUND_REVERSAL = "REFUND_REVERSAL"
    CHARGEBACK = "CHARGEBACK"
    CHARGEBACK_REVERSAL = "CHARGEBACK_REVERSAL"
    ADJUSTMENT_CREDIT = "ADJUSTMENT_CREDIT"
    ADJUSTMENT_DEBIT = "ADJUSTMENT_DEBIT"


PRESENTMENT = Kind.PRESENTMENT.value
"""As the plain text that an event holds: to compare with a member takes five times as long."""


class Channel(StrEnum):
    """Where the card was used."""

    IN_STORE = "IN_STORE"
    ONLINE = "ONLINE"
    PHONE = "PHONE"
    RECURRING = "RECURRING"


class Role(StrEnum):
    """What a feed is for."""

    BOOKS = "books"
    """The issuer's own stream: rewards are computed from it."""
    COMPARE = "compare"
    """Another view of the same spend, recorded for reconciliation only."""
    COMMAND = "command"
    """Not a feed: an event that a command appended; its body is the command's inputs."""


BOOKS, COMPARE = Role.BOOKS.value, Role.COMPARE.value
"""As the plain texts that a record holds."""


class CardTransaction(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event. Amounts are minor units, `occurred_at` microseconds since the epoch (UTC),
    `posted_on` days since the epoch. The kind gives the direction: amounts are positive
    (0 only for authorizations).
    """

    event_id: str
    issuer_id: str
    kind: str
    lifecycle_id: str | None = None
    original_event_id: str | None = None
    scheme_reference: str | None = None
    arn: str | None = None
    authorization_code: str | None = None
    account_id: str
    card_token: str
    card_product: str | None = None
    occurred_at: int
    posted_on: int | None = None
    billing_amount: int
    billing_currency: str
    transaction_amount: int | None = None
    transaction_currency: str | None = None
    cash_amount: int = 0
    tip_amount: int = 0
    fee_amount: int = 0
    tax_amount: int = 0
    merchant_id: str | None = None
    merchant_name: str | None = None
    merchant_city: str | None = None
    merchant_country: str | None = None
    mcc: str | None = None
    channel: str | None = None
    attributes: dict[str, str] = {}
    exact: tuple[str, ...] = ()
    """Names of EXACT_KEYS that its feed declares exact; no part of what the event says."""


FIELDS: tuple[str, ...] = CardTransaction.__struct_fields__[:-1]
EXACT_KEYS = ("scheme_reference", "arn")
"""Fields that a feed may declare exact: events that carry the same one are of one purchase."""
