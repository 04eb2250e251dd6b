"""What a partner charges: miles by kind, the price of each, the amount due."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from services.kernel.money import price as cost
from services.kernel.rates import Rounding
from services.settlement.batches.terms import TermsBook


class Granted(NamedTuple):
    """What one rule of one version gave for the rewards of a batch (minor units)."""

    contract: str
    version: int
    rule: str
    unit: str
    amount: int


class Kind(NamedTuple):
    """All of one award at one price. `price` is exact, in major units of `currency`;
    `amount_due` in its minor units. Money has no price.
    """

    unit: str
    award: str
    amount: int
    price: Fraction | None
    currency: str | None
    amount_due: int | None


def by_kind(granted: Iterable[Granted], terms: TermsBook) -> list[Kind]:
    """Amounts by unit, award and price, each at the price of the version that granted it.

    The amount due is rounded half up once for each of them.
    """
    sums: dict[tuple[str, str, str, Fraction | None], int] = {}
    for found in granted:
        signed = terms[found.contract, found.version]
        award = signed.award(found.rule)
        rate = signed.price.by_award.get(award) if signed.price else None
        currency = signed.price.currency if signed.price and rate is not None else ""
        key = (found.unit, award, currency, rate)
        sums[key] = sums.get(key, 0) + found.amount
    ordered = sorted(sums.items(), key=lambda item: (*item[0][:3], item[0][3] or Fraction(0)))
    return [_kind(*key, amount) for key, amount in ordered]


def _kind(unit: str, award: str, currency: str, rate: Fraction | None, amount: int) -> Kind:
    if rate is None:
        return Kind(unit, award, amount, None, None, None)
    due = cost(amount, rate=rate, currency=currency, rounding=Rounding.HALF_UP)
    return Kind(unit, award, amount, rate, currency, due.minor)


def due(kinds: Iterable[Kind]) -> dict[str, int]:
    """The amount due by currency, in minor units."""
    sums: dict[str, int] = {}
    for kind in kinds:
        if kind.currency is not None and kind.amount_due is not None:
            sums[kind.currency] = sums.get(kind.currency, 0) + kind.amount_due
    return dict(sorted(sums.items()))


def plain(rate: Fraction) -> str:
    """An exact price as the contract wrote it: `0.09`. Contracts write decimals, so it ends."""
    places = 0
    while (rate * 10**places).denominator != 1:
        places += 1
    digits = str((rate * 10**places).numerator).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits
