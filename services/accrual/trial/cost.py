"""What the rewards of a trial cost: units at the price of their version and award, money as it is.

As a partner's bill does it: exact, rounded half up once for each version, award and price.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from services.accrual.trial.drafted import Drafted
from services.accrual.trial.tally import Pair, Sold, Tally, pair_of
from services.kernel.money import price
from services.kernel.rates import Rounding


class Cost(NamedTuple):
    """One line of cost, in minor units of a currency. `award` is empty for fees."""

    what: str
    award: str
    currency: str
    pair: Pair


class _Priced(NamedTuple):
    version: int
    award: str
    fee: bool
    currency: str
    rate: str | None


def costs(tally: Tally, drafted: Drafted) -> list[Cost]:
    """Rewards by award, then fees; both sides at their own prices."""
    sums: dict[tuple[str, str, str], Pair] = {}
    for priced, quantity in _quantities(tally, drafted.old_sales, new=False).items():
        pair_of(sums, _line(priced)).old += _amount(priced, quantity)
    for priced, quantity in _quantities(tally, drafted.new_sales, new=True).items():
        pair_of(sums, _line(priced)).new += _amount(priced, quantity)
    order = sorted(sums.items(), key=lambda entry: (entry[0][0] == "fees", entry[0]))
    return [Cost(*line, pair) for line, pair in order]


def _quantities(
    tally: Tally, sales: Mapping[int, Mapping[str, Any]], *, new: bool
) -> dict[_Priced, int]:
    """How much was sold at each price."""
    found: dict[_Priced, int] = {}
    for sold, pair in tally.sold.items():
        quantity = pair.new if new else pair.old
        if quantity:
            priced = _priced(sold, sales[sold.version])
            found[priced] = found.get(priced, 0) + quantity
    return found


def _priced(sold: Sold, terms: Mapping[str, Any]) -> _Priced:
    award, given = terms["awards"][sold.rule], terms["price"]
    if given is None:
        return _Priced(sold.version, award, sold.fee, terms["unit"], None)
    return _Priced(sold.version, award, sold.fee, given["currency"], given[award])


def _line(priced: _Priced) -> tuple[str, str, str]:
    if priced.fee:
        return "fees", "", priced.currency
    return "rewards", priced.award, priced.currency


def _amount(priced: _Priced, quantity: int) -> int:
    if priced.rate is None:
        return quantity
    rate = Fraction(priced.rate)
    return price(
        quantity, rate=rate, currency=priced.currency, rounding=Rounding.HALF_UP
    ).minor  # fmt: skip
