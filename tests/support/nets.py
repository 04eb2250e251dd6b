"""The naive model of standing amounts and the net of one purchase, from all of its events at once.

Readings of the definition, where its words leave a choice:

* *Wholly reversed* and *G* look at naming reversals only. What a nameless reversal takes cannot be
  said of one leg.
* *All events counted in S, R or C, with the reversals that reduce them*: every event of those
  kinds in the purchase's currency, wholly reversed ones too; every effective naming reversal of
  theirs; every nameless reversal of a kind that the purchase has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from services.kernel.transaction import CardTransaction

REVERSES = {
    "PRESENTMENT_REVERSAL": "PRESENTMENT",
    "REFUND_REVERSAL": "REFUND",
    "CHARGEBACK_REVERSAL": "CHARGEBACK",
}
GIVES = ("PRESENTMENT", "ADJUSTMENT_DEBIT")
TAKES = ("REFUND", "ADJUSTMENT_CREDIT", "CHARGEBACK")

Events = Sequence[CardTransaction]


@dataclass(frozen=True)
class Net:
    """What is left of a purchase. Amounts are minor units of `currency`."""

    currency: str
    net: int
    over_refunded: int
    legs: tuple[tuple[CardTransaction, int], ...]
    """Presentments in the currency with what stands of each after the reversals naming it."""
    gross: int
    """G: standing presentments and debits, reduced by naming reversals only."""
    spent: int
    """S"""
    returned: int
    """R"""

    def with_net(self, net: int) -> Net:
        """The same with another net, as a refund policy may want it."""
        return replace(self, net=net)


def reversals_of(event: CardTransaction, events: Events) -> Events:
    """The effective reversals that name an event: of its kind and in its currency."""
    return [
        other
        for other in events
        if REVERSES.get(other.kind) == event.kind
        and other.original_event_id == event.event_id
        and other.billing_currency == event.billing_currency
    ]


def standing(event: CardTransaction, events: Events) -> int:
    """What stands of an event after the reversals that name it."""
    taken = sum(other.billing_amount for other in reversals_of(event, events))
    return max(0, event.billing_amount - taken)


def first_standing(events: Events) -> CardTransaction | None:
    """The presentment that gives the facts: a property of the set, not of arrival."""
    presented = [event for event in events if event.kind == "PRESENTMENT"]
    alive = [event for event in presented if standing(event, events) > 0]
    return min(alive or presented, key=_by_time, default=None)


def _by_time(event: CardTransaction) -> tuple[int, bool, int, str]:
    return (event.occurred_at, event.posted_on is None, event.posted_on or 0, event.event_id)


def net_of(events: Events, currency: str) -> Net:
    """Sums first, clamped last; and the share taken abroad where every amount is of one place."""
    mine = [event for event in events if event.billing_currency == currency]
    spent, returned, disputed = _sums(mine, foreign=False)
    net = max(0, spent - returned - disputed)
    if _one_foreign_currency(mine):
        there, back, lost = _sums(mine, foreign=True)
        share = Fraction(max(0, there - back - lost), there) if there else Fraction(0)
        net = half_up(spent * share)
    legs = tuple((e, standing(e, mine)) for e in mine if e.kind == "PRESENTMENT")
    debits = sum(event.billing_amount for event in mine if event.kind == "ADJUSTMENT_DEBIT")
    return Net(
        currency=currency,
        net=net,
        over_refunded=max(0, returned + disputed - spent),
        legs=legs,
        gross=sum(stands for _, stands in legs) + debits,
        spent=spent,
        returned=returned,
    )


def _sums(events: Events, *, foreign: bool) -> tuple[int, int, int]:
    """S, R and C, in the billing currency or in the transaction currency."""

    def amount(event: CardTransaction) -> int:
        return (event.transaction_amount or 0) if foreign else event.billing_amount

    def of(kind: str) -> int:
        return sum(amount(event) for event in events if event.kind == kind)

    def standing_of(kind: str, reversal: str) -> int:
        stands = 0
        for event in events:
            if event.kind == kind:
                taken = sum(amount(other) for other in reversals_of(event, events))
                stands += max(0, amount(event) - taken)
        nameless = sum(amount(event) for event in events if _nameless(event, reversal))
        return max(0, stands - nameless)

    return (
        standing_of("PRESENTMENT", "PRESENTMENT_REVERSAL") + of("ADJUSTMENT_DEBIT"),
        standing_of("REFUND", "REFUND_REVERSAL") + of("ADJUSTMENT_CREDIT"),
        standing_of("CHARGEBACK", "CHARGEBACK_REVERSAL"),
    )


def _nameless(event: CardTransaction, kind: str) -> bool:
    return event.kind == kind and event.original_event_id is None


def _one_foreign_currency(events: Events) -> bool:
    """Whether all that counts carries an amount in one and the same transaction currency."""
    counted = [event for event in events if event.kind in GIVES + TAKES]
    kinds = {event.kind for event in counted}
    reducing = [r for event in counted for r in reversals_of(event, events)]
    reducing += [
        event
        for event in events
        if REVERSES.get(event.kind) in kinds and event.original_event_id is None
    ]
    there = {
        event.transaction_currency if event.transaction_amount is not None else None
        for event in counted + reducing
    }
    return len(there) == 1 and None not in there


def half_up(value: Fraction) -> int:
    """To the nearest; a half goes up. Only ever used on amounts that are not negative."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
