"""What the rows of one account say on a day: enrolled or not, which card product, which dates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from services.accrual.members.account import AccountDates, Activation


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One card of an account enrolled in a programme. Both dates are inclusive; no `enrolled_to`
    is open. Its key is (account_id, card_token, program, enrolled_from). `revision` is 0 until
    the row is recorded.
    """

    account_id: str
    card_token: str
    program: str
    enrolled_from: date
    enrolled_to: date | None
    member_id: str
    card_product: str | None
    partner: str | None
    membership_number: str | None
    revision: int = 0

    @property
    def key(self) -> tuple[str, str, str, date]:
        """What a later row must equal to replace this one."""
        return self.account_id, self.card_token, self.program, self.enrolled_from


Active = tuple[date, date | None]
"""The first day on which an activation counts, and the first on which it does not any more."""
Row = TypeVar("Row", MemberRow, AccountDates, Activation)


class Roster:
    """The facts of one account as of a revision. Immutable; asked for every decision.

    `opened_on` and `cycle_day` are None where they are not known.
    """

    __slots__ = ("_activated", "_products", "_spans", "cycle_day", "opened_on")

    def __init__(
        self,
        spans: dict[str, tuple[tuple[date, date], ...]],
        products: dict[str, tuple[tuple[date, str | None], ...]],
        dates: AccountDates | None,
        activated: dict[str, tuple[Active, ...]],
    ) -> None:
        self._spans = spans
        self._products = products
        self._activated = activated
        self.opened_on = None if dates is None else dates.opened_on
        self.cycle_day = None if dates is None else dates.cycle_day

    @classmethod
    def of(
        cls,
        rows: Iterable[MemberRow],
        *,
        dates: Iterable[AccountDates] = (),
        activations: Iterable[Activation] = (),
        upto: int | None = None,
    ) -> Roster:
        """The roster of one account's rows; with `upto`, of those up to that revision."""
        current: dict[tuple[str, str, str, date], MemberRow] = {}
        for row in _seen(rows, upto):
            held = current.get(row.key)
            if held is None or held.revision <= row.revision:
                current[row.key] = row
        latest = max(_seen(dates, upto), key=lambda row: row.revision, default=None)
        closed_on = (latest and latest.closed_on) or date.max
        spans: dict[str, list[tuple[date, date]]] = {}
        cards: dict[str, list[MemberRow]] = {}
        for row in current.values():
            last = min(row.enrolled_to or date.max, closed_on)
            spans.setdefault(row.program, []).append((row.enrolled_from, last))
            cards.setdefault(row.card_token, []).append(row)
        return cls(
            {program: tuple(sorted(found)) for program, found in spans.items()},
            {token: _products(found) for token, found in cards.items()},
            latest,
            _activated(_seen(activations, upto)),
        )

    def enrolled(self, program: str, day: date) -> bool:
        """Whether any current row holds the day, and the account is not closed before it."""
        for first, last in self._spans.get(program, ()):  # noqa: SIM110  called for every event
            if first <= day <= last:
                return True
        return False

    def product(self, card_token: str, day: date) -> str | None:
        """The product of the token's row with the latest start not after the day; None if none.

        A row goes on naming the product after its enrolment has ended.
        """
        for first, product in self._products.get(card_token, ()):
            if first <= day:
                return product
        return None

    def activations(self, code: str) -> tuple[Active, ...]:
        """The spans in which the code is active, the earliest first; empty if it never was."""
        return self._activated.get(code, ())


def _seen(rows: Iterable[Row], upto: int | None) -> Iterable[Row]:
    return rows if upto is None else [row for row in rows if row.revision <= upto]


def _activated(activations: Iterable[Activation]) -> dict[str, tuple[Active, ...]]:
    """The spans of each code. One that was withdrawn on its own day never counted."""
    current: dict[tuple[str, str, date], Activation] = {}
    for row in activations:
        held = current.get(row.key)
        if held is None or held.revision <= row.revision:
            current[row.key] = row
    found: dict[str, list[Active]] = {}
    for _, row in sorted(current.items()):
        if row.withdrawn_on is None or row.withdrawn_on > row.activated_on:
            found.setdefault(row.code, []).append((row.activated_on, row.withdrawn_on))
    return {code: tuple(spans) for code, spans in found.items()}


def _products(rows: list[MemberRow]) -> tuple[tuple[date, str | None], ...]:
    """Start and product, the row that decides first: the latest start, then revision.

    Rows of two programmes may be equal in both: then one that names a product decides, and of
    two that do the lower code, so that the order of reading plays no part.
    """
    decided: dict[date, MemberRow] = {}
    for row in sorted(rows, key=lambda row: (row.card_product is None, row.card_product or "")):
        held = decided.get(row.enrolled_from)
        if held is None or held.revision < row.revision:
            decided[row.enrolled_from] = row
    return tuple((first, decided[first].card_product) for first in sorted(decided, reverse=True))
