"""What of a purchase stands: S, R, C and the net (accrual.md, section 2).

Sums are kept, never a clamped running result: a refund that came first is not lost.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import msgspec

from services.accrual.lifecycle.purchase import Leg
from services.kernel.rates import Rounding, round_ratio
from services.kernel.transaction import PRESENTMENT, Kind

_REVERSES = {
    Kind.PRESENTMENT_REVERSAL.value: Kind.PRESENTMENT.value,
    Kind.REFUND_REVERSAL.value: Kind.REFUND.value,
    Kind.CHARGEBACK_REVERSAL.value: Kind.CHARGEBACK.value,
}
_SPENT = (Kind.PRESENTMENT.value, Kind.ADJUSTMENT_DEBIT.value)
_RETURNED = (Kind.REFUND.value, Kind.ADJUSTMENT_CREDIT.value)
ZERO = Fraction(0)
"""Where nothing is excluded X is this very object: to ask it whether it is 0 costs a call."""
_COUNTED = (*_SPENT, *_RETURNED, Kind.CHARGEBACK.value)


class Net(msgspec.Struct, frozen=True, gc=False):
    """What stands of a purchase, in minor units of `currency`.

    `first` is its first standing presentment, None while it has no presentment (then nothing
    counts). `gross` is G; `cash` and `tip_fee_tax` are the excluded parts X, exact.
    """

    first: Leg | None
    currency: str
    spent: int
    returned: int
    charged_back: int
    net: int
    gross: int
    cash: Fraction
    tip_fee_tax: Fraction
    listed: tuple[str, ...] = ()
    """Ids of events that have no effect and that a person should look at."""

    @property
    def over_refunded(self) -> int:
        """How much more went back than was spent."""
        return max(0, self.returned + self.charged_back - self.spent)


class _Sides(NamedTuple):
    """Legs with the reversals that name them, and the reversals that name nothing."""

    named: dict[str, list[Leg]]
    nameless: dict[str, list[Leg]]
    listed: list[str]


def weigh(legs: list[Leg]) -> Net:
    """The net of a purchase from all its legs, in any order."""
    if len(legs) == 1 and legs[0].kind == PRESENTMENT and legs[0].transaction_amount != 0:
        return _single(legs[0])
    sides = _sort_reversals(legs)
    first = _first_standing(legs, sides.named)
    if first is None:
        return Net(None, "", 0, 0, 0, 0, 0, ZERO, ZERO, tuple(sides.listed))
    currency = first.currency
    counted = [leg for leg in legs if leg.kind in _COUNTED and leg.currency == currency]
    nameless = {
        kind: [leg for leg in found if leg.currency == currency]
        for kind, found in sides.nameless.items()
    }
    foreign = [leg.event_id for leg in legs if leg.kind in _COUNTED and leg.currency != currency]
    standing = {leg.event_id: _standing(leg, sides.named) for leg in counted}
    spent, returned, charged_back = _sums(counted, standing, nameless)
    presentments = [leg for leg in counted if leg.kind == PRESENTMENT]
    return Net(
        first=first,
        currency=currency,
        spent=spent,
        returned=returned,
        charged_back=charged_back,
        net=_net(spent, returned, charged_back, counted, sides.named, nameless),
        gross=sum(standing[leg.event_id] for leg in counted if leg.kind in _SPENT),
        cash=_part(presentments, standing, "cash"),
        tip_fee_tax=_part(presentments, standing, "tip_fee_tax"),
        listed=(*sides.listed, *foreign),
    )


def _single(leg: Leg) -> Net:
    """The common case: one presentment and nothing else."""
    amount = leg.amount
    cash = Fraction(leg.cash) if leg.cash else ZERO
    other = Fraction(leg.tip_fee_tax) if leg.tip_fee_tax else ZERO
    return Net(leg, leg.currency, amount, 0, 0, amount, amount, cash, other)


def _sort_reversals(legs: list[Leg]) -> _Sides:
    by_id = {leg.event_id: leg for leg in legs}
    sides = _Sides({}, {}, [])
    for leg in legs:
        target = _REVERSES.get(leg.kind)
        if target is None:
            continue
        if leg.original is None:
            sides.nameless.setdefault(target, []).append(leg)
            continue
        named = by_id.get(leg.original)
        if named is None or named.kind != target or named.currency != leg.currency:
            sides.listed.append(leg.event_id)
        else:
            sides.named.setdefault(named.event_id, []).append(leg)
    return sides


def _standing(leg: Leg, named: dict[str, list[Leg]]) -> int:
    return max(0, leg.amount - sum(reversal.amount for reversal in named.get(leg.event_id, ())))


def _first_standing(legs: list[Leg], named: dict[str, list[Leg]]) -> Leg | None:
    presentments = [leg for leg in legs if leg.kind == PRESENTMENT]
    standing = [leg for leg in presentments if _standing(leg, named) > 0]
    return min(standing or presentments, key=_facts_order, default=None)


def _facts_order(leg: Leg) -> tuple[int, bool, int, str]:
    return (leg.occurred_at, leg.posted_on is None, leg.posted_on or 0, leg.event_id)


def _sums(
    counted: list[Leg], standing: dict[str, int], nameless: dict[str, list[Leg]]
) -> tuple[int, int, int]:
    """S, R and C: standing amounts by side, less what nameless reversals of a kind take."""
    by_kind: dict[str, int] = {}
    for leg in counted:
        by_kind[leg.kind] = by_kind.get(leg.kind, 0) + standing[leg.event_id]
    for kind, found in nameless.items():
        taken = sum(leg.amount for leg in found)
        by_kind[kind] = max(0, by_kind.get(kind, 0) - taken)
    return (
        sum(by_kind.get(kind, 0) for kind in _SPENT),
        sum(by_kind.get(kind, 0) for kind in _RETURNED),
        by_kind.get(Kind.CHARGEBACK.value, 0),
    )


def _net(
    spent: int,
    returned: int,
    charged_back: int,
    counted: list[Leg],
    named: dict[str, list[Leg]],
    nameless: dict[str, list[Leg]],
) -> int:
    """max(0, S − R − C); taken as a share in the merchant's currency where all carry it."""
    kinds = {leg.kind for leg in counted}
    every = [
        *counted,
        *(reversal for leg in counted for reversal in named.get(leg.event_id, ())),
        # A nameless reversal of what is not there reduces nothing, and so does not count.
        *(leg for kind, found in nameless.items() if kind in kinds for leg in found),
    ]
    currencies = {leg.transaction_currency for leg in every}
    abroad = len(currencies) == 1 and None not in currencies
    if not abroad or any(leg.transaction_amount is None for leg in every):
        return max(0, spent - returned - charged_back)
    standing = {
        leg.event_id: max(
            0,
            _abroad(leg) - sum(_abroad(reversal) for reversal in named.get(leg.event_id, ())),
        )
        for leg in counted
    }
    moved = {kind: [_in_transaction(leg) for leg in found] for kind, found in nameless.items()}
    spent_abroad, returned_abroad, charged_abroad = _sums(counted, standing, moved)
    if spent_abroad == 0:
        return 0
    left = max(0, spent_abroad - returned_abroad - charged_abroad)
    return round_ratio(spent * left, spent_abroad, Rounding.HALF_UP)


def _abroad(leg: Leg) -> int:
    return leg.transaction_amount or 0


def _in_transaction(leg: Leg) -> Leg:
    return Leg(
        leg.seq, leg.event_id, leg.kind, _abroad(leg), leg.currency, leg.occurred_at,
        leg.posted_on, leg.original, leg.transaction_amount, leg.transaction_currency,
    )  # fmt: skip


def _part(presentments: list[Leg], standing: dict[str, int], part: str) -> Fraction:
    total = ZERO
    for leg in presentments:
        amount: int = getattr(leg, part)
        if amount:
            total += Fraction(amount * standing[leg.event_id], leg.amount)
    return total
