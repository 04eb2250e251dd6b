"""What a contract's conditions may know of a purchase and of its account."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Protocol

import msgspec


class AccountFacts(Protocol):
    """What conditions and periods ask about an account. Absent dates are None."""

    @property
    def opened_on(self) -> date | None:
        """The day on which the account was opened."""

    @property
    def cycle_day(self) -> int | None:
        """The day of the month on which its billing cycle closes."""

    def activations(self, code: str) -> Sequence[tuple[date, date | None]]:
        """The first day of each activation and, once it is withdrawn, the first on which it does
        not count any more; the earliest first, empty: never.
        """


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What rules may know of a purchase: the facts of its first standing presentment.

    `currency` is the merchant's, `occurred_at` microseconds since the epoch.
    """

    mcc: str | None
    merchant: str | None
    country: str | None
    channel: str | None
    product: str | None
    governing_on: date
    merchant_name: str | None
    city: str | None
    currency: str | None
    attributes: Mapping[str, str]
    occurred_at: int
    account: AccountFacts


Condition = Callable[[Facts], bool]
"""Whether a `when` or an `exclude` holds. A condition on an absent fact does not."""
