"""A purchase: the set of its events, and what was granted for it.

It is stored as MessagePack arrays in the column `purchase.body`; fields are only ever appended.
"""

from __future__ import annotations

from datetime import date

import msgspec

from services.accrual.lifecycle.exact import Tie, hashed
from services.accrual.lifecycle.matching import Stub
from services.kernel.transaction import PRESENTMENT, CardTransaction


class Leg(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One event of a purchase. Amounts in minor units; facts are kept for presentments only."""

    seq: int
    event_id: str
    kind: str
    amount: int
    currency: str
    occurred_at: int
    posted_on: int | None
    original: str | None
    transaction_amount: int | None
    transaction_currency: str | None
    cash: int = 0
    tip_fee_tax: int = 0
    card_token: str | None = None
    card_product: str | None = None
    mcc: str | None = None
    merchant: str | None = None
    country: str | None = None
    channel: str | None = None
    merchant_name: str | None = None
    city: str | None = None
    attributes: dict[str, str] | None = None


class Share(msgspec.Struct, array_like=True, gc=False):
    """What a grant adds to one running total, and what comes out of it: F(T through it) less
    F(T before it). `scope_id` is the account, or the card token of the facts.
    """

    owner: str
    kind: str
    terms: str
    scope_id: str
    period: str
    entered: int = 0
    granted: int = 0


class Grant(msgspec.Struct, array_like=True, gc=False):
    """What one rule gives for a purchase: `earned` enters its first total, `granted` comes out of
    its last one; without a total they are the same.
    """

    contract: str
    version: int
    rule: str
    unit: str
    governing_on: date
    available_on: date
    earned: int
    granted: int
    shares: tuple[Share, ...] = ()
    """In the order in which the totals are passed."""


class Body(msgspec.Struct, array_like=True, gc=False):
    """The stored part of a purchase."""

    key: str
    legs: list[Leg]
    grants: list[Grant]
    place: int = 0
    """As `Purchase.place`, 0 for None: so that the legs need not be read to know it."""


class TiedBody(Body, array_like=True, gc=False):
    """That of a purchase with exact keys."""

    ties: dict[str, Tie] | None = None
    held: bool = False
    was: str = ""


class Part(msgspec.Struct, array_like=True, gc=False):
    """The body, as far as its grants and its place; the place is 0 for none."""

    key: msgspec.Raw
    legs: msgspec.Raw
    grants: tuple[Grant, ...]
    place: int


class _Legs(msgspec.Struct, array_like=True, gc=False):
    """The body, as far as its events."""

    key: str
    legs: list[Leg]


class Purchase(msgspec.Struct, eq=False, gc=False):
    """One lifecycle of an account. `number` is the seq of the event that opened it."""

    stream_id: int
    number: int
    issuer_id: str
    account_id: str
    key: str
    legs: list[Leg]
    grants: list[Grant]
    changed: bool = False
    ties: dict[str, Tie] | None = None
    """Its events that have exact keys, or that such keys link, by id; None: it never had any."""
    held: bool = False
    """Whether its events may be of several others, or nothing opens it: it counts for nothing."""
    was: str = ""
    """Its label before all of its events moved elsewhere: what it was granted still names it."""

    @property
    def counted(self) -> list[Leg]:
        """The legs that count."""
        return [] if self.held else self.legs

    @property
    def place(self) -> int | None:
        """The least seq of all its presentments, standing or not; None while it has none."""
        if len(self.legs) == 1:
            leg = self.legs[0]
            return leg.seq if leg.kind == PRESENTMENT else None
        return min((leg.seq for leg in self.legs if leg.kind == PRESENTMENT), default=None)

    @property
    def label(self) -> str:
        """The least event id of its presentments; empty while it has none."""
        if len(self.legs) == 1:
            leg = self.legs[0]
            return leg.event_id if leg.kind == PRESENTMENT else ""
        ids = (leg.event_id for leg in self.legs if leg.kind == PRESENTMENT)
        return min(ids, default="" if self.legs else self.was)

    def body(self) -> bytes:
        """The bytes of the column `purchase.body`."""
        own = (self.key, self.legs, self.grants, self.place or 0)
        if self.ties is None:
            return _ENCODER.encode(Body(*own))
        return _ENCODER.encode(TiedBody(*own, self.ties, self.held, self.was))

    def stubs(self) -> list[Stub]:
        """Its events as linking knows them. One that is not loose in the purchase of a lifecycle
        id is as good as one that carries the id."""
        lifecycle = self.key[2:] if self.key.startswith("L:") else None
        ties = self.ties or {}
        found: list[Stub] = []
        for leg in self.legs:
            tie = ties.get(leg.event_id, _FIRM)
            own = None if tie.loose else lifecycle
            found.append(Stub(leg.event_id, leg.kind, own, leg.original, tie.keys))
        return found

    def hashed_keys(self) -> list[int] | None:
        """The column `purchase.exact_keys`."""
        if self.ties is None:
            return None
        return sorted(hashed(self.account_id, self.issuer_id, key) for key in self.exact_keys())

    def exact_keys(self) -> set[str]:
        """The exact keys by which it must be found: those of its events, and its own."""
        keys = {key for tie in (self.ties or {}).values() for key in tie.keys}
        return keys | {self.key[2:]} if self.key.startswith("K:") else keys


_FIRM = Tie((), loose=False)
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(TiedBody)
_LEGS_DECODER = msgspec.msgpack.Decoder(_Legs)


def restore(
    *, stream_id: int, number: int, issuer_id: str, account_id: str, body: bytes
) -> Purchase:
    """A purchase from its stored row."""
    stored = _DECODER.decode(body)
    return Purchase(
        stream_id=stream_id,
        number=number,
        issuer_id=issuer_id,
        account_id=account_id,
        key=stored.key,
        legs=stored.legs,
        grants=stored.grants,
        ties=stored.ties,
        held=stored.held,
        was=stored.was,
    )


part_of = msgspec.msgpack.Decoder(Part).decode
"""The grants and the place of a purchase from its stored bytes."""


def legs_of(body: bytes) -> list[Leg]:
    """The events of a purchase from its stored bytes, without the rest of it."""
    return _LEGS_DECODER.decode(body).legs


def leg_of(event: CardTransaction, seq: int) -> Leg:
    """What a purchase keeps of an event."""
    if event.kind != PRESENTMENT:
        return Leg(
            seq,
            event.event_id,
            event.kind,
            event.billing_amount,
            event.billing_currency,
            event.occurred_at,
            event.posted_on,
            event.original_event_id,
            event.transaction_amount,
            event.transaction_currency,
        )
    return Leg(
        seq,
        event.event_id,
        event.kind,
        event.billing_amount,
        event.billing_currency,
        event.occurred_at,
        event.posted_on,
        event.original_event_id,
        event.transaction_amount,
        event.transaction_currency,
        event.cash_amount,
        event.tip_amount + event.fee_amount + event.tax_amount,
        event.card_token,
        event.card_product,
        event.mcc,
        event.merchant_id,
        event.merchant_country,
        event.channel,
        event.merchant_name,
        event.merchant_city,
        event.attributes or None,
    )
